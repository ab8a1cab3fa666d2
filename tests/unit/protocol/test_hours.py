"""Opening hours through the year, and through the nights in which clocks are moved."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from protocol.bus.hours import Holiday, Hours, Interval, is_open, next_closing, next_opening

OSLO, NEW_YORK, LORD_HOWE = "Europe/Oslo", "America/New_York", "Australia/Lord_Howe"


def ms(zone: str, text: str, fold: int = 0) -> int:
    """Return the moment at which a wall shows `text`; `fold` 1: the second time."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def daily(zone: str, *intervals: str) -> Hours:
    """Return hours that are the same every day, such as 09:00-16:30."""
    return Hours("h", "h", zone, [[_interval(text) for text in intervals]] * 7)  # type: ignore[arg-type]


def _interval(text: str) -> Interval:
    opens, closes = (int(clock[:2]) * 60 + int(clock[3:]) for clock in text.split("-"))
    return Interval(opens, closes)


@pytest.mark.parametrize("zone", [OSLO, NEW_YORK, LORD_HOWE])
@pytest.mark.parametrize("day", ["2026-01-15", "2026-03-08", "2026-03-29", "2026-04-05", "2026-07-01", "2026-10-04"])
def test_a_shop_opens_by_the_clock_on_its_wall(zone: str, day: str) -> None:
    """Nine is nine, on the days on which clocks are moved too."""
    hours = daily(zone, "09:00-16:30")
    assert next_opening(hours, ms(zone, f"{day} 00:00")) == ms(zone, f"{day} 09:00")
    assert next_closing(hours, ms(zone, f"{day} 09:00")) == ms(zone, f"{day} 16:30")


def test_the_first_moment_is_open_and_the_last_is_not() -> None:
    """From the opening on, until before the closing."""
    hours = daily(OSLO, "09:00-16:00")
    opens, closes = ms(OSLO, "2026-05-04 09:00"), ms(OSLO, "2026-05-04 16:00")
    assert [is_open(hours, at) for at in (opens - 1, opens, closes - 1, closes)] == [False, True, True, False]


def test_a_day_may_have_several_intervals() -> None:
    """Closed over lunch."""
    hours = daily(OSLO, "13:00-16:00", "09:00-12:00")
    assert next_closing(hours, ms(OSLO, "2026-05-04 10:00")) == ms(OSLO, "2026-05-04 12:00")
    assert next_opening(hours, ms(OSLO, "2026-05-04 12:30")) == ms(OSLO, "2026-05-04 13:00")


def test_intervals_that_touch_are_one() -> None:
    """Over midnight too."""
    hours = daily(OSLO, "00:00-06:00", "06:00-07:00", "20:00-24:00")
    assert next_closing(hours, ms(OSLO, "2026-05-04 21:00")) == ms(OSLO, "2026-05-05 07:00")


def test_a_holiday_has_its_own_hours_or_none() -> None:
    """The weekday's do not count."""
    week = daily(OSLO, "09:00-16:00").week
    eve = Holiday("2026-12-24", "Christmas Eve", [Interval(540, 720)])
    hours = Hours("h", "h", OSLO, week, [eve, Holiday("2026-12-25", "Christmas")])  # type: ignore[arg-type]
    assert next_closing(hours, ms(OSLO, "2026-12-24 10:00")) == ms(OSLO, "2026-12-24 12:00")
    assert next_opening(hours, ms(OSLO, "2026-12-24 12:00")) == ms(OSLO, "2026-12-26 09:00")


def test_hours_without_an_interval_never_open() -> None:
    """There is no next opening to tell."""
    hours = Hours("h", "h", OSLO, [[]] * 7)  # type: ignore[arg-type]
    assert (next_opening(hours, 0), next_closing(hours, 0), is_open(hours, 0)) == (None, None, False)


def test_hours_that_never_close_are_still_open_at_the_closing_told() -> None:
    """It is when to look again."""
    hours = daily(OSLO, "00:00-24:00")
    closing = next_closing(hours, ms(OSLO, "2026-03-28 12:00"))
    assert closing is not None
    assert closing > ms(OSLO, "2026-04-04 12:00")
    assert is_open(hours, closing)


SKIPPED = [(OSLO, "2026-03-29", "02:30", "03:00"), (NEW_YORK, "2026-03-08", "02:15", "03:00"), (LORD_HOWE, "2026-10-04", "02:10", "02:30")]  # fmt: skip
TWICE = [(OSLO, "2026-10-25", "02:30"), (NEW_YORK, "2026-11-01", "01:30"), (LORD_HOWE, "2026-04-05", "01:45")]


@pytest.mark.parametrize(("zone", "day", "skipped", "then"), SKIPPED)
def test_who_opens_in_a_skipped_hour_opens_when_the_clocks_have_moved(
    zone: str, day: str, skipped: str, then: str
) -> None:
    """The first moment at which the wall shows so much, or more."""
    assert next_opening(daily(zone, f"{skipped}-09:00"), ms(zone, f"{day} 00:00")) == ms(zone, f"{day} {then}")


@pytest.mark.parametrize(("zone", "day", "skipped", "then"), SKIPPED)
def test_who_closes_in_a_skipped_hour_closes_when_the_clocks_have_moved(
    zone: str, day: str, skipped: str, then: str
) -> None:
    """Half an hour is lost, and nobody stays on for it."""
    assert next_closing(daily(zone, f"01:00-{skipped}"), ms(zone, f"{day} 01:10")) == ms(zone, f"{day} {then}")


@pytest.mark.parametrize(("zone", "day", "clock"), TWICE)
def test_what_comes_twice_opens_the_first_time_and_closes_the_second(zone: str, day: str, clock: str) -> None:
    """An hour is gained, for the visitors."""
    midnight = ms(zone, f"{day} 00:00")
    assert next_opening(daily(zone, f"{clock}-09:00"), midnight) == ms(zone, f"{day} {clock}", fold=0)
    assert next_closing(daily(zone, f"00:00-{clock}"), midnight) == ms(zone, f"{day} {clock}", fold=1)


def test_a_skipped_midnight_is_no_trouble() -> None:
    """Beirut moves its clocks at midnight: the day begins at one."""
    zone = "Asia/Beirut"
    hours = daily(zone, "00:00-02:00")
    assert next_opening(hours, ms(zone, "2026-03-28 23:00")) == ms(zone, "2026-03-29 01:00")
