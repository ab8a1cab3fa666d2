"""What an event asks of the others in the cell, and of the world.

Invariant: every change is looked at again: whoever became ready, and whatever waits anew, is reconsidered in the step.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from protocol.bus.effects import AgentLost, Assign, Effect, HandOver, Inner, Reconsider, Seek, TellPlace
from protocol.ids import AgentId, ConversationId, RuleId
from protocol.wire.content import Author, Role
from routing.core import events, timers
from routing.core.events import AnyRosterEvent
from routing.core.feeds import inbox_change, offer_change, released_change, state_change, work_change
from routing.core.holding import LINED
from routing.core.presence import Standing
from routing.core.queue import EXACT_PLACES, Line
from routing.core.state import Roster

Reaction: TypeAlias = Inner | Effect

NOBODY = ConversationId("")  # what is asked of the roster itself is about no conversation
NEW = ("started", "returned", "reopened")


def react(roster: Roster, event: AnyRosterEvent) -> list[Reaction]:
    """Return what follows from `event`, once it was evolved."""
    return list(_BECAUSE[type(event)](roster, event))


def _staffing(roster: Roster, _event: events.StaffingTaken) -> Iterator[Reaction]:
    for held in roster.held.values():
        if held.rule is not None and held.rule not in roster.lines and isinstance(held.phase, LINED):
            yield Seek(roster.account, held.conversation, held.inbox, held.rule, held.since_ms, "rule_gone")
    for line in roster.lines.values():
        yield from _again(roster, line, None)


def _arrived(roster: Roster, event: events.AgentArrived) -> Iterator[Reaction]:
    yield state_change(roster, event.agent)
    yield from _ready(roster, event.agent)


def _left(roster: Roster, event: events.AgentLeft) -> Iterator[Reaction]:
    if event.last:
        yield from _gone(roster, event.agent)


def _gateway_ended(roster: Roster, event: events.GatewayEnded) -> Iterator[Reaction]:
    for agent in event.gone:
        yield from _gone(roster, agent)


def _gone(roster: Roster, agent: AgentId) -> Iterator[Reaction]:
    yield state_change(roster, agent)
    yield from timers.for_member(roster, roster.members[agent])


def _state_set(roster: Roster, event: events.StateSet) -> Iterator[Reaction]:
    yield state_change(roster, event.agent)
    yield from _ready(roster, event.agent)


def _given_up(roster: Roster, event: events.AgentGivenUp) -> Iterator[Reaction]:
    for conversation in event.conversations:
        yield AgentLost(roster.account, conversation, event.agent)


def _queued(roster: Roster, event: events.Queued) -> Iterator[Reaction]:
    yield inbox_change(roster, event.conversation, "new" if event.cause in NEW else "waiting")
    if event.place:
        yield TellPlace(event.conversation, event.place, event.place <= EXACT_PLACES)
    if event.left != event.rule:
        yield from _line(roster, event.left, event.at_ms)
    yield from _line(roster, event.rule, event.at_ms)


def _unrouted(roster: Roster, event: events.Unrouted) -> Iterator[Reaction]:
    yield inbox_change(roster, event.conversation, "new")
    yield from _line(roster, event.left, event.at_ms)


def _offered(roster: Roster, event: events.ConversationOffered) -> Iterator[Reaction]:
    yield timers.for_offer(roster, event.offer, event.deadline_ms)
    yield offer_change(roster, event.agent, event.offer, "offered")
    yield inbox_change(roster, event.conversation, "waiting")
    yield from _again(roster, roster.lines[event.rule], event.agent)


def _offer_ended(roster: Roster, event: events.OfferEnded) -> Iterator[Reaction]:
    yield timers.no_offer(roster, event.offer)
    yield offer_change(roster, event.agent, event.offer, "withdrawn")
    yield inbox_change(roster, event.conversation, "waiting")
    yield from _line(roster, roster.held[event.conversation].rule, event.at_ms)
    yield from _ready(roster, event.agent)


def _assigned(roster: Roster, event: events.ConversationAssigned) -> Iterator[Reaction]:
    if event.offer is not None:
        yield timers.no_offer(roster, event.offer)
        yield offer_change(roster, event.agent, event.offer, "withdrawn")
    yield work_change(roster, event.agent, event.conversation, "assigned")
    yield inbox_change(roster, event.conversation, "claimed")
    yield Assign(roster.account, event.conversation, _author(roster, event.agent), event.how)
    yield from _line(roster, roster.held[event.conversation].rule, event.at_ms, event.agent)


def _transferred(roster: Roster, event: events.ConversationTransferred) -> Iterator[Reaction]:
    yield work_change(roster, event.source, event.conversation, "taken")
    yield work_change(roster, event.to, event.conversation, "assigned")
    yield inbox_change(roster, event.conversation, "claimed")
    yield HandOver(roster.account, event.conversation, _author(roster, event.by), _author(roster, event.to), event.note)
    yield from _ready(roster, event.source)


def _freed(roster: Roster, event: events.AgentFreed) -> Iterator[Reaction]:
    yield work_change(roster, event.agent, event.conversation, "taken")
    yield from _ready(roster, event.agent)


def _released(roster: Roster, event: events.ConversationReleased) -> Iterator[Reaction]:
    yield released_change(roster, event)
    yield from _line(roster, event.rule, event.at_ms)
    if event.agent is None:
        return
    if event.offer is not None:
        yield timers.no_offer(roster, event.offer)
        yield offer_change(roster, event.agent, event.offer, "withdrawn")
    else:
        yield work_change(roster, event.agent, event.conversation, "taken")
    yield from _ready(roster, event.agent)


def _rested(roster: Roster, event: events.ConversationRested) -> Iterator[Reaction]:
    held = roster.held[event.conversation]
    yield from timers.for_held(roster, held)
    yield from _line(roster, held.rule, event.at_ms)


def _round_begun(roster: Roster, event: events.RoundBegun) -> Iterator[Reaction]:
    yield from _line(roster, roster.held[event.conversation].rule, event.at_ms)


def _places_told(roster: Roster, event: events.PlacesTold) -> Iterator[Reaction]:
    for conversation, place in event.places:
        yield TellPlace(conversation, place, place <= EXACT_PLACES)
    yield from timers.for_line(roster, roster.lines[event.rule])


def _line(roster: Roster, rule: RuleId | None, at_ms: int, agent: AgentId | None = None) -> Iterator[Reaction]:
    """Yield what a change of a rule's line asks for: places told again, and its next conversation looked at."""
    line = None if rule is None else roster.lines.get(rule)
    if line is None:
        return
    if line.round is not None and line.round.set_ms == at_ms:
        yield from timers.for_line(roster, line)
    yield from _again(roster, line, agent)


def _again(roster: Roster, line: Line, agent: AgentId | None) -> Iterator[Reaction]:
    """Yield a further look at `line` if somebody may be asked for something there."""
    ready = agent if agent is not None and agent in line.ring else None
    if (line.waiting and line.ring) or (line.resting and ready is not None):
        yield Reconsider(roster.account, NOBODY, line.rule.id, ready)


def _ready(roster: Roster, agent: AgentId) -> Iterator[Reaction]:
    """Yield a look at every line in which `agent` may be asked, the longest waiting conversation first."""
    member = roster.members[agent]
    if member.standing is not Standing.READY:
        return
    lines = [line for line in (roster.lines[rule] for rule in member.rules) if line.waiting or line.resting]
    lines.sort(key=lambda line: min(line.waiting.ranks[:1] + line.resting.ranks[:1]))
    for line in lines:
        yield from _again(roster, line, agent)


def _author(roster: Roster, agent: AgentId) -> Author:
    return Author(Role.AGENT, agent, roster.members[agent].name)


_BECAUSE: dict[type, Callable[[Roster, Any], Iterator[Reaction]]] = {
    events.StaffingTaken: _staffing,
    events.AgentArrived: _arrived,
    events.AgentLeft: _left,
    events.GatewayEnded: _gateway_ended,
    events.StateSet: _state_set,
    events.AgentGivenUp: _given_up,
    events.Queued: _queued,
    events.Unrouted: _unrouted,
    events.ConversationOffered: _offered,
    events.OfferEnded: _offer_ended,
    events.ConversationAssigned: _assigned,
    events.ConversationTransferred: _transferred,
    events.AgentFreed: _freed,
    events.ConversationReleased: _released,
    events.ConversationRested: _rested,
    events.RoundBegun: _round_begun,
    events.PlacesTold: _places_told,
}
