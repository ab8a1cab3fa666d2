"""The roster's deadlines, as timers of the cell.

Invariant: whatever waits on time has its timer, and a timer whose generation is not the present one does nothing.
"""

from protocol.bus.commands import TimerFired
from protocol.bus.effects import CancelTimer, SetTimer
from protocol.ids import OfferId
from routing.core.presence import Member
from routing.core.queue import Held, Line, Offered, Resting
from routing.core.state import TIMER_OWNER, Roster

ONLY = 1  # an offer's id is never used twice, so its timer needs no other generation


def for_offer(roster: Roster, offer: OfferId, deadline_ms: int) -> SetTimer:
    return SetTimer(deadline_ms, _fires(roster, "offer", offer, ONLY))


def no_offer(roster: Roster, offer: OfferId) -> CancelTimer:
    return CancelTimer(_fires(roster, "offer", offer, ONLY))


def for_held(roster: Roster, held: Held) -> list[SetTimer]:
    """Return the timer of a conversation's phase, if it has one."""
    match held.phase:
        case Offered(offer=offer, deadline_ms=deadline_ms):
            return [for_offer(roster, offer, deadline_ms)]
        case Resting(until_ms=until_ms, generation=generation):
            return [SetTimer(until_ms, _fires(roster, "retry", held.conversation, generation))]
    return []


def for_member(roster: Roster, member: Member) -> list[SetTimer]:
    """Return the timer of an agent's grace, if it runs."""
    if member.grace is None:
        return []
    return [SetTimer(member.grace.due_ms, _fires(roster, "grace", member.agent, member.grace.generation))]


def for_line(roster: Roster, line: Line) -> list[SetTimer]:
    """Return the timer of a line's next round of places, if one is due."""
    if line.round is None:
        return []
    return [SetTimer(line.round.due_ms, _fires(roster, "places", line.rule.id, line.round.generation))]


def deadlines(roster: Roster) -> list[SetTimer]:
    """Return every timer that must be pending, for a rebuild."""
    held = [timer for one in roster.held.values() for timer in for_held(roster, one)]
    graces = [timer for member in roster.members.values() for timer in for_member(roster, member)]
    return held + graces + [timer for line in roster.lines.values() for timer in for_line(roster, line)]


def _fires(roster: Roster, kind: str, key: str, generation: int) -> TimerFired:
    return TimerFired(roster.account, TIMER_OWNER, kind, key, generation)
