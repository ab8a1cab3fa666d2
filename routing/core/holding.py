"""Moving one conversation from phase to phase, and all that depends on it: agents' loads, lines, rings, timers.

Invariant: after `put` and `settle`, loads, standings, lines, rings and timers say the same as the phases do.
"""

from protocol.ids import AgentId
from routing.core import timers
from routing.core.lines import PLACES_PAUSE_MS, Line, Round
from routing.core.presence import READY, THERE, Member, Standing
from routing.core.queue import (
    LINED,
    SEEKING,
    URGENT,
    Held,
    Offered,
    Phase,
    Resting,
    Talking,
    UntilOpen,
    Waiting,
    aged,
)
from routing.core.state import Door, Roster
from routing.core.transitions import EDGES


def own_line(roster: Roster, held: Held) -> Line | None:
    """Return the line in which `held` is or was; None if there is none, or it is gone."""
    return roster.lines.get(held.line) if held.line else None


def lines_of(roster: Roster, held: Held) -> list[Line]:
    """Return the lines that may ask for `held`: its own, and the team's that is asked too."""
    keys = (held.line, held.also) if held.also else (held.line,)
    return [roster.lines[key] for key in keys if key in roster.lines]


def idle(roster: Roster, held: Held) -> Phase:
    """Return the phase of `held` while nobody is asked for it."""
    return UntilOpen() if roster.is_shut(held) else Waiting()


def put(roster: Roster, held: Held, phase: Phase, at_ms: int) -> None:
    """Let `phase` be what is true of `held`."""
    assert (type(held.phase), type(phase)) in EDGES, f"from {held.phase} to {phase}"
    before, lined = timers.of_held(held), type(held.phase) in LINED
    let_go = _let_go(roster, held)
    held.phase = phase
    if lined and type(phase) not in LINED:
        _leave_line(roster, held, at_ms)
    elif not lined and type(phase) in LINED:
        _enter_line(roster, held, at_ms)
    taken = _take_hold(roster, held, phase)
    if held.wish.hours in roster.doors:
        _pass_door(roster.doors[held.wish.hours], held)
    roster.change_timers(before, timers.of_held(held))
    for agent in {let_go: None, taken: None}:
        if agent is not None:
            settle(roster, roster.members[agent])


def forget(roster: Roster, held: Held) -> None:
    """Drop `held`, which nobody holds and which stands in no line."""
    roster.change_timers(timers.of_held(held), {})
    del roster.held[held.conversation]


def _pass_door(door: Door, held: Held) -> None:
    if type(held.phase) in SEEKING:
        door.inside[held.conversation] = True
    else:
        door.inside.pop(held.conversation, None)


def settle(roster: Roster, member: Member) -> None:
    """Let the standing of `member` be what follows from the rest, in every line, and the place in a ring too."""
    before, now = member.standing, member.stands()
    member.standing = now
    if before is now:
        if now is READY:
            for key in member.weighed:
                roster.lines[key].ring.weigh(member.agent, member.load)
        return
    turned = (before in THERE) != (now in THERE)
    for key in member.lines:
        line = roster.lines[key]
        there = turned and line.there
        _stand(line, member, before)
        if turned and line.there != there:
            roster.last.rules.update(dict.fromkeys(line.rows, True))
    if turned:
        for inbox in member.inboxes:
            roster.there[inbox] = roster.there.get(inbox, 0) + (1 if now in THERE else -1)


def _stand(line: Line, member: Member, before: Standing) -> None:
    now = member.standing
    line.standings[before] -= 1
    line.standings[now] += 1
    if now is READY:
        join(line, member)
    elif before is READY:
        line.ring.leave(member.agent)


def join(line: Line, member: Member) -> None:
    """Let `member`, who is ready, be asked by `line`."""
    weight = member.load if line.least_busy else 0
    line.ring.join(member.agent, weight, member.tongues if line.rule.prefer_languages else None)


def stir(roster: Roster, line: Line, at_ms: int) -> None:
    """Have places told again: soon, but not within the pause after the last time."""
    if line.round is None:
        line.round = Round(max(at_ms, line.told_ms + PLACES_PAUSE_MS), roster.seq)
        roster.change_timers({}, timers.of_line(line))


def renew(roster: Roster, held: Held, at_ms: int) -> None:
    """Let `held` stand where its priority, its age and the rule say, and wait as long as the rule says."""
    line = own_line(roster, held)
    if line is None or type(held.phase) not in LINED:
        return
    before, rank = timers.of_held(held), held.rank
    _move(roster, held, enter=False)
    _grow_old(line, held, at_ms)
    _move(roster, held, enter=True)
    roster.change_timers(before, timers.of_held(held))
    if held.rank != rank:
        stir(roster, line, at_ms)


def _let_go(roster: Roster, held: Held) -> AgentId | None:
    phase = held.phase
    if type(phase) is Talking:
        member = roster.members[phase.agent]
        del member.conversations[held.conversation]
        member.quiet.pop(held.conversation, None)
        return phase.agent
    if type(phase) is Offered:
        del roster.offers[phase.offer]
        del roster.members[phase.agent].offers[phase.offer]
        return phase.agent
    for line in lines_of(roster, held):
        if type(phase) is Waiting:
            line.waiting.remove(held.rank)
        elif type(phase) is Resting:
            line.resting.remove(held.rank)
    return None


def _take_hold(roster: Roster, held: Held, phase: Phase) -> AgentId | None:
    if type(phase) is Talking:
        roster.members[phase.agent].conversations[held.conversation] = phase.since_ms
        return phase.agent
    if type(phase) is Offered:
        roster.offers[phase.offer] = held.conversation
        roster.members[phase.agent].offers[phase.offer] = held.conversation
        return phase.agent
    for line in lines_of(roster, held):
        if type(phase) is Waiting:
            line.waiting.add(held.rank)
        elif type(phase) is Resting:
            line.resting.add(held.rank)
    return None


def _move(roster: Roster, held: Held, *, enter: bool) -> None:
    """Put `held` where its rank says into whatever it stands in, or take it out."""
    own = own_line(roster, held)
    places = [] if own is None else [own.everyone]
    if type(held.phase) is Waiting:
        places += [line.waiting for line in lines_of(roster, held)]
    elif type(held.phase) is Resting:
        places += [line.resting for line in lines_of(roster, held)]
    for place in places:
        (place.add if enter else place.remove)(held.rank)


def _enter_line(roster: Roster, held: Held, at_ms: int) -> None:
    """Enter the line; if anybody is behind, their places have changed."""
    line = own_line(roster, held)
    if line is None:
        return
    _grow_old(line, held, at_ms)
    line.everyone.add(held.rank)
    if line.everyone.place(held.rank) < len(line.everyone):
        stir(roster, line, at_ms)


def _leave_line(roster: Roster, held: Held, at_ms: int) -> None:
    line = own_line(roster, held)
    if line is None:
        return
    line.everyone.remove(held.rank)
    if line.everyone.place(held.rank) <= len(line.everyone):
        stir(roster, line, at_ms)


def _grow_old(line: Line, held: Held, at_ms: int) -> None:
    """Set the level, when it rises next, and when the wait has been too long."""
    step_ms, after_ms = 1000 * line.rule.ageing_s, 1000 * line.rule.overflow.after_s
    waited_ms = max(at_ms - held.from_ms, 0)
    held.level = aged(held.priority, waited_ms, step_ms)
    rises = step_ms and held.level < URGENT
    held.ages_ms = held.from_ms + (waited_ms // step_ms + 1) * step_ms if rises else 0
    held.overflow_ms = held.from_ms + after_ms if after_ms and not held.overflowed else 0
