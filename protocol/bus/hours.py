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
LOOK_AHEAD_OPEN_DAYS = 10


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
    """Return when the interval ends that is open at `at_ms`; intervals that touch are one. None if it is closed.

    Of hours that stay open for more than a week, some later moment at which they are still open: look again then.
    """
    closing = None
    for opens, closes in _spans(hours, at_ms, LOOK_AHEAD_OPEN_DAYS):
        if opens > (at_ms if closing is None else closing):
            break
        if closing is not None or at_ms < closes:
            closing = max(closing or 0, closes)
    return closing


def _spans(hours: Hours, at_ms: int, days: int = LOOK_AHEAD_DAYS) -> Iterator[tuple[int, int]]:
    """Yield (opens, closes) in ms, in order, from the day before `at_ms` on."""
    zone, closed_or_short = _zone(hours.time_zone), {holiday.day: holiday.intervals for holiday in hours.holidays}
    first = datetime.fromtimestamp(at_ms / 1000, zone).date() - timedelta(days=1)
    for number in range(days):
        day = first + timedelta(days=number)
        intervals = closed_or_short.get(day.isoformat(), hours.week[day.weekday()])
        for interval in sorted(intervals):
            opens, closes = _at(day, interval.opens_min, zone, 0), _at(day, interval.closes_min, zone, 1)
            if opens < closes:
                yield opens, closes


def _at(day: date, minutes: int, zone: ZoneInfo, fold: int) -> int:
    """Return the ms at which the wall shows `minutes` after midnight of `day`; `fold` 1: the second time it does.

    A time that is skipped has come as soon as the wall shows a later one.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    moment_ms = _ms(wall, zone, fold)
    if datetime.fromtimestamp(moment_ms / 1000, zone).replace(tzinfo=None) == wall:
        return moment_ms
    return _gap_end(wall, _ms(wall, zone, 1), _ms(wall, zone, 0), zone)


def _gap_end(wall: datetime, before_ms: int, after_ms: int, zone: ZoneInfo) -> int:
    """Return the first ms from `before_ms` to `after_ms` at which the wall shows more than `wall`, which it skips."""
    while after_ms - before_ms > 1:
        middle_ms = (before_ms + after_ms) // 2
        shows = datetime.fromtimestamp(middle_ms / 1000, zone).replace(tzinfo=None)
        before_ms, after_ms = (before_ms, middle_ms) if shows > wall else (middle_ms, after_ms)
    return after_ms


def _ms(wall: datetime, zone: ZoneInfo, fold: int) -> int:
    return round(wall.replace(tzinfo=zone, fold=fold).timestamp() * 1000)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
