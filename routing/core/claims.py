"""Agents taking conversations, and handing them on.

Invariant: of all who claim, one gets it; nobody but a supervisor moves what is another's or nobody's, or goes above
capacity, and that is recorded as forced.
"""

from protocol.bus.commands import ClaimConversation, TransferConversation
from protocol.bus.decisions import Already, Refusal
from protocol.ids import AgentId, InboxId
from protocol.wire.codes import Code
from routing.core.events import ConversationAssigned, ConversationTransferred, HandedToTeam
from routing.core.log import AnyRosterEvent
from routing.core.offers import accepted
from routing.core.presence import Member
from routing.core.queue import Held, Offered, Talking
from routing.core.seeking import freed
from routing.core.state import Roster

NOBODY = AgentId("")


def claim(roster: Roster, command: ClaimConversation, at_ms: int) -> list[AnyRosterEvent] | Refusal | Already:
    """Give the conversation to the agent who asks for it, if nobody has it; to a supervisor who insists, anyway."""
    held = roster.held.get(command.conversation)
    if held is None:
        return Refusal(Code.NOT_FOUND)
    member = _fit(roster, command.agent, held.inbox)
    if isinstance(member, Refusal):
        return member
    if command.force and not member.supervisor:
        return Refusal(Code.NOT_PERMITTED)
    match held.phase:
        case Talking(agent=agent) if agent == member.agent:
            return Already()
        case Talking() if not command.force:
            return Refusal(Code.ALREADY_ASSIGNED)
        case Offered(agent=agent) if agent == member.agent:
            return [accepted(held, at_ms)]
    if member.full and not command.force:
        return Refusal(Code.AT_CAPACITY)
    forced = member.full or isinstance(held.phase, Talking)
    how = "forced" if forced else "claim"
    taken = ConversationAssigned(at_ms, held.conversation, member.agent, how, None, False, forced, None)
    return [*freed(held, at_ms), taken]


def transfer(roster: Roster, command: TransferConversation, at_ms: int) -> list[AnyRosterEvent] | Refusal | Already:
    """Hand the conversation from its agent, or by a supervisor from anybody or nobody, to another or to a team."""
    held = roster.held.get(command.conversation)
    by = roster.members.get(command.agent)
    if held is None or by is None:
        return Refusal(Code.NOT_FOUND)
    source = held.phase.agent if isinstance(held.phase, Talking) else NOBODY
    if source != by.agent and not by.leads(held.inbox):
        return Refusal(Code.NOT_PERMITTED)
    if command.force and not by.supervisor:
        return Refusal(Code.NOT_PERMITTED)
    if command.team is not None:
        return _to_team(roster, held, command, at_ms)
    return _to_agent(roster, held, command, at_ms)


def _to_agent(
    roster: Roster, held: Held, command: TransferConversation, at_ms: int
) -> list[AnyRosterEvent] | Refusal | Already:
    source = held.phase.agent if isinstance(held.phase, Talking) else NOBODY
    if command.to == source:
        return Already()
    to = _fit(roster, command.to, held.inbox)
    if isinstance(to, Refusal):
        return to
    if to.full and not command.force:
        return Refusal(Code.AT_CAPACITY)
    before = [] if source else freed(held, at_ms)
    forced = source != command.agent or to.full
    moved = (command.agent, source, to.agent, command.note, forced)
    return [*before, ConversationTransferred(at_ms, held.conversation, *moved)]


def _to_team(roster: Roster, held: Held, command: TransferConversation, at_ms: int) -> list[AnyRosterEvent] | Refusal:
    """Let a team be sought, who need not be there now; it must have somebody who may take it at all."""
    team = roster.staffing.team(command.team)
    if team is None:
        return Refusal(Code.NOT_FOUND)
    if not any(_able(roster, agent, held.inbox) for agent in team.members):
        return Refusal(Code.NOT_AVAILABLE)
    forced = not isinstance(held.phase, Talking) or held.phase.agent != command.agent
    return [HandedToTeam(at_ms, held.conversation, command.agent, team.id, command.note, forced)]


def _able(roster: Roster, agent: AgentId, inbox: InboxId) -> bool:
    member = roster.members.get(agent)
    return member is not None and member.seat and inbox in member.inboxes


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
