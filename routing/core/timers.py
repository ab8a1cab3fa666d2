"""The roster's deadlines, as timers of the cell.

Invariant: whatever waits on time has its timer, and a timer whose generation is not the present one does nothing.
"""

from collections.abc import Iterator

from protocol.bus.commands import TimerFired
from protocol.bus.effects import CancelTimer, SetTimer
from protocol.ids import HoursId, InboxId
from routing.core.lines import Line
from routing.core.presence import Member
from routing.core.queue import LINED, Held, Offered, Resting, Unassigned
from routing.core.replies import Replies
from routing.core.state import TIMER_OWNER, Door, Roster, TimerKey, Timers

ONLY = 1  # an offer's id is never used twice, so its timer needs no other generation


def of_held(held: Held) -> Timers:
    """Return the timers of a conversation: those of its phase, and while it is in line, those of its patience."""
    timers: Timers = {}
    phase = held.phase
    if type(phase) is Offered:
        timers["offer", phase.offer, ONLY] = phase.deadline_ms
    elif type(phase) is Resting:
        timers["retry", held.conversation, phase.generation] = phase.until_ms
    elif type(phase) is Unassigned and phase.remind_ms:
        timers["remind", held.conversation, phase.generation] = phase.remind_ms
    if type(phase) in LINED:
        if held.ages_ms:
            timers["ageing", held.conversation, held.number] = held.ages_ms
        if held.overflow_ms:
            timers["overflow", held.conversation, held.number] = held.overflow_ms
    return timers


def of_member(member: Member) -> Timers:
    """Return the timer of an agent's grace, if it runs."""
    grace = member.grace
    return {} if grace is None else {("grace", member.agent, grace.generation): grace.due_ms}


def of_line(line: Line) -> Timers:
    """Return the timer of a line's next round of places, if one is due."""
    return {} if line.round is None else {("places", line.key, line.round.generation): line.round.due_ms}


def of_door(hours: HoursId, door: Door) -> Timers:
    """Return the timer of hours' next turn."""
    return {("opening", hours, door.generation): door.turns_ms}


def of_replies(inbox: InboxId, replies: Replies) -> Timers:
    """Return the timer by which an inbox's oldest reply is forgotten, if there is one."""
    return {("replies", inbox, replies.generation): replies.forget_ms} if replies.last else {}


def deadlines(roster: Roster) -> list[SetTimer]:
    """Return every timer that must be pending, for a rebuild."""
    pending: Timers = {}
    for held in roster.held.values():
        pending |= of_held(held)
    for member in roster.members.values():
        pending |= of_member(member)
    for line in roster.lines.values():
        pending |= of_line(line)
    for hours, door in roster.doors.items():
        pending |= of_door(hours, door)
    for inbox, replies in roster.replies.items():
        pending |= of_replies(inbox, replies)
    return [SetTimer(due_ms, _fires(roster, timer)) for timer, due_ms in pending.items()]


def changes(roster: Roster) -> Iterator[SetTimer | CancelTimer]:
    """Yield what the last event did to timers."""
    for timer, due_ms in roster.last.timers.items():
        yield SetTimer(due_ms, _fires(roster, timer)) if due_ms else CancelTimer(_fires(roster, timer))


def _fires(roster: Roster, timer: TimerKey) -> TimerFired:
    return TimerFired(roster.account, TIMER_OWNER, *timer)
