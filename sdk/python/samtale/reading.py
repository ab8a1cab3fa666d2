"""Maps from the wire to dataclasses, by field name, as deep as the types go.

Invariant: fields and kinds that a class does not know are ignored (SPEC 2.2); a missing field without default raises
TypeError, since a server that leaves it out is not ours.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Take = Callable[[Any], Any]

_tagged: dict[type, Take] = {}
_plans: dict[type, list[tuple[str, Take | None]]] = {}


def read(kind: type[T], values: dict[str, Any]) -> T:
    """Return a `kind` of what `values` has for it."""
    return kind(**{name: take(values[name]) if take else values[name] for name, take in _plan(kind) if name in values})


def tag(base: type, kinds: Mapping[str, type], unknown: Callable[[str, dict[str, Any]], Any]) -> Take:
    """Have fields of type `base` read by their `kind`; return what does it."""

    def take(values: dict[str, Any]) -> Any:
        kind = values["kind"]
        return read(kinds[kind], values) if kind in kinds else unknown(kind, values)

    _tagged[base] = take
    return take


def _plan(kind: type) -> list[tuple[str, Take | None]]:
    hints = get_type_hints(kind)
    plan = _plans[kind] = [(each.name, _take(hints[each.name])) for each in fields(kind)]
    return plan


def _take(hint: Any) -> Take | None:
    """Return what turns a value from the wire into `hint`; None if it is so already."""
    if hint in _tagged:
        return _tagged[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return partial(read, hint)
    inner = [take for take in map(_take, get_args(hint)) if take is not None]
    if not inner:
        return None
    (each,) = inner
    if get_origin(hint) is list:
        return lambda values: [each(value) for value in values]
    assert get_origin(hint) in (Union, types.UnionType), hint
    return lambda value: None if value is None else each(value)
