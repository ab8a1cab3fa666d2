"""Who is asked for a conversation: the head of a ring, and why it is them.

Invariant: looks only at heads of rings and at who was already asked; changes nothing.
"""

from dataclasses import dataclass

from protocol.ids import AgentId
from routing.core.events import Reasons
from routing.core.explain import LEAST, LOOKS_AFTER, NEXT, SPEAKS, TALKED, only, reasons
from routing.core.holding import lines_of
from routing.core.lines import Line
from routing.core.queue import Held
from routing.core.state import Roster

FIRST_WORDS = {"owner": LOOKS_AFTER, "last_agent": TALKED}


@dataclass(frozen=True, slots=True)
class Choice:
    """Who was chosen, by whose ring, whether that uses a turn, and why. `reason` is that of the assignment to come."""

    agent: AgentId
    line: Line
    turn: bool
    reason: str
    why: Reasons


def choose(roster: Roster, line: Line, held: Held) -> Choice | None:
    """Return the next in turn of `line`, or of the other line that may ask too; None if everybody ready was asked."""
    for one in (line, *(other for other in lines_of(roster, held) if other is not line)):
        found = _next_in(roster, one, held)
        if found is not None:
            agent, word = found
            return by_turn(roster, one, held, agent, word)
    return None


def by_turn(roster: Roster, line: Line, held: Held, agent: AgentId, word: str = NEXT) -> Choice:
    """Return the choice of `agent` by the ring of `line`."""
    return Choice(agent, line, True, "offer", reasons(roster, line, held, (agent, word)))


def preferred(roster: Roster, line: Line, first: list[tuple[AgentId, str]], held: Held | None = None) -> Choice | None:
    """Return whoever of `first` may take a conversation of the line's inbox: no ring is asked, no turn used."""
    for agent, reason in first:
        member = roster.members.get(agent)
        asked = held is not None and member is not None and roster.was_asked(held, agent)
        if member is not None and not asked and member.may_take(line.rule.inbox):
            return Choice(agent, line, False, reason, only(roster, agent, FIRST_WORDS[reason]))
    return None


def _next_in(roster: Roster, line: Line, held: Held) -> tuple[AgentId, str] | None:
    def asked(agent: AgentId) -> bool:
        return roster.was_asked(held, agent)

    if line.rule.prefer_languages and held.wish.language:
        speaker = line.ring.first(asked, held.wish.language)
        if speaker is not None:
            return speaker, SPEAKS
    agent = line.ring.first(asked)
    return None if agent is None else (agent, LEAST if line.least_busy else NEXT)
