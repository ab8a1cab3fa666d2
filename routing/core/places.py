"""Places in line and how long one waits there, as visitors are told.

Invariant: exact for the first ten, rounded up after; nobody is told more often than once in ten seconds. Telling them
is the one thing that walks a line, on its own timer.
"""

from protocol.bus.commands import TimerFired
from protocol.ids import ConversationId
from routing.core.events import PlacesTold
from routing.core.lines import PLACES_PAUSE_MS, Line, shown
from routing.core.log import AnyRosterEvent
from routing.core.queue import Rank, aged
from routing.core.state import Roster


def first_place(roster: Roster, line: Line | None, rank: Rank, at_ms: int) -> int:
    """Return the place to tell who joins at `rank` at once; 0: assigned in this very step, or told too recently."""
    before = roster.held.get(rank[3])
    if before is not None and before.told is not None and at_ms - before.told[1] < PLACES_PAUSE_MS:
        return 0
    if line is None:
        return 1
    return 0 if line.rule.auto_accept and line.ring else shown(line.everyone.place(rank))


def rank_of(line: Line | None, conversation: ConversationId, since_ms: int, joins: tuple[int, int, int]) -> Rank:
    """Return the rank that a conversation will have in `line`; `joins`: its priority, the roster's seq, and now."""
    priority, seq, at_ms = joins
    step_ms = 1000 * line.rule.ageing_s if line is not None else 0
    return (-aged(priority, at_ms - since_ms, step_ms), since_ms, seq, conversation)


def tell_places(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    """Tell everybody in a line whose shown place changed."""
    line = roster.lines.get(timer.key)
    if line is None or line.round is None or line.round.generation != timer.generation:
        return []
    places, again = [], False
    for number, rank in enumerate(line.everyone.ranks, 1):
        told = roster.held[rank[3]].told
        if told is not None and told[0] == shown(number):
            continue
        if told is not None and at_ms - told[1] < PLACES_PAUSE_MS:
            again = True
        else:
            places.append((rank[3], shown(number)))
    return [PlacesTold(at_ms, line.key, places, again)]
