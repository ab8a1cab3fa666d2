"""The laws of routing, watched from outside at every event of a roster, by the words of the product.

Invariant: asks the roster only who is held by whom and what was configured; rings, loads and standings are not believed.
"""

from typing import Any

from protocol.bus.hours import is_open
from protocol.bus.staff import Rule
from routing.core.configured import tongue
from routing.core.events import ConversationAssigned, ConversationOffered, ConversationTransferred
from routing.core.queue import Held, Offered, Talking, Waiting
from routing.core.state import Roster
from routing.core.transitions import TABLE, Over
from tests.kit.turns import Turns


class Watch:
    """Sees each event before it is true, and what the phases were when the one before it was."""

    def __init__(self) -> None:
        self.turns: dict[str, Turns] = {}
        self.at_ms = 0
        self._before: dict[str, type] = {}
        self._event: Any = None

    def __call__(self, roster: Roster, event: Any) -> None:
        self.moved(roster)
        self.at_ms = event.at_ms
        self._before = {name: type(held.phase) for name, held in roster.held.items()}
        self._event = event
        match event:
            case ConversationOffered(agent=chosen) | ConversationAssigned(agent=chosen, offer=None, forced=False):
                assert load(roster, chosen) < roster.members[chosen].capacity, f"{chosen} is at capacity already"
            case ConversationTransferred(to=chosen, forced=False):
                assert load(roster, chosen) < roster.members[chosen].capacity
        if isinstance(event, ConversationOffered | ConversationAssigned) and event.reasons is not None:
            self._asked(roster, event)

    def moved(self, roster: Roster) -> None:
        """Check where the last event led every conversation against the table."""
        for name in {**self._before, **roster.held} if self._event is not None else ():
            before = self._before.get(name, Over)
            held = roster.held.get(name)
            after = Over if held is None else type(held.phase)
            leads = TABLE[before].get(type(self._event), (before,))
            assert before is after or after in leads, f"{self._event} from {before} to {after}"

    def _asked(self, roster: Roster, event: ConversationOffered | ConversationAssigned) -> None:
        held = roster.held[event.conversation]
        assert not shut(roster, held), "nobody is asked outside opening hours"
        if not event.turn:
            assert event.agent in [name for name, _ in held.wish.first]
            assert can(roster, event.agent, held)
            return
        able = [name for name in eligible(roster, held, event.line) if not roster.was_asked(held, name)]
        assert event.agent in able, f"{event.agent} may not be asked for {event.conversation}"
        rule = rule_of(roster, event.line)
        if rule.prefer_languages and held.wish.language:
            able = [name for name in able if _speaks(roster, name, held.wish.language)] or able
            assert event.agent in able, "those who speak the language come first"
        if rule.choice == "least_busy":
            assert load(roster, event.agent) == min(load(roster, name) for name in able)
        else:
            self.turns.setdefault(event.line, Turns()).used(event.agent, able)
        if isinstance(held.phase, Waiting) and event.line == held.line:
            ahead = [one for one in waiting(roster, held.line) if one.rank < held.rank]
            assert not ahead, f"{ahead[0].conversation} comes before {event.conversation}"


def rule_of(roster: Roster, line: str) -> Rule:
    return next(rule for rule in roster.staffing.rules if rule.id == line.partition("/")[0])


def eligible(roster: Roster, held: Held, line: str, at_ms: int | None = None) -> list[str]:
    """Return who may be asked for `held` by `line`: named, seat, access, there, available, at work, below capacity.

    `at_ms`: by the clock at that moment; None: as the doors stand, which turn one after the other in a moment.
    """
    known = {rule.id: rule for rule in roster.staffing.rules}
    rule_id, _, team = line.partition("/")
    if rule_id not in known:
        return []
    teams = {one.id: one.members for one in roster.staffing.teams}
    rule = known[rule_id]
    named = teams[team] if team else [*rule.agents, *(name for one in rule.teams for name in teams.get(one, []))]
    if not team and not rule.agents and not rule.teams:
        named = next(inbox.agents for inbox in roster.staffing.inboxes if inbox.id == rule.inbox)
    return [name for name in dict.fromkeys(named) if can(roster, name, held, at_ms)]


def can(roster: Roster, name: str, held: Held, at_ms: int | None = None) -> bool:
    """Whether an agent may be given `held` at all now."""
    seat = next((one for one in roster.staffing.seats if one.agent == name), None)
    access = next((inbox.agents for inbox in roster.staffing.inboxes if inbox.id == held.inbox), [])
    member = roster.members.get(name)
    if seat is None or member is None or not seat.seat or name not in access:
        return False
    there = bool(member.sessions) and member.state == "available" and _opens(roster, seat.hours, at_ms)
    return there and load(roster, name) < seat.capacity


def load(roster: Roster, name: str) -> int:
    """Return what an agent has: conversations that count, and open offers."""
    mine = [held for held in roster.held.values() if getattr(held.phase, "agent", None) == name]
    return len([held for held in mine if isinstance(held.phase, Offered) or (held.counts and _talks(held))])


def shut(roster: Roster, held: Held, at_ms: int | None = None) -> bool:
    """Whether the opening hours of `held` do not allow that anybody is asked."""
    return not _opens(roster, held.wish.hours, at_ms)


def _opens(roster: Roster, name: str | None, at_ms: int | None) -> bool:
    hours = next((one for one in roster.staffing.hours if one.id == name), None)
    if hours is None:
        return True
    return roster.doors[hours.id].open if at_ms is None else is_open(hours, at_ms)


def waiting(roster: Roster, line: str) -> list[Held]:
    return [one for one in roster.held.values() if one.line == line and isinstance(one.phase, Waiting)]


def _talks(held: Held) -> bool:
    return isinstance(held.phase, Talking)


def _speaks(roster: Roster, name: str, language: str) -> bool:
    seat = next(one for one in roster.staffing.seats if one.agent == name)
    return language in [tongue(one) for one in seat.languages]
