"""Opening hours against a wall clock that is looked at every five minutes."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.bus.hours import Hours, Interval, is_open, next_closing, next_opening

STEP_MS = 300_000
NIGHTS = [
    ("Europe/Oslo", "2026-03-29"), ("Europe/Oslo", "2026-10-25"),
    ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"),
]  # fmt: skip

clocks = st.integers(0, 288).map(lambda fives: 5 * fives)
intervals = st.tuples(clocks, clocks).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: Interval(*pair))


def walls(zone: str, day: str) -> list[tuple[int, datetime]]:
    """Return every five minutes of the day before, the day and the day after, with what the wall shows."""
    begins = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)) - timedelta(days=1)
    first = round(begins.timestamp() * 1000)
    moments = (first + STEP_MS * number for number in range(3 * 288))
    return [(at, datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).replace(tzinfo=None)) for at in moments]


def open_moments(shown: list[tuple[int, datetime]], some: list[Interval]) -> set[int]:
    """Return the moments at which, for some interval, its beginning has been shown that day and its end is to come."""
    found = set()
    for day in {wall.date() for _, wall in shown}:
        today = [(at, 60 * wall.hour + wall.minute) for at, wall in shown if wall.date() == day]
        for interval in some:
            begun = min((at for at, minutes in today if minutes >= interval.opens_min), default=None)
            last = max((at for at, minutes in today if minutes < interval.closes_min), default=None)
            if begun is not None and last is not None:
                found |= {at for at, _ in today if begun <= at <= last}
    return found


@pytest.mark.parametrize(("zone", "day"), NIGHTS)
@settings(max_examples=40, deadline=None)
@given(some=st.lists(intervals, max_size=3))
def test_it_is_open_exactly_when_the_wall_says_so(zone: str, day: str, some: list[Interval]) -> None:
    """Through a night in which clocks are moved; what opens and closes next is what comes next."""
    hours = Hours("h", "h", zone, [some] * 7)  # type: ignore[arg-type]
    shown = walls(zone, day)
    true = open_moments(shown, some)
    inner = shown[: 2 * 288]
    assert [at for at, _ in inner if is_open(hours, at)] == [at for at, _ in inner if at in true]
    for at, _ in inner[::7]:
        opening = min((later for later in sorted(true) if later >= at), default=None)
        closing = min((later for later, _ in shown if later >= at and later not in true), default=None)
        if opening is not None:
            assert next_opening(hours, at) == opening
        if at in true and closing is not None:
            assert next_closing(hours, at) == closing
