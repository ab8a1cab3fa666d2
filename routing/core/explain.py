"""Why a decision fell as it did, in figures and then in words.

Invariant: a reason costs the same among five agents and five thousand: the figures are kept, and at most 20 are named.
"""

from collections.abc import Iterator
from itertools import islice

from protocol.ids import AgentId, RuleId
from routing.core import events
from routing.core.events import AnyRosterEvent, Reasons
from routing.core.presence import NO_ACCESS, Standing
from routing.core.queue import Held, Line
from routing.core.state import Roster

NAMED = 20

CHOSEN, ASKED, BEHIND, PREFERRED = "chosen", "asked_before", "later_in_turn", "talked_last"

WORDS = {
    CHOSEN: "is next in turn",
    PREFERRED: "talked with this visitor last",
    ASKED: "was asked before and did not take it",
    BEHIND: "comes later in turn",
    Standing.READY: "ready",
    Standing.NO_SEAT: "without a seat",
    Standing.OFFLINE: "offline",
    Standing.AWAY: "away",
    Standing.FULL: "at capacity",
    NO_ACCESS: "without access to the inbox",
}


def reasons(roster: Roster, line: Line, held: Held | None, chosen: AgentId | None) -> Reasons:
    """Return who was considered for `held` under the rule of `line`, and what spoke for or against each."""
    counts = {standing: count for standing, count in line.standings.items() if count}
    return Reasons(roster.seq, counts, list(islice(_candidates(roster, line, held, chosen), NAMED)))


def preference(roster: Roster, agent: AgentId) -> Reasons:
    """Return why nobody but `agent` was considered."""
    return Reasons(roster.seq, {}, [(agent, PREFERRED)])


def who_next(roster: Roster, rule: RuleId) -> AgentId | None:
    """Return who would be asked now for a new conversation under `rule`; nothing happens by it."""
    line = roster.lines.get(rule)
    return None if line is None else line.ring.first(lambda _: False)


def _candidates(roster: Roster, line: Line, held: Held | None, chosen: AgentId | None) -> Iterator[tuple[AgentId, str]]:
    if chosen is not None:
        yield chosen, CHOSEN
    for agent in islice(line.ring, NAMED):
        if agent != chosen:
            asked = held is not None and roster.was_asked(held, agent)
            yield agent, ASKED if asked else BEHIND
    for agent in islice(line.agents, 2 * NAMED):
        if agent not in line.ring and agent != chosen:
            yield agent, roster.members[agent].standing


def explain(event: AnyRosterEvent, names: dict[AgentId, str]) -> list[str]:
    """Return a decision in words, a line for each thing to say; nothing for events that are no decision."""
    match event:
        case events.ConversationOffered(conversation=conversation, agent=agent, reasons=why):
            first = f"{conversation} was offered to {names.get(agent, agent)}"
        case events.ConversationAssigned(conversation=conversation, agent=agent, how=how, reasons=why):
            forced = ", above capacity by a supervisor" if event.forced else ""
            first = f"{conversation} was assigned to {names.get(agent, agent)} ({how}{forced})"
        case events.ConversationRested(conversation=conversation, reasons=why):
            first = f"{conversation} rests: everybody ready was asked"
        case events.Queued(conversation=conversation, reasons=why) if why is not None:
            first = f"{conversation} waits: nobody is ready"
        case _:
            return []
    return [first, *(_told(why, names) if why is not None else [])]


def _told(why: Reasons, names: dict[AgentId, str]) -> Iterator[str]:
    if why.counts:
        counted = ", ".join(f"{count} {WORDS.get(standing, standing)}" for standing, count in why.counts.items())
        yield f"  agents of the rule: {counted} (roster seq {why.seq})"
    for agent, reason in why.candidates:
        yield f"  {names.get(agent, agent)} {_of_one(reason)}"


def _of_one(reason: str) -> str:
    word = WORDS.get(reason, reason)
    return f"is {word}" if reason in set(Standing) else word
