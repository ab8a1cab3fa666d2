"""Moving one conversation from phase to phase, and all that depends on it: agents' loads, lines, rings.

Invariant: after `put` and `settle`, loads, standings, lines and rings say the same as the phases do.
"""

from protocol.ids import AgentId
from routing.core.presence import Member, Standing
from routing.core.queue import PLACES_PAUSE_MS, Held, Line, Offered, Phase, Resting, Round, Talking, Waiting
from routing.core.state import Roster

LINED = (Waiting, Resting, Offered)


def line_of(roster: Roster, held: Held) -> Line | None:
    """Return the line in which `held` is or was; None if there is none, or its rule is gone."""
    return None if held.rule is None else roster.lines.get(held.rule)


def put(roster: Roster, held: Held, phase: Phase, at_ms: int) -> None:
    """Let `phase` be what is true of `held`."""
    line, before = line_of(roster, held), held.phase
    touched = [_let_go(roster, line, held), _take_hold(roster, line, held, phase)]
    held.phase = phase
    if line is not None and isinstance(before, LINED) != isinstance(phase, LINED):
        _line_up(roster, line, held, at_ms)
    for agent in dict.fromkeys(touched):
        if agent is not None:
            settle(roster, roster.members[agent])


def settle(roster: Roster, member: Member) -> None:
    """Let the standing of `member` be what follows from the rest, in every line."""
    before, now = member.standing, member.stands()
    if before is now:
        return
    member.standing = now
    for rule in member.rules:
        line = roster.lines[rule]
        line.standings[before] -= 1
        line.standings[now] += 1
        if now is Standing.READY:
            line.ring.join(member.agent)
        elif before is Standing.READY:
            line.ring.leave(member.agent)


def stir(roster: Roster, line: Line, at_ms: int) -> None:
    """Have places told again: soon, but not within the pause after the last time."""
    if line.round is None:
        line.round = Round(max(at_ms, line.told_ms + PLACES_PAUSE_MS), roster.seq, at_ms)


def _let_go(roster: Roster, line: Line | None, held: Held) -> AgentId | None:
    match held.phase:
        case Waiting() if line is not None:
            line.waiting.remove(held.rank)
        case Resting() if line is not None:
            line.resting.remove(held.rank)
        case Offered(offer=offer, agent=agent):
            del roster.offers[offer]
            del roster.members[agent].offers[offer]
            return agent
        case Talking(agent=agent):
            del roster.members[agent].conversations[held.conversation]
            return agent
    return None


def _take_hold(roster: Roster, line: Line | None, held: Held, phase: Phase) -> AgentId | None:
    match phase:
        case Waiting() if line is not None:
            line.waiting.add(held.rank)
        case Resting() if line is not None:
            line.resting.add(held.rank)
        case Offered(offer=offer, agent=agent):
            roster.offers[offer] = held.conversation
            roster.members[agent].offers[offer] = held.conversation
            return agent
        case Talking(agent=agent, since_ms=since_ms):
            roster.members[agent].conversations[held.conversation] = since_ms
            return agent
    return None


def _line_up(roster: Roster, line: Line, held: Held, at_ms: int) -> None:
    """Enter or leave the line as the phase says; if anybody is behind, their places have changed."""
    if isinstance(held.phase, LINED):
        line.everyone.add(held.rank)
        behind = line.everyone.place(held.rank) < len(line.everyone)
    else:
        line.everyone.remove(held.rank)
        behind = line.everyone.place(held.rank) <= len(line.everyone)
    if behind:
        stir(roster, line, at_ms)
