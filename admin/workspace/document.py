"""A configuration as the account of a workspace document: what REST shows, and what an edit begins with.

Invariant: read and compiled again it is exactly the configuration it came from. Archived chatflows and past versions
are not in it: compiling keeps them. Secrets are in it only as hashes, but for those of HS256, which are needed whole.
"""

from typing import Any

import msgspec

from admin.workspace.flows import OFF
from admin.workspace.schedule import DAYS
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig, App
from protocol.bus.hours import Holiday, Hours, Interval

Document = dict[str, Any]  # plain JSON, in the form of docs/howto/workspace.md
THINGS = ("apps", "hours", "agents", "teams", "inboxes", "rules", "subscriptions", "canned", "surveys")
_SWITCHES = ("id", "name", "data_privacy", "storage_consent", "max_open", "texts")


def account_document(config: AccountConfig) -> Document:
    """Return the whole account."""
    return {
        **settings_document(config),
        **{name: things_document(config, name) for name in THINGS},
        "chatflows": [flow_document(flow) for flow in config.chatflows if not flow.archived],
    }


def settings_document(config: AccountConfig) -> Document:
    """Return what the account has beside its things."""
    return {name: config.account if name == "id" else getattr(config, name) for name in _SWITCHES}


def things_document(config: AccountConfig, name: str) -> list[Document]:
    """Return the things called `name`, one of THINGS."""
    return [_thing(thing) for thing in getattr(config, name)]


def flow_document(flow: Chatflow) -> Document:
    """Return a version of a chatflow, its survey written out."""
    said = _said(flow)
    content = {name: value for name, value in said.items() if name not in ("version", "archived")}
    return content | {"rule": flow.rule or OFF}


def _thing(thing: Any) -> Document:
    match thing:
        case App():
            return _said(thing) | {"server_keys": [f"sha256:{key}" for key in thing.server_keys]}
        case Hours():
            week = {day: _intervals(of_day) for day, of_day in zip(DAYS, thing.week, strict=True)}
            return _said(thing) | {"week": week, "holidays": [_holiday(holiday) for holiday in thing.holidays]}
        case _:
            return _said(thing)


def _holiday(holiday: Holiday) -> Document:
    named = {"name": holiday.name} if holiday.name else {}
    return {"day": holiday.day, **named, "intervals": _intervals(holiday.intervals)}


def _said(thing: msgspec.Struct) -> Document:
    """Return the fields of a thing; what is None or "" is left out: not given is what it means."""
    said: Document = _without_nothing(msgspec.to_builtins(thing))
    return said


def _without_nothing(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {name: _without_nothing(value) for name, value in plain.items() if value is not None and value != ""}
    return [_without_nothing(item) for item in plain] if isinstance(plain, list) else plain


def _intervals(intervals: list[Interval]) -> list[str]:
    return [f"{_clock(one.opens_min)}-{_clock(one.closes_min)}" for one in intervals]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
