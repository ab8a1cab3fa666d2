"""Maps from the wire to dataclasses, by field name.

Invariant: fields that the class does not know are ignored (SPEC 2.2); a missing one without default raises TypeError,
since a server that leaves it out is not ours.
"""

from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def read(kind: type[T], values: dict[str, Any]) -> T:
    """Return a `kind` of what `values` has for it."""
    return kind(**{name: values[name] for name in _names(kind) if name in values})
