"""Maps from the wire to dataclasses, by field name.

Invariant: fields that the class does not know are ignored (SPEC 2.2); a missing one without default raises TypeError,
since a server that leaves it out is not ours.
"""

from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")

_names: dict[type, tuple[str, ...]] = {}


def read(kind: type[T], values: dict[str, Any]) -> T:
    """Return a `kind` of what `values` has for it."""
    names = _names.get(kind)
    if names is None:
        names = _names[kind] = tuple(field.name for field in fields(kind))  # type: ignore[arg-type] # T is a dataclass
    return kind(**{name: values[name] for name in names if name in values})
