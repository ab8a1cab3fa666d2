"""The shape of a workspace file: which fields there are and how each is read. docs/howto/workspace.md says it to people.

Invariant: names and defaults are those of `protocol.bus.config`; a field that is not here is refused.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from app.workspace.places import Place
from app.workspace.readers import (
    Reader,
    email,
    flag,
    ident,
    list_of,
    locale,
    number,
    one_of,
    origin,
    password,
    tag,
    text,
    texts,
)
from protocol.bus.config import Agent, App, Chatflow, Consent, IdentityKey, Inbox, Rule

T = TypeVar("T")
_DAY_S = 86_400
LAST = 1_000_000  # the priority of chatflows that name none


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """A thing read from the file, and where it and each of its fields is. Usable only if nothing was wrong."""

    thing: T
    here: Place
    at: dict[str, Place]

    def wrong(self, field: str, reason: str) -> None:
        """Note what is wrong with `field`, or with the thing if the field is not there."""
        self.at.get(field, self.here).wrong(reason)

    def __eq__(self, other: object) -> bool:
        return self is other


class Account(msgspec.Struct, frozen=True):
    """One account of the file."""

    id: str
    name: str
    apps: list[Placed[App]] = []
    inboxes: list[Placed[Inbox]] = []
    agents: list[Placed[Agent]] = []
    rules: list[Placed[Rule]] = []
    chatflows: list[Placed[Chatflow]] = []


class Workspace(msgspec.Struct, frozen=True):
    """The whole file."""

    accounts: list[Placed[Account]]


def struct(kind: type[T], *also_needed: str, **readers: Reader[Any]) -> Reader[Placed[T]]:
    """Read named fields into `kind`; needed are those without a default there and `also_needed`."""
    known = {field.name: field for field in msgspec.structs.fields(kind)}
    needed = {name for name in readers if known[name].required} | set(also_needed)
    needed -= _GIVEN.get(kind.__name__, {}).keys()

    def read(here: Place) -> Placed[T] | None:
        at = here.fields()
        if at is None:
            here.wrong(f"must be named fields, not {here.found}")
            return None
        for name in at.keys() - readers.keys():
            at[name].wrong(f"is no field here; there are: {', '.join(readers)}")
        for name in sorted(needed - at.keys(), key=list(readers).index):
            here.wrong(f"{name} is missing")
        read = {name: reader(at[name]) for name, reader in readers.items() if name in at}
        values = _GIVEN.get(kind.__name__, {}) | {name: value for name, value in read.items() if value is not None}
        blank: dict[str, Any] = {name: _blank(field) for name, field in known.items() if field.required}
        return Placed(kind(**(blank | values)), here, at)

    return read


def plain(reader: Reader[Placed[T]]) -> Reader[T]:
    """Read the thing alone, where nobody asks for its place any more."""

    def read(here: Place) -> T | None:
        placed = reader(here)
        return None if placed is None else placed.thing

    return read


# What the file may leave out although the configuration may not.
_GIVEN: dict[str, dict[str, Any]] = {
    "Chatflow": {"version": 1, "tags": [], "priority": LAST, "enabled": True, "rule": "", "heading": ""},
}


def _blank(field: msgspec.structs.FieldInfo) -> Any:
    return [] if getattr(field.type, "__origin__", None) is list else ""


identity_key = struct(
    IdentityKey, kid=ident, algorithm=one_of("HS256", "RS256", "ES256", "EdDSA"), material=text(10_000)
)
app = struct(
    App,
    key=ident,
    name=text(100),
    origins=list_of(origin),
    audience=text(200),
    identity_keys=list_of(identity_key),  # type: ignore[arg-type]
)
inbox = struct(Inbox, id=ident, name=text(100), kind=one_of("inbox", "help_desk"), agents=list_of(ident))
agent = struct(
    Agent,
    id=ident,
    name=text(100),
    email=email,
    password=password,
    seat=flag,
    supervisor=flag,
    capacity=number(0, 100),
)
rule = struct(
    Rule,
    id=ident,
    inbox=ident,
    name=text(100),
    agents=list_of(ident),
    auto_accept=flag,
    offer_timeout_s=number(1, 3_600),
    decline_pause_s=number(1, 3_600),
    lost_grace_s=number(0, 3_600),
    expiries_to_away=number(1, 100),
    last_agent_window_s=number(0, 365 * _DAY_S),
)
consent = struct(Consent, mode=one_of("off", "explicit", "legitimate_interest"), text=texts(10_000))
chatflow = struct(
    Chatflow,
    id=ident,
    name=text(100),
    inbox=ident,
    tags=list_of(tag, least=1),
    priority=number(1, LAST - 1),
    enabled=flag,
    language=locale,
    rule=ident,
    heading=text(100),
    welcome=texts(10_000),
    consent=plain(consent),
    close_button=flag,
    reopen_window_s=number(0, 30 * _DAY_S),
    gated_ttl_s=number(60, 30 * _DAY_S),
)
account = struct(
    Account,
    "apps",
    "inboxes",
    "chatflows",
    id=ident,
    name=text(100),
    apps=list_of(app, least=1),
    inboxes=list_of(inbox, least=1),
    agents=list_of(agent),
    rules=list_of(rule),
    chatflows=list_of(chatflow, least=1),
)
workspace = struct(Workspace, accounts=list_of(account, least=1))
