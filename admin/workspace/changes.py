"""What becomes different from one configuration to the next, in lines for people.

Invariant: nothing that differs is left out but the version's own numbers, and no secret is shown: of those it is said
that they changed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from admin.workspace.schedule import DAYS
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig
from protocol.bus.hours import Hours, Interval

SHOWN_CHARS = 60
_ACCOUNT_FIELDS = ("name", "data_privacy", "storage_consent", "max_open", "texts")
_KINDS = (
    ("app", "apps"), ("inbox", "inboxes"), ("agent", "agents"), ("team", "teams"), ("opening hours", "hours"),
    ("rule", "rules"), ("subscription", "subscriptions"), ("ready reply", "canned"),
)  # fmt: skip
_SECRET = ("password", "material", "server_keys")
_MARKS = ("key", "kid", "id")  # by one of these, a thing in a list is known


def changes(before: AccountConfig | None, after: AccountConfig) -> list[str]:
    """Return a line for each thing that `after` has otherwise, and indented under it one for each field."""
    lines = list(_fields(_of_account(before), _of_account(after))) if before else []
    for kind, field in _KINDS:
        old = {_mark(thing): _plain(thing) for thing in getattr(before, field, [])}
        new = {_mark(thing): _plain(thing) for thing in getattr(after, field)}
        lines += _things(kind, old, new)
    flows = {flow.id: flow for flow in before.chatflows} if before else {}
    for flow in after.chatflows:
        lines += flow_changes(flows.get(flow.id), flow)
    return lines


def flow_changes(before: Chatflow | None, after: Chatflow) -> list[str]:
    """Return what differs between two versions of a chatflow."""
    if before is None:
        return [f"chatflow {after.id}: added"]
    lines = list(_fields(_plain(before), _plain(after)))
    if after.archived and not before.archived:
        return [f"chatflow {after.id}: archived; conversations under it go on"]
    number = f"version {before.version} → {after.version}" if before.version != after.version else "live at once"
    return [f"chatflow {after.id}: {number}", *(f"  {line}" for line in lines)] if lines else []


def _of_account(config: AccountConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in _ACCOUNT_FIELDS}


def _things(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in {**old, **new}:
        if name not in old:
            yield f"{kind} {name}: added"
        elif name not in new:
            yield f"{kind} {name}: removed"
        elif lines := list(_fields(old[name], new[name])):
            yield f"{kind} {name}:"
            yield from (f"  {line}" for line in lines)


def _fields(old: Mapping[str, Any], new: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name in {**old, **new}:
        was, now, here = old.get(name), new.get(name), f"{path}{name}"
        if was == now:
            continue
        if name in _SECRET:
            yield f"{here}: changed"
        elif isinstance(was, dict) and isinstance(now, dict):
            yield from _fields(was, now, f"{here}.")
        elif isinstance(was, list) and isinstance(now, list):
            yield f"{here}: {_moved(was, now)}"
        else:
            yield f"{here}: {_shown(was)} → {_shown(now)}"


def _moved(was: list[str], now: list[str]) -> str:
    gone, come = [one for one in was if one not in now], [one for one in now if one not in was]
    moved = [*(f"+{one}" for one in come), *(f"−{one}" for one in gone)]
    return ", ".join(moved) or f"in the order {', '.join(now)}"


def _shown(value: Any) -> str:
    match value:
        case None | "" | [] | {}:
            return "none"
        case bool():
            return "yes" if value else "no"
        case str():
            text = " ".join(value.split())
            return f"“{text}”" if len(text) <= SHOWN_CHARS else f"“{text[:SHOWN_CHARS]}…”"
        case list():
            return ", ".join(str(one) for one in value)
        case dict():
            return (
                str(value["id"]) if "id" in value else ", ".join(f"{name} {_shown(one)}" for name, one in value.items())
            )
    return str(value)


def _mark(thing: msgspec.Struct) -> str:
    return str(next(getattr(thing, mark) for mark in _MARKS if hasattr(thing, mark)))


def _plain(thing: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of `thing` for comparing: keys by their names, opening hours as people write them."""
    found: dict[str, Any] = msgspec.to_builtins(thing)
    for name in ("version", "archived"):
        if isinstance(thing, Chatflow):
            found.pop(name)
    if isinstance(thing, Hours):
        found["week"] = {day: _written(intervals) for day, intervals in zip(DAYS, thing.week, strict=True)}
        found["holidays"] = {one.day: [one.name, *_written(one.intervals)] for one in thing.holidays}
    if "identity_keys" in found:
        found["identity_keys"] = {key["kid"]: key for key in found["identity_keys"]}
    return found


def _written(intervals: list[Interval]) -> list[str]:
    return [f"{_clock(one.opens_min)}-{_clock(one.closes_min)}" for one in intervals]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
