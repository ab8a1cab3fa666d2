"""Named fields read into a struct, with the place of each kept for the checks that come after.

Invariant: an unknown field, a missing one and a wrong one are one mistake each; the rest of the struct is still read.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from admin.workspace.places import Mistake, Place, Wrong
from admin.workspace.readers import Reader, Schema, reads

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, eq=False)
class Placed(Generic[T]):
    """A thing read from the file, and where it and its fields are. To be used only if nothing was wrong."""

    thing: T
    here: Place
    at: dict[str, Place]

    def wrong(self, field: str, reason: str, said: str = "") -> None:
        """Note what is wrong with `field` (a.b further in), with the item that says `said` if it is a list."""
        self.here.mistakes.append(self.mistake(field, reason, said))

    def mistake(self, field: str, reason: str, said: str = "") -> Mistake:
        """Return the same as a mistake that is not noted; of the thing itself if the field is not there."""
        place = self._place(field)
        place = place.item(said) if said else place
        return Mistake(place.line, place.path, reason)

    def has(self, field: str) -> bool:
        """Whether `field` is in the file, right or wrong."""
        return self._place(field).path == f"{self.here.path}.{field}".lstrip(".")

    def says(self, field: str) -> Container[str]:
        """Return what the list `field` says; if something in it cannot be read: anything."""
        items = self._place(field).items() if self.has(field) else []
        return _readable(None if items is None else [item.scalar("str") for item in items])

    def ids(self, field: str) -> Container[str]:
        """Return the ids of the things in the list `field`; if one has none that can be read: anything."""
        items = self._place(field).items() if self.has(field) else []
        return _readable(None if items is None else [item.inside("id").scalar("str") for item in items])

    def _place(self, field: str) -> Place:
        first, _, further = field.partition(".")
        return self.at[first].inside(further) if first in self.at else self.here


class Anything:
    """Whatever is asked for is in it: what could not be read may have been that."""

    def __contains__(self, name: object) -> bool:
        return True


def _readable(names: list[str | None] | None) -> Container[str]:
    if names is None or None in names:
        return Anything()
    return {name for name in names if name is not None}


def struct(
    kind: type[T],
    readers: Mapping[str, Reader[Any]],
    *,
    needed: tuple[str, ...] = (),
    given: Mapping[str, Any] | None = None,
) -> Reader[Placed[T]]:
    """Read named fields into `kind`. Required are `needed`, and what has no default in `kind` or `given`."""
    defaults = dict(given or {})
    required = [field for field in msgspec.structs.fields(kind) if field.required and field.name not in defaults]
    wanted = [name for name in readers if name in needed or name in {field.name for field in required}]
    blank = defaults | {field.name: _blank(field.type) for field in required}

    @reads(_schema(kind, readers, wanted, defaults))
    def read(here: Place) -> Placed[T]:
        at = here.fields()
        if at is None:
            raise Wrong(f"must be named fields, not {here.found}")
        for name in at.keys() - readers.keys():
            at[name].wrong(f"is no field here; there are: {', '.join(readers)}")
        for name in wanted:
            if name not in at:
                here.wrong(f"{name} is missing")
        found = {name: at[name].read(reader) for name, reader in readers.items() if name in at}
        values = {name: value for name, value in found.items() if value is not None}
        return Placed(kind(**(blank | values)), here, at)

    return read


def plain(reader: Reader[Placed[T]], check: Callable[[Placed[T]], None] | None = None) -> Reader[T]:
    """Read the thing, `check` it, and forget its place."""

    @reads(reader.schema)
    def read(here: Place) -> T:
        placed = reader(here)
        if check is not None:
            check(placed)
        return placed.thing

    return read


def _schema(
    kind: type[msgspec.Struct], readers: Mapping[str, Reader[Any]], wanted: list[str], given: Mapping[str, Any]
) -> Schema:
    defaults = {
        field.name: field.default
        for field in msgspec.structs.fields(kind)
        if isinstance(field.default, str | int | bool)
    } | {name: value for name, value in given.items() if isinstance(value, str | int | bool)}
    properties = {
        name: reader.schema | ({"default": defaults[name]} if name in defaults and name not in wanted else {})
        for name, reader in readers.items()
    }
    return {
        "type": "object",
        "title": kind.__name__,
        "properties": properties,
        "required": wanted,
        "additionalProperties": False,
    }


def _blank(kind: object) -> Any:
    """Return what stands in for a field that was wrong, so that nothing else trips over it."""
    origin = getattr(kind, "__origin__", None)
    return origin() if origin in (list, dict) else ""
