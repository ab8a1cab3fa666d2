"""Putting conversations before agents: who is asked next, and what the answer, or none, leads to.

Invariant: at rest, nobody who is ready was left unasked for a conversation that waits; and a decision looks only at the
head of a line, the head of a ring, and at who was already asked.
"""

from protocol.bus.commands import AcceptOffer, DeclineOffer, TimerFired
from protocol.bus.decisions import Refusal
from protocol.bus.effects import Reconsider
from protocol.ids import AgentId, ConversationId, OfferId
from protocol.wire.codes import Code
from routing.core.choosing import Choice, by_turn, choose, preferred
from routing.core.events import (
    ConversationAssigned,
    ConversationOffered,
    ConversationRested,
    OfferEnded,
    RoundBegun,
    StateSet,
)
from routing.core.explain import reasons
from routing.core.holding import own_line
from routing.core.lines import Line
from routing.core.log import AnyRosterEvent
from routing.core.presence import Member
from routing.core.queue import Held, Offered, Resting, Waiting
from routing.core.state import Roster


def reconsider(roster: Roster, command: Reconsider, at_ms: int) -> list[AnyRosterEvent]:
    """Ask the next agent for the next conversation of a line; or, for the one named, whom it asked for."""
    if command.conversation:
        return _ask_first(roster, command.conversation, at_ms)
    line = roster.lines.get(command.line)
    if line is None or not line.ring:
        return []
    again = _declined_by_others(roster, line, command.agent)
    if again is not None and command.agent is not None:
        return [put_before(roster, again.conversation, by_turn(roster, line, again, command.agent), at_ms)]
    if not line.waiting:
        return []
    held = roster.held[line.waiting.first()]
    choice = choose(roster, line, held)
    if choice is None:
        until_ms = at_ms + 1000 * line.rule.decline_pause_s
        return [ConversationRested(at_ms, held.conversation, until_ms, reasons(roster, line, held, None))]
    return [put_before(roster, held.conversation, choice, at_ms)]


def _ask_first(roster: Roster, conversation: ConversationId, at_ms: int) -> list[AnyRosterEvent]:
    held = roster.held.get(conversation)
    line = None if held is None else own_line(roster, held)
    if held is None or line is None or not isinstance(held.phase, Waiting):
        return []
    choice = preferred(roster, line, held.wish.first, held)
    return [] if choice is None else [put_before(roster, conversation, choice, at_ms)]


def _declined_by_others(roster: Roster, line: Line, agent: AgentId | None) -> Held | None:
    """Return the first resting conversation that `agent`, who became ready, was not asked for in this round.

    Each resting conversation cost a whole round of answers, so there are few.
    """
    if agent is None or agent not in line.ring:
        return None
    resting = (roster.held[rank[3]] for rank in line.resting.ranks)
    return next((held for held in resting if not roster.was_asked(held, agent)), None)


def put_before(
    roster: Roster, conversation: ConversationId, choice: Choice, at_ms: int
) -> ConversationOffered | ConversationAssigned:
    """Return the event that puts the conversation before the chosen agent in the way the rule says."""
    agent, line, turn, why = choice.agent, choice.line, choice.turn, choice.why
    if line.rule.auto_accept:
        how = "auto" if turn else choice.reason
        return ConversationAssigned(at_ms, conversation, agent, how, None, turn, False, why, line.key)
    # The conversation's end is in it, so that an id reissued after lost data cannot accept another conversation.
    offer = OfferId(f"off_{roster.offers_made + 1}_{conversation[-8:]}")
    deadline_ms = at_ms + 1000 * line.rule.offer_timeout_s
    rule = line.rule.id
    return ConversationOffered(at_ms, offer, conversation, agent, rule, deadline_ms, turn, choice.reason, why, line.key)


def accept(roster: Roster, command: AcceptOffer, at_ms: int) -> list[AnyRosterEvent] | Refusal:
    """Assign what was offered, if the offer is open and this agent's."""
    held = _offered_to(roster, command.offer, command.agent)
    if held is None:
        return Refusal(Code.OFFER_GONE)
    return [accepted(held, at_ms)]


def accepted(held: Held, at_ms: int) -> ConversationAssigned:
    """Return the assignment by which the open offer of `held` is accepted."""
    assert isinstance(held.phase, Offered)
    agent, how, offer = held.phase.agent, held.phase.reason, held.phase.offer
    return ConversationAssigned(at_ms, held.conversation, agent, how, offer, False, False, None)


def decline(roster: Roster, command: DeclineOffer, at_ms: int) -> list[AnyRosterEvent] | Refusal:
    """Let the next agent be asked."""
    held = _offered_to(roster, command.offer, command.agent)
    if held is None:
        return Refusal(Code.OFFER_GONE)
    return [OfferEnded(at_ms, command.offer, held.conversation, command.agent, "declined")]


def expire(roster: Roster, offer: OfferId, at_ms: int) -> list[AnyRosterEvent]:
    """Let the next agent be asked."""
    conversation = roster.offers.get(offer)
    if conversation is None:
        return []
    held = roster.held[conversation]
    assert isinstance(held.phase, Offered)
    member = roster.members[held.phase.agent]
    away = missed(roster, member, held, at_ms)
    rest = [event for event in away if not isinstance(event, OfferEnded) or event.offer != offer]
    return [OfferEnded(at_ms, offer, conversation, member.agent, "expired"), *rest]


def missed(roster: Roster, member: Member, held: Held, at_ms: int) -> list[AnyRosterEvent]:
    """Return what it means that `member` missed `held` too: who misses several in a row is not there, and set away."""
    line = own_line(roster, held)
    if line is None or member.state != "available" or member.expiries + 1 < line.rule.expiries_to_away:
        return []
    return [StateSet(at_ms, member.agent, "away", "expiries"), *withdraw_all(member, at_ms)]


def withdraw_all(member: Member, at_ms: int) -> list[OfferEnded]:
    """Return the end of every open offer of an agent who is not there any more."""
    return [
        OfferEnded(at_ms, offer, conversation, member.agent, "withdrawn")
        for offer, conversation in member.offers.items()
    ]


def begin_round(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    """Let everybody be asked again once the rest is over."""
    held = roster.held.get(ConversationId(timer.key))
    if held is None or not isinstance(held.phase, Resting) or held.phase.generation != timer.generation:
        return []
    return [RoundBegun(at_ms, held.conversation)]


def _offered_to(roster: Roster, offer: OfferId, agent: AgentId) -> Held | None:
    conversation = roster.offers.get(offer)
    held = None if conversation is None else roster.held[conversation]
    mine = held is not None and isinstance(held.phase, Offered) and held.phase.agent == agent
    return held if mine else None
