"""Agents taking conversations, and handing them on.

Invariant: of all who claim, one gets it; nobody but a supervisor goes above capacity, and that is recorded as forced.
"""

from protocol.bus.commands import ClaimConversation, TransferConversation
from protocol.bus.decisions import Already, Refusal
from protocol.ids import AgentId, InboxId
from protocol.wire.codes import Code
from routing.core.events import AnyRosterEvent, ConversationAssigned, ConversationTransferred, OfferEnded
from routing.core.offers import accepted
from routing.core.presence import Member
from routing.core.queue import Held, Offered, Talking
from routing.core.state import Roster


def claim(roster: Roster, command: ClaimConversation, at_ms: int) -> list[AnyRosterEvent] | Refusal | Already:
    """Give the conversation to the agent who asks for it, if nobody has it."""
    held = roster.held.get(command.conversation)
    if held is None:
        return Refusal(Code.NOT_FOUND)
    member = _fit(roster, command.agent, held.inbox)
    if isinstance(member, Refusal):
        return member
    match held.phase:
        case Talking(agent=agent):
            return Already() if agent == member.agent else Refusal(Code.ALREADY_ASSIGNED)
        case Offered(agent=agent) if agent == member.agent:
            return [accepted(held, at_ms)]
    if member.full and not member.supervisor:
        return Refusal(Code.AT_CAPACITY)
    return [*_taken_from(held, at_ms), _claimed(held, member, at_ms)]


def _claimed(held: Held, member: Member, at_ms: int) -> ConversationAssigned:
    return ConversationAssigned(at_ms, held.conversation, member.agent, "claim", None, False, member.full, None)


def _taken_from(held: Held, at_ms: int) -> list[OfferEnded]:
    if not isinstance(held.phase, Offered):
        return []
    return [OfferEnded(at_ms, held.phase.offer, held.conversation, held.phase.agent, "withdrawn")]


def transfer(roster: Roster, command: TransferConversation, at_ms: int) -> list[AnyRosterEvent] | Refusal | Already:
    """Hand the conversation from its agent to another, who may be away but must be there."""
    held = roster.held.get(command.conversation)
    by = roster.members.get(command.agent)
    if held is None or by is None:
        return Refusal(Code.NOT_FOUND)
    if not isinstance(held.phase, Talking) or not _may_hand_on(by, held.phase.agent, held.inbox):
        return Refusal(Code.NOT_ASSIGNED)
    if command.to == held.phase.agent:
        return Already()
    to = _fit(roster, command.to, held.inbox)
    if isinstance(to, Refusal):
        return to
    if to.full and not by.supervisor:
        return Refusal(Code.AT_CAPACITY)
    source = held.phase.agent
    return [ConversationTransferred(at_ms, held.conversation, by.agent, source, to.agent, command.note, to.full)]


def _may_hand_on(by: Member, agent: AgentId, inbox: InboxId) -> bool:
    return by.agent == agent or (by.supervisor and inbox in by.inboxes)


def _fit(roster: Roster, agent: AgentId, inbox: InboxId) -> Member | Refusal:
    """Return the agent if a conversation of `inbox` can be theirs at all, or why not."""
    member = roster.members.get(agent)
    if member is None:
        return Refusal(Code.NOT_FOUND)
    if not member.seat:
        return Refusal(Code.SEAT_REQUIRED)
    if not member.connected or inbox not in member.inboxes:
        return Refusal(Code.NOT_AVAILABLE)
    return member
