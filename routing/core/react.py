"""What an event asks of the others in the cell, and of the world.

Invariant: every change is looked at again: whoever became ready, and whatever waits anew, is reconsidered in the step.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from protocol.bus.effects import (
    AgentLost,
    Assign,
    Effect,
    HandOver,
    Inner,
    NumberTicket,
    Overflowed,
    Reconsider,
    TellPlace,
)
from protocol.ids import AgentId, ConversationId
from protocol.wire.content import Author, Role
from routing.core import events, seeking, timers
from routing.core.decided import figure_of
from routing.core.feeds import inbox_change, offer_change, released_change, rule_changes, state_change, work_change
from routing.core.holding import lines_of
from routing.core.lines import EXACT_PLACES, Line
from routing.core.log import AnyRosterEvent
from routing.core.presence import READY
from routing.core.queue import SEEKING, Held, Talking, Waiting
from routing.core.state import Roster

Reaction: TypeAlias = Inner | Effect

NOBODY = ConversationId("")  # what is asked of a line is about no conversation
NEW = ("started", "returned", "reopened")


def react(roster: Roster, event: AnyRosterEvent) -> list[Reaction]:
    """Return what follows from `event`, once it was evolved."""
    asked = list(_BECAUSE[type(event)](roster, event))
    if roster.last.timers:
        asked += timers.changes(roster)
    if roster.last.rules:
        asked += rule_changes(roster)
    figure = figure_of(roster.account, event)
    if figure is not None:
        asked.append(figure)
    return asked


def _staffing(roster: Roster, _event: events.StaffingTaken) -> Iterator[Reaction]:
    for held in roster.held.values():
        if held.line not in roster.lines and type(held.phase) in SEEKING:
            yield seeking.again(roster, held, "rule_gone")
        yield from _first(roster, held)
    for agent in roster.last.agents:
        yield state_change(roster, agent)
    for line in roster.lines.values():
        yield from _again(roster, line, None)


def _door_turned(roster: Roster, event: events.DoorTurned) -> Iterator[Reaction]:
    door = roster.doors[event.hours]
    waiting = [roster.held[conversation] for conversation in door.inside]
    for agent in door.workers:
        yield state_change(roster, agent)
    for held in sorted(waiting, key=lambda held: held.rank):
        yield from _first(roster, held)
    for key in dict.fromkeys(line.key for held in waiting for line in lines_of(roster, held)):
        yield from _again(roster, roster.lines[key], None)
    for agent in door.workers:
        yield from _ready(roster, agent)


def _first(roster: Roster, held: Held) -> Iterator[Reaction]:
    """Yield a look at whom a conversation asked for before all others."""
    if held.wish.first and isinstance(held.phase, Waiting) and not held.asked:
        yield Reconsider(roster.account, held.conversation, held.line)


def _arrived(roster: Roster, event: events.AgentArrived) -> Iterator[Reaction]:
    yield state_change(roster, event.agent)
    yield from _ready(roster, event.agent)


def _left(roster: Roster, event: events.AgentLeft) -> Iterator[Reaction]:
    if event.last:
        yield state_change(roster, event.agent)


def _gateway_ended(roster: Roster, event: events.GatewayEnded) -> Iterator[Reaction]:
    for agent in event.gone:
        yield state_change(roster, agent)


def _state_set(roster: Roster, event: events.StateSet) -> Iterator[Reaction]:
    yield state_change(roster, event.agent)
    yield from _ready(roster, event.agent)


def _given_up(roster: Roster, event: events.AgentGivenUp) -> Iterator[Reaction]:
    for conversation in event.conversations:
        yield AgentLost(roster.account, conversation, event.agent)


def _queued(roster: Roster, event: events.Queued) -> Iterator[Reaction]:
    yield inbox_change(roster, event.conversation, "new" if event.cause in NEW else "waiting")
    if event.place:
        yield _told(roster, roster.held[event.conversation].line, event.conversation, event.place)
    if event.left is not None and event.left != event.line:
        yield from _line(roster, event.left)
    yield from _lines(roster, event.conversation)


def _unrouted(roster: Roster, event: events.Unrouted) -> Iterator[Reaction]:
    yield inbox_change(roster, event.conversation, "new")
    if event.left is not None:
        yield from _line(roster, event.left)


def _reminded(roster: Roster, event: events.Reminded) -> Iterator[Reaction]:
    yield inbox_change(roster, event.conversation, "waiting")
    if event.supervisors:
        yield Overflowed(roster.account, event.conversation)


def _weighed(roster: Roster, event: events.ConversationWeighed) -> Iterator[Reaction]:
    phase = roster.held[event.conversation].phase
    assert isinstance(phase, Talking)
    yield from _ready(roster, phase.agent)


def _overflowed(roster: Roster, event: events.ConversationOverflowed) -> Iterator[Reaction]:
    yield Overflowed(roster.account, event.conversation)
    yield from _lines(roster, event.conversation)


def _offered(roster: Roster, event: events.ConversationOffered) -> Iterator[Reaction]:
    yield offer_change(roster, event.agent, event.offer, "offered")
    yield inbox_change(roster, event.conversation, "waiting")
    yield from _again(roster, roster.lines[event.line or event.rule], event.agent)


def _offer_ended(roster: Roster, event: events.OfferEnded) -> Iterator[Reaction]:
    yield offer_change(roster, event.agent, event.offer, "withdrawn")
    yield inbox_change(roster, event.conversation, "waiting")
    yield from _lines(roster, event.conversation)
    yield from _ready(roster, event.agent)


def _assigned(roster: Roster, event: events.ConversationAssigned) -> Iterator[Reaction]:
    if event.offer is not None:
        yield offer_change(roster, event.agent, event.offer, "withdrawn")
    yield work_change(roster, event.agent, event.conversation, "assigned")
    yield inbox_change(roster, event.conversation, "claimed")
    yield Assign(roster.account, event.conversation, _author(roster, event.agent), event.how)
    for line in lines_of(roster, roster.held[event.conversation]):
        yield from _again(roster, line, event.agent)


def _transferred(roster: Roster, event: events.ConversationTransferred) -> Iterator[Reaction]:
    if event.source:
        yield work_change(roster, event.source, event.conversation, "taken")
    yield work_change(roster, event.to, event.conversation, "assigned")
    yield inbox_change(roster, event.conversation, "claimed")
    by, to = _author(roster, event.by), _author(roster, event.to)
    yield HandOver(roster.account, event.conversation, by, to, event.note, None, event.forced)
    if event.source:
        yield from _ready(roster, event.source)


def _to_team(roster: Roster, event: events.HandedToTeam) -> Iterator[Reaction]:
    by, nobody = _author(roster, event.by), Author(Role.AGENT, "")
    yield HandOver(roster.account, event.conversation, by, nobody, event.note, event.team, event.forced)


def _freed(roster: Roster, event: events.AgentFreed) -> Iterator[Reaction]:
    yield work_change(roster, event.agent, event.conversation, "taken")
    yield from _ready(roster, event.agent)


def _released(roster: Roster, event: events.ConversationReleased) -> Iterator[Reaction]:
    yield released_change(roster, event)
    if event.agent is None:
        return
    if event.offer is not None:
        yield offer_change(roster, event.agent, event.offer, "withdrawn")
    else:
        yield work_change(roster, event.agent, event.conversation, "taken")
    yield from _ready(roster, event.agent)


def _looked_at(roster: Roster, event: events.ConversationRested | events.RoundBegun) -> Iterator[Reaction]:
    yield from _lines(roster, event.conversation)


def _places_told(roster: Roster, event: events.PlacesTold) -> Iterator[Reaction]:
    for conversation, place in event.places:
        yield _told(roster, event.line, conversation, place)


def _numbered(roster: Roster, event: events.TicketNumbered) -> Iterator[Reaction]:
    yield NumberTicket(roster.account, event.conversation, event.number)


def _nothing(_roster: Roster, _event: AnyRosterEvent) -> Iterator[Reaction]:
    return iter(())


def _told(roster: Roster, key: str, conversation: ConversationId, place: int) -> TellPlace:
    line = roster.lines.get(key)
    return TellPlace(conversation, place, place <= EXACT_PLACES, None if line is None else line.wait_s)


def _lines(roster: Roster, conversation: ConversationId) -> Iterator[Reaction]:
    """Yield a further look at every line that may ask for a conversation."""
    for line in lines_of(roster, roster.held[conversation]):
        yield from _again(roster, line, None)


def _line(roster: Roster, key: str) -> Iterator[Reaction]:
    if key in roster.lines:
        yield from _again(roster, roster.lines[key], None)


def _again(roster: Roster, line: Line, agent: AgentId | None) -> Iterator[Reaction]:
    """Yield a further look at `line` if somebody may be asked for something there."""
    ring, ready = line.ring.turn_of, None
    if agent is not None and agent in ring:
        ready = agent
    if (line.waiting.ranks and ring) or (line.resting.ranks and ready is not None):
        yield Reconsider(roster.account, NOBODY, line.key, ready)


def _ready(roster: Roster, agent: AgentId) -> Iterator[Reaction]:
    """Yield a look at every line in which `agent` may be asked, that of the first in rank first."""
    member = roster.members[agent]
    if member.standing is not READY:
        return
    lines = [line for key in member.lines if (line := roster.lines[key]).waiting.ranks or line.resting.ranks]
    if len(lines) > 1:
        lines.sort(key=lambda line: min(line.waiting.ranks[:1] + line.resting.ranks[:1]))
    for line in lines:
        yield from _again(roster, line, agent)


def _author(roster: Roster, agent: AgentId) -> Author:
    return Author(Role.AGENT, agent, roster.members[agent].name)


_BECAUSE: dict[type, Callable[[Roster, Any], Iterator[Reaction]]] = {
    events.StaffingTaken: _staffing,
    events.DoorTurned: _door_turned,
    events.AgentArrived: _arrived,
    events.AgentLeft: _left,
    events.GatewayEnded: _gateway_ended,
    events.StateSet: _state_set,
    events.AgentGivenUp: _given_up,
    events.Queued: _queued,
    events.Unrouted: _unrouted,
    events.Reminded: _reminded,
    events.PriorityChanged: _nothing,  # another place, and nobody more to ask
    events.Aged: _nothing,
    events.ConversationOverflowed: _overflowed,
    events.ConversationWeighed: _weighed,
    events.ConversationOffered: _offered,
    events.OfferEnded: _offer_ended,
    events.ConversationAssigned: _assigned,
    events.ConversationTransferred: _transferred,
    events.HandedToTeam: _to_team,
    events.AgentFreed: _freed,
    events.ConversationReleased: _released,
    events.ConversationRested: _looked_at,
    events.RoundBegun: _looked_at,
    events.PlacesTold: _places_told,
    events.ReplyNoted: _nothing,
    events.RepliesForgotten: _nothing,
    events.TicketNumbered: _numbered,
}
