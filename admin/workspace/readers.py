"""Readers: how one value of a workspace document is read, and what is said when it is not as it should be.

Invariant: a reader returns a usable value or raises `Wrong`; what is wrong inside it is noted at its own place. Its
`schema` allows whatever it may read: what is refused beyond that is about several values at once.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar

from admin.workspace.places import Place, Wrong
from protocol.ids import is_id

T = TypeVar("T")
Schema: TypeAlias = dict[str, Any]

_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_DECIMAL = re.compile(r"-?[0-9]{1,15}")
_ID = r"^[A-Za-z0-9_.:-]{1,64}$"


@dataclass(frozen=True, slots=True, eq=False)
class Reader(Generic[T]):
    """How a value is read, and the JSON Schema (2020-12) of it."""

    read: Callable[[Place], T]
    schema: Schema

    def __call__(self, here: Place) -> T:
        return self.read(here)


def reads(schema: Schema) -> Callable[[Callable[[Place], T]], Reader[T]]:
    """Make a reader of the function below; `schema` describes what it reads."""
    return lambda read: Reader(read, schema)


def text(most: int, least: int = 1) -> Reader[str]:
    """Read `least`–`most` characters; NFC."""

    @reads({"type": "string", "minLength": least, "maxLength": most})
    def read(here: Place) -> str:
        found = here.scalar("str")
        if found is None:
            _not(here, "text" + _hint(here))
        if not least <= len(found) <= most:
            raise Wrong(f"has {len(found)} characters; {least} to {most} are allowed")
        return unicodedata.normalize("NFC", found)

    return read


def matching(pattern: re.Pattern[str], what: str) -> Reader[str]:
    """Read text that `pattern` describes as a whole."""

    @reads({"type": "string", "pattern": f"^(?:{pattern.pattern})$", "description": what})
    def read(here: Place) -> str:
        found = here.scalar("str")
        if found is None:
            _not(here, what + _hint(here))
        if not pattern.fullmatch(found):
            raise Wrong(f"is not {what}")
        return found

    return read


@reads({"type": "string", "pattern": _ID})
def ident(here: Place) -> str:
    """Read an id."""
    found = here.scalar("str")
    if found is None:
        _not(here, "an id" + _hint(here))
    if not is_id(found):
        raise Wrong("is not an id: 1 to 64 of A–Z a–z 0–9 _ . : -")
    return found


@reads({"type": "boolean"})
def flag(here: Place) -> bool:
    """Read true or false."""
    found = here.scalar("bool")
    if found is None:
        _not(here, "true or false")
    return found.lower() == "true"


def number(least: int, most: int) -> Reader[int]:
    """Read a whole number from `least` to `most`."""

    @reads({"type": "integer", "minimum": least, "maximum": most})
    def read(here: Place) -> int:
        found = here.scalar("int")
        if found is None:
            _not(here, "a whole number")
        if not _DECIMAL.fullmatch(found):
            raise Wrong("must be written in plain digits")
        value = int(found)
        if not least <= value <= most:
            raise Wrong(f"is {value}; {least} to {most} are allowed")
        return value

    return read


def one_of(*options: str, later: Sequence[str] = ()) -> Reader[str]:
    """Read one of `options`; those of `later` are refused as what they are."""

    @reads({"type": "string", "enum": list(options)})
    def read(here: Place) -> str:
        found = here.scalar("str")
        if found in later:
            raise Wrong(f"{found} is not in this version")
        if found is None or found not in options:
            raise Wrong(f"must be one of: {', '.join(options)}")
        return found

    return read


def not_yet(what: str) -> Reader[None]:
    """Refuse a field that a later version will have."""

    @reads({"not": {}, "description": f"{what} is not in this version"})
    def read(_here: Place) -> None:
        raise Wrong(f"{what} is not in this version")

    return read


def list_of(reader: Reader[T], least: int = 0, *, named: bool = False) -> Reader[list[T]]:
    """Read a list of different things; those that are wrong are noted and left out. `named`: they may be repeated."""

    @reads({"type": "array", "items": reader.schema, "minItems": least, "uniqueItems": True})
    def read(here: Place) -> list[T]:
        places = here.items()
        if places is None:
            _not(here, "a list")
        if len(places) < least:
            raise Wrong(f"needs at least {least}")
        found: list[T] = []
        for place in places:
            before = len(place.mistakes)
            value = place.read(reader)
            is_right = len(place.mistakes) == before  # two that cannot be read are not alike for that
            if value is not None and is_right and value in found:
                place.wrong(f"{value} is here for the second time" if named else "is the same as one before it")
            elif value is not None:
                found.append(value)
        return found

    return read


def table_of(key: Callable[[str], str | None], reader: Reader[T], expected: str) -> Reader[dict[str, T]]:
    """Read named values; `key` says why a name is none, `expected` what it should have been in all."""

    @reads({"type": "object", "additionalProperties": reader.schema, "description": expected})
    def read(here: Place) -> dict[str, T]:
        fields = here.fields()
        if fields is None:
            _not(here, expected)
        found: dict[str, T] = {}
        for name, place in fields.items():
            if (reason := key(name)) is not None:
                place.wrong(reason)
            elif (value := place.read(reader)) is not None:
                found[name] = value
        return found

    return read


def locale_key(name: str) -> str | None:
    """Say why `name` is no locale."""
    return None if _LOCALE.fullmatch(name) else f"{name} is not a locale such as nb or nb-NO"


def texts(most: int) -> Reader[dict[str, str]]:
    """Read a text per locale."""
    return table_of(locale_key, text(most), "a text per locale, such as {nb: Hei}")


locale = matching(_LOCALE, "a locale such as nb or nb-NO")


def _hint(here: Place) -> str:
    return " (put it in quotes)" if here.scalar("int") or here.scalar("bool") else ""


def _not(here: Place, expected: str) -> NoReturn:
    raise Wrong(f"must be {expected}, not {here.found}")
