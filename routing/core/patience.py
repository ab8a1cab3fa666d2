"""What waiting leads to: conversations rise, overflow into a team, and are called out when nobody is sought for them.

Invariant: each has its own timer, so that nothing walks a line; a timer that is no longer meant does nothing.
"""

from protocol.bus.commands import TimerFired
from protocol.bus.effects import Reprioritise, Weigh
from protocol.bus.staff import PRIORITIES
from protocol.ids import ConversationId, InboxId
from routing.core.configured import Staffing
from routing.core.events import (
    Aged,
    ConversationOverflowed,
    ConversationWeighed,
    PriorityChanged,
    Reminded,
)
from routing.core.holding import own_line, put, renew
from routing.core.log import AnyRosterEvent
from routing.core.manning import line_at
from routing.core.queue import LINED, NORMAL, Held, Resting, Talking, Unassigned, Waiting
from routing.core.state import Roster

LONGEST_MS = 86_400_000  # between two reminders


def level_of(priority: str) -> int:
    """Return a priority as a level, 0 low … 3 urgent; what is unknown is normal."""
    return next((level for level, name in enumerate(PRIORITIES) if name == priority), NORMAL)


def age(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    """Let a conversation that waited long enough rise by a level."""
    held = _meant(roster, timer)
    return [Aged(at_ms, held.conversation)] if held is not None and held.ages_ms else []


def overflow(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    """Let a conversation that waited too long ask for more than its rule's agents."""
    held = _meant(roster, timer)
    return [ConversationOverflowed(at_ms, held.conversation)] if held is not None and held.overflow_ms else []


def _meant(roster: Roster, timer: TimerFired) -> Held | None:
    """Return the conversation in line whose timer it is."""
    held = roster.held.get(ConversationId(timer.key))
    meant = held is not None and held.number == timer.generation and type(held.phase) in LINED
    return held if meant else None


def overflowed(roster: Roster, event: ConversationOverflowed) -> None:
    """Let the overflow team be asked too; the place in the conversation's own line is kept."""
    held = roster.held[event.conversation]
    line = own_line(roster, held)
    assert line is not None
    phase, team = held.phase, line.rule.overflow.team
    held.overflowed = True
    renew(roster, held, event.at_ms)
    if team is None or roster.staffing.team(team) is None or team == line.team:
        return
    also = line_at(roster, line.rule, team)
    held.also = also.key
    if isinstance(phase, Waiting):
        also.waiting.add(held.rank)
    elif isinstance(phase, Resting):
        also.resting.add(held.rank)
        put(roster, held, Waiting(), event.at_ms)


def remind(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    """Tell everybody of the inbox again that nobody has it; and in time, its supervisors."""
    held = roster.held.get(ConversationId(timer.key))
    if held is None or not isinstance(held.phase, Unassigned) or held.phase.generation != timer.generation:
        return []
    phase = held.phase
    inbox = roster.staffing.inbox(held.inbox)
    due_ms = phase.since_ms + 1000 * inbox.supervisors_s if inbox is not None and inbox.supervisors_s else 0
    supervisors = phase.supervisors or 0 < due_ms <= at_ms
    next_ms = next_reminder(roster.staffing, held.inbox, phase.since_ms, at_ms)
    return [Reminded(at_ms, held.conversation, supervisors, next_ms)]


def next_reminder(staffing: Staffing, inbox_id: InboxId, since_ms: int, at_ms: int) -> int:
    """Return when an unassigned conversation is told of next; 0: never.

    After `remind_s`, then after as long as it has been so, at most a day; and at `supervisors_s` in any case.
    """
    inbox = staffing.inbox(inbox_id)
    if inbox is None:
        return 0
    remind_ms, supervisors_ms = 1000 * inbox.remind_s, since_ms + 1000 * inbox.supervisors_s
    due = [at_ms + min(max(remind_ms, at_ms - since_ms), LONGEST_MS)] if remind_ms else []
    if inbox.supervisors_s and supervisors_ms > at_ms:
        due.append(supervisors_ms)
    return min(due, default=0)


def reprioritise(roster: Roster, command: Reprioritise, at_ms: int) -> list[AnyRosterEvent]:
    """Let somebody's word on a conversation's priority count."""
    held, priority = roster.held.get(command.conversation), level_of(command.priority)
    if held is None or held.priority == priority:
        return []
    return [PriorityChanged(at_ms, held.conversation, priority)]


def weigh(roster: Roster, command: Weigh, at_ms: int) -> list[AnyRosterEvent]:
    """Let a conversation count for its agent, or not: a return may lift the count above what routing would."""
    held = roster.held.get(command.conversation)
    if held is None or not isinstance(held.phase, Talking) or held.counts == command.counts:
        return []
    return [ConversationWeighed(at_ms, held.conversation, command.counts)]
