"""The shape of a workspace file: its fields, and how each is read. docs/howto/workspace.md says it to people.

Invariant: names, units and defaults are those of `protocol.bus.config`; a field that is not here is refused.
"""

import msgspec

from app.workspace.identity import check_key
from app.workspace.places import Place
from app.workspace.readers import (
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
from app.workspace.structs import Placed, plain, struct
from protocol.bus.config import Agent, App, Chatflow, Consent, Heading, IdentityKey, Inbox, Rule

_DAY_S = 86_400
_MONTH_S = 30 * _DAY_S
_YEAR_S = 365 * _DAY_S
LAST = 1_000_000  # the priority of chatflows that name none


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


_IDENTITY_KEY = struct(
    IdentityKey,
    {"kid": ident, "algorithm": one_of("HS256", "RS256", "ES256", "EdDSA"), "material": text(10_000)},
)
_APP = struct(
    App,
    {
        "key": ident,
        "name": text(100),
        "origins": list_of(origin),
        "audience": text(200),
        "identity_keys": list_of(plain(_IDENTITY_KEY, check_key)),
    },
)
_INBOX = struct(Inbox, {"id": ident, "name": text(100), "kind": one_of("inbox", "help_desk"), "agents": list_of(ident)})
_AGENT = struct(
    Agent,
    {
        "id": ident,
        "name": text(100),
        "email": email,
        "password": password,
        "seat": flag,
        "supervisor": flag,
        "capacity": number(0, 100),
    },
)
_RULE = struct(
    Rule,
    {
        "id": ident,
        "inbox": ident,
        "name": text(100),
        "agents": list_of(ident),
        "auto_accept": flag,
        "offer_timeout_s": number(1, 3_600),
        "decline_pause_s": number(1, 3_600),
        "lost_grace_s": number(0, 3_600),
        "expiries_to_away": number(1, 100),
        "last_agent_window_s": number(0, _YEAR_S),
    },
)
_CONSENT = struct(Consent, {"mode": one_of("off", "explicit", "legitimate_interest"), "text": texts(10_000)})
_HEADING = struct(
    Heading,
    {
        "kind": one_of("custom", "users_and_teams", "assigned_agent", "contact_owner"),
        "name": text(100),
        "image": text(2_000),
        "agents": list_of(ident),
        "teams": list_of(ident),
    },
)


def _heading(here: Place) -> Heading:
    """Read a heading; text alone is the name of a custom one."""
    return Heading(name=text(100)(here)) if here.scalar("str") is not None else plain(_HEADING)(here)


_CHATFLOW = struct(
    Chatflow,
    {
        "id": ident,
        "name": text(100),
        "inbox": ident,
        "tags": list_of(tag, least=1),
        "priority": number(1, LAST - 1),
        "enabled": flag,
        "language": locale,
        "rule": ident,
        "heading": _heading,
        "welcome": texts(10_000),
        "consent": plain(_CONSENT),
        "close_button": flag,
        "reopen_window_s": number(0, _MONTH_S),
        "gated_ttl_s": number(60, _MONTH_S),
    },
    given={"version": 1, "priority": LAST, "enabled": True, "rule": "", "heading": Heading()},
)
_ACCOUNT = struct(
    Account,
    {
        "id": ident,
        "name": text(100),
        "apps": list_of(_APP, least=1),
        "inboxes": list_of(_INBOX, least=1),
        "agents": list_of(_AGENT),
        "rules": list_of(_RULE),
        "chatflows": list_of(_CHATFLOW, least=1),
    },
    needed=("apps", "inboxes", "chatflows"),
)
workspace = struct(Workspace, {"accounts": list_of(_ACCOUNT, least=1)})
