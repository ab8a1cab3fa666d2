"""Opening hours as a person writes them: `monday: ["08:00-12:00", "12:30-16:00"]`, time zones, holidays.

Invariant: what is read is in order and does not overlap; every time zone is one that this machine knows.
"""

import re
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from admin.workspace.places import Place, Wrong
from admin.workspace.readers import ident, list_of, reads, text
from admin.workspace.structs import plain, struct
from protocol.bus.hours import Holiday, Hours, Interval

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INTERVAL = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_MIDNIGHT_MIN = 1_440


@reads({"type": "string", "pattern": f"^{_INTERVAL.pattern}$", "description": "such as 08:00-16:00"})
def interval(here: Place) -> Interval:
    """Read `08:00-16:00`; `24:00` is the end of the day."""
    found = _INTERVAL.fullmatch(here.scalar("str") or "")
    if found is None:
        raise Wrong("must be an interval such as 08:00-16:00")
    hour, minute, to_hour, to_minute = (int(digits) for digits in found.groups())
    opens, closes = hour * 60 + minute, to_hour * 60 + to_minute
    if max(opens, closes) > _MIDNIGHT_MIN:
        raise Wrong("must end by 24:00")
    if opens >= closes:
        raise Wrong("must end after it begins; over midnight takes an interval on each day")
    return Interval(opens, closes)


@reads({"type": "array", "items": interval.schema})
def intervals(here: Place) -> list[Interval]:
    """Read the intervals of a day, in whatever order they are written."""
    found = sorted(list_of(interval)(here))
    for one, after in pairwise(found):
        if after.opens_min < one.closes_min:
            raise Wrong("has intervals that overlap")
    return found


@reads(
    {
        "type": "object",
        "properties": dict.fromkeys(DAYS, intervals.schema),
        "additionalProperties": False,
    }
)
def week(here: Place) -> list[list[Interval]]:
    """Read the intervals of each day; a day that is not named is closed."""
    at = here.fields()
    if at is None:
        raise Wrong(f"must be days such as monday, not {here.found}")
    for name in at.keys() - set(DAYS):
        at[name].wrong(f"is no day; there are: {', '.join(DAYS)}")
    return [(at[day].read(intervals) or []) if day in at else [] for day in DAYS]


@reads({"type": "string", "description": "a name of the time zone database, such as Europe/Oslo"})
def time_zone(here: Place) -> str:
    """Read a name of the time zone database."""
    found = here.scalar("str") or ""
    try:
        ZoneInfo(found)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong("is not a time zone such as Europe/Oslo") from None
    return found


@reads({"type": "string", "format": "date"})
def day(here: Place) -> str:
    """Read a date."""
    found = here.scalar("timestamp") or here.scalar("str") or ""
    try:
        return date.fromisoformat(found).isoformat() if len(found) == len("2026-12-24") else _no_date()
    except ValueError:
        return _no_date()


def _no_date() -> str:
    raise Wrong("must be a date such as 2026-12-24")


_HOLIDAY = struct(Holiday, {"day": day, "name": text(100), "intervals": intervals})
HOURS = struct(
    Hours,
    {
        "id": ident,
        "name": text(100),
        "time_zone": time_zone,
        "week": week,
        "holidays": list_of(plain(_HOLIDAY)),
    },
)
