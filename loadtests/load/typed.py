"""A YAML value read as a type: msgspec's structs with their limits, each mistake at its path and line.

Invariant: reading never stops at a mistake; what is returned was checked as a whole, or nothing is returned.
"""

import difflib
import types
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET

from admin.workspace.places import Place, Wrong

_NUMBERS = {"int": int, "float": float}
_NONE = type(None)


def read(here: Place, wanted: Any) -> Any:
    """Return what `here` says as a `wanted`, or UNSET after noting every mistake."""
    structs = [each for each in _choices(wanted) if _is_struct(each)]
    if structs:
        return _struct(here, structs)
    if get_origin(wanted) is list or get_origin(_bare(wanted)) is list:
        return _list(here, wanted)
    if get_origin(_bare(wanted)) is dict:
        return _dict(here, wanted)
    return here_or_unset(here, wanted)


def here_or_unset(here: Place, wanted: Any) -> Any:
    """Return the scalar here as a `wanted`, or UNSET after noting why not."""
    try:
        return msgspec.convert(_scalar(here), wanted)
    except msgspec.ValidationError as error:
        here.wrong(_said(str(error), here))
    except Wrong as wrong:
        here.wrong(str(wrong))
    return UNSET


def _struct(here: Place, structs: list[Any]) -> Any:
    fields = here.fields()
    if fields is None:
        here.wrong(f"must be named fields, not {here.found}")
        return UNSET
    chosen = _chosen(here, fields, structs)
    if chosen is None:
        return UNSET
    known = {field.name: field for field in msgspec.structs.fields(chosen)}
    before, values = len(here.mistakes), {}
    for name, place in fields.items():
        if name in known:
            values[name] = read(place, known[name].type)
        elif name != chosen.__struct_config__.tag_field:
            place.wrong(f"is no field here{_meant(name, list(known))}")
    for name, field in known.items():
        if name not in values and field.default is NODEFAULT and field.default_factory is NODEFAULT:
            here.wrong(f"{name} is missing")
    return UNSET if len(here.mistakes) > before else chosen(**values)


def _chosen(here: Place, fields: dict[str, Place], structs: list[Any]) -> Any:
    """Return the one of `structs` that the tag names."""
    tag_field = structs[0].__struct_config__.tag_field
    if tag_field is None:
        return structs[0]
    by_tag = {each.__struct_config__.tag: each for each in structs}
    options = f"one of: {', '.join(by_tag)}"
    if tag_field not in fields:
        here.wrong(f"{tag_field} is missing: {options}")
        return None
    said = fields[tag_field].scalar("str")
    if said not in by_tag:
        fields[tag_field].wrong(f"must be {options}")
    return by_tag.get(said or "")


def _list(here: Place, wanted: Any) -> Any:
    items = here.items()
    if items is None:
        here.wrong(f"must be a list, not {here.found}")
        return UNSET
    (each,) = get_args(_bare(wanted))
    before = len(here.mistakes)
    found = [read(item, each) for item in items]
    if any(getattr(meta, "min_length", None) for meta in getattr(wanted, "__metadata__", ())) and not found:
        here.wrong("needs at least one")
    return UNSET if len(here.mistakes) > before else found


def _dict(here: Place, wanted: Any) -> Any:
    fields = here.fields()
    if fields is None:
        here.wrong(f"must be named values, not {here.found}")
        return UNSET
    _, each = get_args(_bare(wanted))
    before = len(here.mistakes)
    found = {name: read(place, each) for name, place in fields.items()}
    return UNSET if len(here.mistakes) > before else found


def _scalar(here: Place) -> Any:
    for kind in ("str", "int", "float", "bool", "null"):
        text = here.scalar(kind)
        if text is None:
            continue
        if kind in _NUMBERS:
            try:
                return _NUMBERS[kind](text)
            except ValueError:
                raise Wrong("must be written in plain digits") from None
        return {"str": text, "bool": text.lower() == "true", "null": None}[kind]
    raise Wrong(f"must be one value, not {here.found}")


def _bare(wanted: Any) -> Any:
    """Return the type without its limits."""
    return get_args(wanted)[0] if hasattr(wanted, "__metadata__") else wanted


def _choices(wanted: Any) -> list[Any]:
    bare = _bare(wanted)
    if get_origin(bare) in (Union, types.UnionType):
        return [part for each in get_args(bare) if each is not _NONE for part in _choices(each)]
    return [bare]


def _is_struct(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _meant(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"; is {close[0]} meant?" if close else f"; there are: {', '.join(known)}"


def _said(error: str, here: Place) -> str:
    """Return msgspec's words as ours: `Expected int >= 1` is `must be int >= 1, not …`."""
    reason = error.partition(" - at ")[0].removeprefix("Expected `").replace("`, got `", ", not ").replace("`", "")
    said = str(getattr(here.node, "value", ""))
    return f"{reason[0].lower()}{reason[1:]}" if reason.startswith("Invalid") else f"is {said}; must be {reason}"
