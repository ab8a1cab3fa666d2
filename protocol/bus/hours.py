"""Opening hours: several intervals a day in a time zone, holidays, and what they come to in milliseconds.

Invariant: a shop that opens at nine opens at nine by the clock on its wall, whatever daylight saving does that night.
An interval that begins in an hour which is skipped begins when the clocks have moved; one that ends in an hour which
comes twice ends the second time.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from protocol.ids import HoursId

MINUTES_A_DAY = 1_440
LOOK_AHEAD_DAYS = 370


class Interval(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Open from `opens_min` until before `closes_min`, minutes after local midnight, 0–1,440."""

    opens_min: int
    closes_min: int


class Holiday(msgspec.Struct, frozen=True, array_like=True):
    """A day (YYYY-MM-DD) that is not like its weekday: open in `intervals` only; none: closed."""

    day: str
    name: str = ""
    intervals: list[Interval] = []


class Hours(msgspec.Struct, frozen=True):
    """A schedule. `week`: seven lists of intervals, Monday first."""

    id: HoursId
    name: str
    time_zone: str
    week: list[list[Interval]]
    holidays: list[Holiday] = []


def is_open(hours: Hours, at_ms: int) -> bool:
    """Whether `at_ms` lies in an interval."""
    opening = next_opening(hours, at_ms)
    return opening is not None and opening <= at_ms


def next_opening(hours: Hours, at_ms: int) -> int | None:
    """Return the first millisecond from `at_ms` on at which it is open; None if there is none within 370 days."""
    return next((max(opens, at_ms) for opens, closes in _spans(hours, at_ms) if closes > at_ms), None)


def next_closing(hours: Hours, at_ms: int) -> int | None:
    """Return when the interval ends that is open at `at_ms`; intervals that touch are one. None if it is closed."""
    closing = None
    for opens, closes in _spans(hours, at_ms):
        if closing is None and opens <= at_ms < closes:
            closing = closes
        elif closing is not None:
            if opens > closing:
                break
            closing = max(closing, closes)
    return closing


def _spans(hours: Hours, at_ms: int) -> Iterator[tuple[int, int]]:
    """Yield (opens, closes) in ms, in order, from the day before `at_ms` on."""
    zone, closed_or_short = _zone(hours.time_zone), {holiday.day: holiday.intervals for holiday in hours.holidays}
    first = datetime.fromtimestamp(at_ms / 1000, zone).date() - timedelta(days=1)
    for number in range(LOOK_AHEAD_DAYS):
        day = first + timedelta(days=number)
        intervals = closed_or_short.get(day.isoformat(), hours.week[day.weekday()])
        for interval in sorted(intervals):
            opens, closes = _at(day, interval.opens_min, zone, 0), _at(day, interval.closes_min, zone, 1)
            if opens < closes:
                yield opens, closes


def _at(day: date, minutes: int, zone: ZoneInfo, fold: int) -> int:
    """Return the ms at which the wall shows `minutes` after midnight of `day`; `fold` 1: the second time it does."""
    midnight = datetime.combine(day, time(), zone)
    wall = (midnight.replace(tzinfo=None) + timedelta(minutes=minutes)).replace(tzinfo=zone, fold=fold)
    if not _exists(wall):
        wall = wall.replace(fold=0)  # skipped: read by the clock as it was before, it falls just behind the gap
    return round(wall.timestamp() * 1000)


def _exists(wall: datetime) -> bool:
    back = datetime.fromtimestamp(wall.timestamp(), wall.tzinfo)
    return back.replace(tzinfo=None) == wall.replace(tzinfo=None)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
