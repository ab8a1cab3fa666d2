"""Why a decision fell as it did, in figures and then in words.

Invariant: a reason costs the same among five agents and five thousand: the figures are kept, and at most 20 are named.
"""

from collections.abc import Iterator
from itertools import islice

from protocol.ids import AgentId
from routing.core import events
from routing.core.events import Reasons
from routing.core.lines import Line
from routing.core.log import AnyRosterEvent
from routing.core.presence import NO_ACCESS, Standing
from routing.core.queue import Held
from routing.core.state import Roster

NAMED = 20

NEXT, LEAST, SPEAKS = "chosen", "least_busy", "speaks_language"
TALKED, LOOKS_AFTER = "talked_last", "contact_owner"
ASKED, BEHIND = "asked_before", "later_in_turn"

WORDS = {
    NEXT: "is next in turn",
    LEAST: "is least busy",
    SPEAKS: "is next in turn of those who speak the visitor's language",
    TALKED: "talked with this visitor last",
    LOOKS_AFTER: "looks after this contact",
    ASKED: "was asked before and did not take it",
    BEHIND: "comes later in turn",
    Standing.READY: "ready",
    Standing.NO_SEAT: "without a seat",
    Standing.OFFLINE: "offline",
    Standing.OFF_SHIFT: "outside working hours",
    Standing.AWAY: "away",
    Standing.FULL: "at capacity",
    NO_ACCESS: "without access to the inbox",
}


def reasons(roster: Roster, line: Line, held: Held | None, chosen: tuple[AgentId, str] | None) -> Reasons:
    """Return who was considered for `held` in `line`, and what spoke for or against each."""
    return Reasons(roster.seq, counts(line), _candidates(roster, line, held, chosen)[:NAMED])


def only(roster: Roster, agent: AgentId, word: str) -> Reasons:
    """Return why nobody but `agent` was considered."""
    return Reasons(roster.seq, {}, [(agent, word)])


def counts(line: Line) -> dict[str, int]:
    """Return how many agents of `line` stand where."""
    return {standing: count for standing, count in line.standings.items() if count}


def _candidates(
    roster: Roster, line: Line, held: Held | None, chosen: tuple[AgentId, str] | None
) -> list[tuple[AgentId, str]]:
    """Return the first of whom there are, at least NAMED if there are as many: the chosen, those in turn, the rest."""
    ready, members = line.ring.turn_of, roster.members
    winner = chosen[0] if chosen is not None else None
    found = [chosen] if chosen is not None else []
    for agent in islice(line.ring, NAMED):
        if agent != winner:
            asked = held is not None and roster.was_asked(held, agent)
            found.append((agent, ASKED if asked else BEHIND))
    others = line.agents[:NAMED] if len(found) < NAMED else ()
    return found + [(agent, members[agent].standing) for agent in others if agent not in ready and agent != winner]


def explain(event: AnyRosterEvent, names: dict[AgentId, str]) -> list[str]:
    """Return a decision in words, a line for each thing to say; nothing for events that are no decision."""
    match event:
        case events.ConversationOffered() | events.ConversationAssigned() | events.ConversationRested():
            why = event.reasons
        case events.Queued():
            why = event.reasons
        case _:
            why = None
    first = _first(event, names)
    if not first:
        return []
    return [first, *(_told(why, names) if why is not None else [])]


def _first(event: AnyRosterEvent, names: dict[AgentId, str]) -> str:
    match event:
        case events.ConversationOffered(conversation=conversation, agent=agent):
            return f"{conversation} was offered to {names.get(agent, agent)}"
        case events.ConversationAssigned(conversation=conversation, agent=agent, how=how, forced=forced):
            by_force = ", forced by a supervisor" if forced else ""
            return f"{conversation} was assigned to {names.get(agent, agent)} ({how}{by_force})"
        case events.ConversationTransferred(conversation=conversation, by=by, to=to, forced=forced):
            by_force = ", forced by a supervisor" if forced else ""
            return f"{conversation} was handed to {names.get(to, to)} by {names.get(by, by)}{by_force}"
        case events.HandedToTeam(conversation=conversation, by=by, team=team):
            return f"{conversation} was handed to the team {team} by {names.get(by, by)}"
        case events.ConversationRested(conversation=conversation):
            return f"{conversation} rests: everybody ready was asked"
        case events.ConversationOverflowed(conversation=conversation):
            return f"{conversation} waited too long"
        case events.Queued(conversation=conversation, reasons=why) if why is not None:
            return f"{conversation} waits: nobody is ready"
    return ""


def _told(why: Reasons, names: dict[AgentId, str]) -> Iterator[str]:
    if why.counts:
        counted = ", ".join(f"{count} {WORDS.get(standing, standing)}" for standing, count in why.counts.items())
        yield f"  agents of the rule: {counted} (roster seq {why.seq})"
    for agent, reason in why.candidates:
        yield f"  {names.get(agent, agent)} {_of_one(reason)}"


def _of_one(reason: str) -> str:
    word = WORDS.get(reason, reason)
    return f"is {word}" if reason in set(Standing) else word
