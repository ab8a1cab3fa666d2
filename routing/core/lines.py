"""Lines: who waits under a rule, or for one of its teams, and whose turn it is there.

Invariant: a rule has one line always, and one for each of its teams that was ever asked, until a new configuration
finds nobody in it. Both are made of the configuration alone, in its order.
"""

from statistics import median_low

import msgspec

from protocol.bus.config import Rule, Team
from protocol.ids import AgentId, InboxId, RuleId, TeamId
from routing.core.configured import Staffing
from routing.core.presence import FULL, READY
from routing.core.queue import Sorted
from routing.core.ring import Ring

EXACT_PLACES = 10
PLACES_PAUSE_MS = 10_000
WAITS_KEPT, WAITS_NEEDED = 30, 5


class Round(msgspec.Struct, frozen=True, array_like=True):
    """When the visitors of a line are told their places next."""

    due_ms: int
    generation: int


class Line(msgspec.Struct, array_like=True):
    """A queue: `everyone` in it for places, of these the `waiting` and the `resting`; and the ring of those ready.

    A team's line holds no places: whoever waits there because of an overflow stands in the rule's. `agents` are those
    with access to the inbox; `standings` counts them, so that reasons cost no scan. `waits`: how long the last ones
    waited, in ms. `rows`: the rules whose readiness is that of this line.
    """

    key: str
    rule: Rule
    team: TeamId | None = None
    agents: list[AgentId] = []
    standings: dict[str, int] = {}
    rows: list[RuleId] = []
    ring: Ring = msgspec.field(default_factory=Ring)
    everyone: Sorted = msgspec.field(default_factory=Sorted)
    waiting: Sorted = msgspec.field(default_factory=Sorted)
    resting: Sorted = msgspec.field(default_factory=Sorted)
    waits: list[int] = []
    told_ms: int = 0
    round: Round | None = None

    @property
    def least_busy(self) -> bool:
        """Whether those with the fewest conversations are asked first."""
        return self.rule.choice == "least_busy"

    @property
    def there(self) -> bool:
        """Whether anybody is at work for it, with or without room for more."""
        return (self.standings.get(READY) or self.standings.get(FULL) or 0) > 0

    @property
    def wait_s(self) -> int | None:
        """How long one waits here: the median of the last assignments; None if they are too few to tell."""
        return round(median_low(self.waits) / 1000) if len(self.waits) >= WAITS_NEEDED else None

    def note_wait(self, waited_ms: int) -> None:
        """Remember how long somebody waited."""
        self.waits.append(waited_ms)
        del self.waits[:-WAITS_KEPT]


def key_of(rule: RuleId, team: TeamId | None) -> str:
    """Return the key of a line; no id holds a slash."""
    return rule if team is None else f"{rule}/{team}"


def shown(place: int) -> int:
    """Return `place` as visitors are told it: exact up to 10, then rounded up to fives, twenties and hundreds."""
    if place <= EXACT_PLACES:
        return place
    step = 5 if place <= 50 else 20 if place <= 200 else 100
    return -(-place // step) * step


def rule_for(staffing: Staffing, rule: RuleId, inbox: InboxId) -> Rule | None:
    """Return the rule under which agents are sought: the inbox's default if `rule` is gone; None if there is none.

    A rule that asks the contact's owner leaves whom the owner cannot take to its fallback.
    """
    found, seen = staffing.rule(rule) or default_rule(staffing, inbox), set[RuleId]()
    while found is not None and found.assignment == "contact_owner" and found.id not in seen:
        seen.add(found.id)
        found = staffing.rule(found.fallback) or found
    return found


def default_rule(staffing: Staffing, inbox: InboxId) -> Rule | None:
    """Return the rule of an inbox that takes what no other takes."""
    named = staffing.inbox(inbox)
    chosen = None if named is None else staffing.rule(named.default_rule)
    return chosen or next((rule for rule in staffing.rules if rule.inbox == inbox), None)


def asks_owner(staffing: Staffing, rule: RuleId) -> bool:
    """Whether the contact's owner is asked first under `rule`."""
    found = staffing.rule(rule)
    return found is not None and found.assignment == "contact_owner"


def named_by(staffing: Staffing, rule: Rule, team: Team | None) -> list[AgentId]:
    """Return whom a line asks, each once: a team's members; or the rule's agents and its teams', else the inbox's."""
    if team is not None:
        return list(dict.fromkeys(team.members))
    named = list(rule.agents)
    for name in rule.teams:
        found = staffing.team(name)
        named += found.members if found is not None else []
    if not rule.agents and not rule.teams:
        inbox = staffing.inbox(rule.inbox)
        named = inbox.agents if inbox is not None else []
    return list(dict.fromkeys(named))
