"""What routing keeps of an account's configuration.

Invariant: no address and no password; whatever is needed of a rule, a team or opening hours is in it, so that a
replayed log needs nothing else.
"""

import msgspec

from protocol.bus.config import AccountConfig, Inbox, Rule, Team
from protocol.bus.hours import Hours, is_open, next_closing, next_opening
from protocol.ids import AgentId, HoursId, InboxId, RuleId, TeamId

LOOK_AGAIN_MS = 86_400_000  # hours that never turn are looked at once a day

DoorState = tuple[HoursId, bool, int]  # hours, whether they are open, and when that turns


class Seat(msgspec.Struct, frozen=True, array_like=True):
    """What routing needs of an agent's configuration. `hours`: outside them the agent is not asked."""

    agent: AgentId
    name: str
    seat: bool
    supervisor: bool
    capacity: int
    languages: list[str] = []  # as `tongue` gives them
    hours: HoursId | None = None


class Staffing(msgspec.Struct, frozen=True, array_like=True):
    """What routing needs of an account's configuration."""

    version: int
    seats: list[Seat]
    inboxes: list[Inbox]
    rules: list[Rule]
    teams: list[Team] = []
    hours: list[Hours] = []

    def team(self, team: TeamId | None) -> Team | None:
        """Return a team, or None."""
        return next((one for one in self.teams if one.id == team), None)

    def inbox(self, inbox: InboxId) -> Inbox | None:
        """Return an inbox, or None."""
        return next((one for one in self.inboxes if one.id == inbox), None)

    def rule(self, rule: RuleId | None) -> Rule | None:
        """Return a rule, or None."""
        return next((one for one in self.rules if one.id == rule), None)


def staffing_of(config: AccountConfig) -> Staffing:
    """Return the part of `config` that a roster keeps."""
    seats = [
        Seat(who.id, who.name, who.seat, who.supervisor, who.capacity, tongues(who.languages), who.hours)
        for who in config.agents
    ]
    return Staffing(config.version, seats, config.inboxes, config.rules, config.teams, config.hours)


def tongue(language: str) -> str:
    """Return what is spoken where `language` is written, whatever the region; Norwegians understand each other."""
    spoken = language.partition("-")[0].lower()
    return "no" if spoken in ("nb", "nn") else spoken


def tongues(languages: list[str]) -> list[str]:
    """Return what an agent speaks, each once."""
    return list(dict.fromkeys(tongue(language) for language in languages))


def doors_at(staffing: Staffing, at_ms: int) -> list[DoorState]:
    """Return how all opening and working hours of the account stand at `at_ms`."""
    return [door_at(hours, at_ms) for hours in staffing.hours]


def door_at(hours: Hours, at_ms: int) -> DoorState:
    """Return how `hours` stand at `at_ms`, and when to look again."""
    if is_open(hours, at_ms):
        return (hours.id, True, next_closing(hours, at_ms) or at_ms + LOOK_AGAIN_MS)
    return (hours.id, False, next_opening(hours, at_ms) or at_ms + LOOK_AGAIN_MS)
