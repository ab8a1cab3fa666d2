"""Properties of contacts by their types: what is taken, in which one form it is kept, and how it is shown.

Invariant: what is kept of a type has one form, so that equal values are equal text; what is shown is what was taken.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from admin.http.problems import Fault
from store.sql.queries.contact_types import Definition

MAX_CHARS = 1_000


def kept(known: Iterable[Definition], told: Mapping[str, Any]) -> tuple[dict[str, str | None], list[Fault]]:
    """Return what is to be kept of what was told (None: removed), and what is wrong with it."""
    by_name = {each.name: each for each in known}
    values: dict[str, str | None] = {}
    faults = []
    for name, value in told.items():
        try:
            values[name] = None if value is None else _form(by_name[name], value)
        except KeyError:
            faults.append(Fault(f"/properties/{name}", "is no property of this account's contacts"))
        except ValueError as error:
            faults.append(Fault(f"/properties/{name}", str(error)))
    return values, faults


def shown(known: Iterable[Definition], values: Mapping[str, str]) -> dict[str, Any]:
    """Return values as they were taken; a value of a property that is no more, or of another type now, is not."""
    told: dict[str, Any] = {}
    for each in known:
        if each.name in values:
            try:
                told[each.name] = _value(each, values[each.name])
            except ValueError:
                continue
    return told


def _form(of: Definition, value: Any) -> str:
    """Return the one form of a value; ValueError says what it must be."""
    match of.type, value:
        case "bool", bool():
            return "true" if value else "false"
        case "number", bool():
            raise ValueError("is a number")
        case "number", int() | float() if abs(value) <= 2**53:
            return str(int(value)) if value == int(value) else repr(float(value))
        case "string", str() if 0 < len(value) <= MAX_CHARS and "\x00" not in value:
            return value
        case "date", str():
            return _day(value)
        case "choice", str() if value in of.choices:
            return value
        case "choice", _:
            raise ValueError(f"is one of: {', '.join(of.choices)}")
    raise ValueError(_MUST_BE[of.type])


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError(_MUST_BE["date"]) from None


def _value(of: Definition, stored: str) -> Any:
    match of.type:
        case "bool":
            return {"true": True, "false": False}[stored] if stored in ("true", "false") else _refuse()
        case "number":
            return int(stored) if stored.lstrip("-").isdigit() else float(stored)
        case "choice" if stored not in of.choices:
            _refuse()
        case "date":
            return _day(stored)
    return stored


def _refuse() -> Any:
    raise ValueError("of another type")


_MUST_BE = {
    "string": f"is a text of 1 to {MAX_CHARS} characters",
    "number": "is a number",
    "bool": "is true or false",
    "date": "is a day: YYYY-MM-DD",
}
