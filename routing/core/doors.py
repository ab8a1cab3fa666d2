"""Hours that begin and end: of shops, outside which conversations are kept back, and of agents' work.

Invariant: nobody is asked for a conversation while its door is shut, and no agent while their own is. Each door has one
timer, and the cell's clock is read nowhere but when it turns or when a configuration comes.
"""

from protocol.bus.commands import TimerFired
from protocol.ids import HoursId
from routing.core import timers
from routing.core.configured import DoorState, door_at
from routing.core.events import DoorTurned
from routing.core.holding import own_line, put, settle, stir
from routing.core.log import AnyRosterEvent
from routing.core.offers import withdraw_all
from routing.core.queue import SEEKING, Held, Resting, UntilOpen, Waiting
from routing.core.state import Door, Roster


def turn(roster: Roster, timer: TimerFired, at_ms: int) -> list[AnyRosterEvent]:
    """Let hours begin or end; open offers of those whose work is over go on at once."""
    door = roster.doors.get(HoursId(timer.key))
    if door is None or door.generation != timer.generation:
        return []
    hours = next(one for one in roster.staffing.hours if one.id == timer.key)
    turned = DoorTurned(at_ms, *door_at(hours, at_ms))
    gone = [] if turned.open else [roster.members[agent] for agent in door.workers]
    return [turned, *(event for member in gone for event in withdraw_all(member, at_ms))]


def evolve(roster: Roster, event: DoorTurned) -> None:
    """Make true what follows from hours having turned."""
    door = roster.doors[event.hours]
    before = timers.of_door(event.hours, door)
    door.open, door.turns_ms, door.generation = event.open, event.turns_ms, roster.seq
    roster.change_timers(before, timers.of_door(event.hours, door))
    for agent in door.workers:
        member = roster.members[agent]
        member.off_shift = not door.open
        if door.open:
            member.back_seq = roster.seq
        settle(roster, member)
    for conversation in list(door.inside):
        obey(roster, roster.held[conversation], event.at_ms)


def obey(roster: Roster, held: Held, at_ms: int) -> None:
    """Keep a conversation back, or let agents be asked for it, as its door says. An open offer is left to its end."""
    shut = roster.is_shut(held)
    if shut and isinstance(held.phase, Waiting | Resting):
        put(roster, held, UntilOpen(), at_ms)
    elif not shut and isinstance(held.phase, UntilOpen):
        held.from_ms, held.asked = at_ms, {}
        put(roster, held, Waiting(), at_ms)
        line = own_line(roster, held)
        if line is not None:
            stir(roster, line, at_ms)  # nobody was told a place while it was shut


def hang(roster: Roster, doors: list[DoorState]) -> None:
    """Take over how all hours stand, who works when, and who waits inside which."""
    before = roster.doors
    roster.doors = {hours: Door(is_open, turns_ms, roster.seq) for hours, is_open, turns_ms in doors}
    for held in roster.held.values():
        if held.wish.hours in roster.doors and type(held.phase) in SEEKING:
            roster.doors[held.wish.hours].inside[held.conversation] = True
    for member in roster.members.values():
        door = roster.doors.get(member.hours) if member.hours is not None else None
        member.off_shift = door is not None and not door.open
        if door is not None:
            door.workers.append(member.agent)
    gone = {timer: due for hours, door in before.items() for timer, due in timers.of_door(hours, door).items()}
    now = {timer: due for hours, door in roster.doors.items() for timer, due in timers.of_door(hours, door).items()}
    roster.change_timers(gone, now)
