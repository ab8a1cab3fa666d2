"""Whether somebody is there for a chatflow, and when next."""

import pytest
from msgspec.structs import replace

from protocol.bus.availability import is_away, may_start, opens_at_ms
from protocol.bus.chatflow import Availability, Chatflow
from protocol.bus.config import AccountConfig
from protocol.bus.hours import Hours, Interval
from protocol.bus.staff import Team
from protocol.ids import HoursId, TeamId
from tests.kit.workplace import ANN, BO, CY, OPEN, UNROUTED, chatflow, workplace

HOUR_MS = 3_600_000
EARLY, LATE = HoursId("hrs_early"), HoursId("hrs_late")
SEVEN, NINE, TEN, NOON = (hour * HOUR_MS for hour in (7, 9, 10, 12))  # of 1 January 1970, UTC


def daily(name: HoursId, opens: int, closes: int) -> Hours:
    """The same hours every day, UTC."""
    return Hours(name, name, "UTC", [[Interval(opens * 60, closes * 60)]] * 7)


def account(**hours: HoursId) -> AccountConfig:
    """The workplace, whose agents work the hours named."""
    config = workplace()
    agents = [replace(agent, hours=hours.get(agent.name.lower())) for agent in config.agents]
    return replace(config, agents=agents, hours=[daily(EARLY, 8, 11), daily(LATE, 10, 16)])


def flow(kind: str, hours: HoursId | None = None, nobody: str = "away_message") -> Chatflow:
    """A chatflow that is there as it says."""
    return chatflow(OPEN, availability=Availability(kind, hours, nobody))  # type: ignore[arg-type]


def test_always() -> None:
    """Always is always, whoever is ready."""
    assert not is_away(account(), flow("always", EARLY), SEVEN, ready=False)


@pytest.mark.parametrize(("at_ms", "away"), [(SEVEN, True), (NINE, False), (NOON, True)])
def test_office_hours(at_ms: int, away: bool) -> None:
    """By office hours it is away outside them, whoever is ready."""
    for ready in (False, True):
        assert is_away(account(), flow("office_hours", EARLY), at_ms, ready) is away


@pytest.mark.parametrize("ready", [False, True])
def test_agents_available(ready: bool) -> None:
    """By its agents it is away while none of them is ready, whatever the hour."""
    assert is_away(account(), flow("agents_available", EARLY), SEVEN, ready) is not ready


def test_may_start() -> None:
    """Only hiding while nobody is ready keeps a conversation from being started."""
    assert not may_start(flow("agents_available", nobody="hide"), away=True)
    assert may_start(flow("agents_available", nobody="hide"), away=False)
    assert may_start(flow("agents_available"), away=True)
    assert may_start(flow("office_hours", EARLY, "hide"), away=True)


def test_next_opening() -> None:
    """The next opening is that of the chatflow's own hours, after now and not now."""
    assert opens_at_ms(account(), flow("office_hours", LATE), NINE) == TEN
    assert opens_at_ms(account(), flow("office_hours", LATE), NOON) == 0
    assert opens_at_ms(account(), flow("always"), NOON) == 0


def test_next_opening_of_the_agents() -> None:
    """Without hours of its own it is when the first of the rule's agents begins."""
    both = account(ann=LATE, bo=EARLY)
    assert opens_at_ms(both, flow("agents_available"), SEVEN) == SEVEN + HOUR_MS
    rules = [replace(rule, agents=[ANN]) for rule in both.rules]
    assert opens_at_ms(replace(both, rules=rules), flow("agents_available"), SEVEN) == TEN


def test_next_opening_of_a_team() -> None:
    """The members of a rule's teams are its agents, and with assignment off everybody of the inbox is."""
    config = account(cy=LATE, bo=EARLY)
    team = Team(TeamId("tea_1"), "Late", [CY])
    rules = [replace(rule, teams=[team.id]) for rule in config.rules]
    assert opens_at_ms(replace(config, rules=rules, teams=[team]), flow("agents_available"), SEVEN) == TEN
    unrouted = replace(chatflow(UNROUTED), availability=flow("agents_available").availability)
    assert opens_at_ms(replace(config, rules=rules, teams=[team]), unrouted, SEVEN) == SEVEN + HOUR_MS
    assert BO in config.inboxes[0].agents
