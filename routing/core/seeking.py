"""Conversations asking for an agent, or for none any more; and their places in line.

Invariant: a conversation that seeks an agent is in a line, offered, assigned or claimable after every decision.
"""

from protocol.bus.commands import TimerFired
from protocol.bus.effects import Release, Seek
from protocol.ids import RuleId
from routing.core.events import (
    AgentFreed,
    AnyRosterEvent,
    ConversationReleased,
    OfferEnded,
    PlacesTold,
    Queued,
    Unrouted,
)
from routing.core.explain import preference, reasons
from routing.core.offers import Choice, put_before
from routing.core.queue import PLACES_PAUSE_MS, Held, Line, Offered, Talking, shown
from routing.core.state import Roster

LOST = "agent_lost"


def seek(roster: Roster, command: Seek, at_ms: int) -> list[AnyRosterEvent]:
    """Queue the conversation, or leave it open to claims; the agent who talked last is asked first."""
    held = roster.held.get(command.conversation)
    line = roster.line_for(command.rule, command.inbox)
    if held is not None and _sought_already(held, line):
        return []
    events = [] if held is None else _freed(held, at_ms)
    if line is None:
        left = None if held is None else held.rule
        return [*events, Unrouted(at_ms, command.conversation, command.inbox, command.since_ms, left)]
    events.append(_queued(roster, line, command, at_ms))
    preferred = command.prefer and roster.members.get(command.prefer)
    if preferred and preferred.may_take(command.inbox):
        choice = Choice(preferred.agent, False, "last_agent", preference(roster, preferred.agent))
        events.append(put_before(roster, line, command.conversation, choice, at_ms))
    return events


def _sought_already(held: Held, line: Line | None) -> bool:
    if isinstance(held.phase, Talking):
        return False
    return held.rule == (None if line is None else line.rule.id)


def _freed(held: Held, at_ms: int) -> list[AnyRosterEvent]:
    """Return what ends the present hold of an agent on `held`, if there is one."""
    match held.phase:
        case Talking(agent=agent):
            return [AgentFreed(at_ms, held.conversation, agent)]
        case Offered(offer=offer, agent=agent):
            return [OfferEnded(at_ms, offer, held.conversation, agent, "withdrawn")]
    return []


def _queued(roster: Roster, line: Line, command: Seek, at_ms: int) -> Queued:
    held = roster.held.get(command.conversation)
    return Queued(
        at_ms,
        command.conversation,
        command.inbox,
        line.rule.id,
        command.since_ms,
        command.reason,
        # A lost agent who comes back is welcome to it again; anybody else to avoid counts as asked in this round.
        None if command.reason == LOST else command.avoid,
        None if held is None else held.rule,
        _first_place(roster, line, command, at_ms),
        None if line.ring else reasons(roster, line, None, None),
    )


def _first_place(roster: Roster, line: Line, command: Seek, at_ms: int) -> int:
    """Return the place to tell at once, or 0: assigned in this very step, or told too recently."""
    before = roster.held.get(command.conversation)
    recent = before is not None and before.told is not None and at_ms - before.told[1] < PLACES_PAUSE_MS
    if recent or (line.rule.auto_accept and line.ring):
        return 0
    return shown(line.everyone.place((command.since_ms, roster.seq + 1, command.conversation)))


def release(roster: Roster, command: Release, at_ms: int) -> list[AnyRosterEvent]:
    """Forget a conversation that is closed or parked, and free its agent."""
    held = roster.held.get(command.conversation)
    if held is None:
        return []
    agent = held.phase.agent if isinstance(held.phase, Offered | Talking) else None
    offer = held.phase.offer if isinstance(held.phase, Offered) else None
    return [ConversationReleased(at_ms, held.conversation, held.inbox, held.rule, agent, offer)]


def tell_places(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    """Tell everybody in a line whose shown place changed. The one thing that walks a line: once in 10 s, on its own."""
    line = roster.lines.get(RuleId(timer.key))
    if line is None or line.round is None or line.round.generation != timer.generation:
        return []
    places, again = [], False
    for number, (_, _, conversation) in enumerate(line.everyone.ranks, 1):
        told = roster.held[conversation].told
        if told is not None and told[0] == shown(number):
            continue
        if told is not None and at_ms - told[1] < PLACES_PAUSE_MS:
            again = True
        else:
            places.append((conversation, shown(number)))
    return [PlacesTold(at_ms, line.rule.id, places, again)]
