"""The shape of a workspace file: its fields, and how each is read. docs/howto/workspace.md says it to people.

Invariant: names, units and defaults are those of `protocol.bus.config`; a field that is not here is refused.
"""

from typing import Any

import msgspec

from admin.workspace.flows import CHATFLOW, SURVEY, TEXTS, check_survey
from admin.workspace.forms import origin, server_key
from admin.workspace.identity import check_key
from admin.workspace.places import Place
from admin.workspace.readers import Reader, flag, ident, list_of, number, one_of, reads, text, texts
from admin.workspace.schedule import HOURS
from admin.workspace.staffing import AGENT, INBOX, RULE, TEAM
from admin.workspace.structs import Placed, plain, struct
from protocol.bus.chatflow import Chatflow, Survey, Texts
from protocol.bus.config import App, Canned, IdentityKey, Subscription
from protocol.bus.hours import Hours
from protocol.bus.staff import Agent, Inbox, Rule, Team


class Account(msgspec.Struct, frozen=True):
    """One account of the file."""

    id: str
    name: str
    apps: list[Placed[App]] = []
    inboxes: list[Placed[Inbox]] = []
    agents: list[Placed[Agent]] = []
    teams: list[Placed[Team]] = []
    hours: list[Placed[Hours]] = []
    rules: list[Placed[Rule]] = []
    subscriptions: list[Placed[Subscription]] = []
    canned: list[Placed[Canned]] = []
    surveys: list[Placed[Survey]] = []
    chatflows: list[Placed[Chatflow]] = []
    texts: dict[str, Texts] = {}
    data_privacy: bool = True
    storage_consent: bool = True
    max_open: int = 5


class Workspace(msgspec.Struct, frozen=True):
    """The whole file."""

    accounts: list[Placed[Account]]


_IDENTITY_KEY = struct(
    IdentityKey,
    {"kid": ident, "algorithm": one_of("HS256", "RS256", "ES256", "EdDSA"), "material": text(10_000)},
)
APP = struct(
    App,
    {
        "key": ident,
        "name": text(100),
        "environment": one_of("production", "test"),
        "origins": list_of(origin, named=True),
        "audience": text(200),
        "identity_keys": list_of(plain(_IDENTITY_KEY, check_key)),
        "server_keys": list_of(server_key),
    },
)
SUBSCRIPTION = struct(Subscription, {"id": ident, "name": text(100)})
CANNED = struct(Canned, {"id": ident, "text": texts(10_000)})


@reads({"type": "array", "items": SURVEY.schema})
def _surveys(here: Place) -> list[Placed[Survey]]:
    surveys = list_of(SURVEY)(here)
    for survey in surveys:
        check_survey(survey)
    return surveys


ACCOUNT_FIELDS: dict[str, Reader[Any]] = {
    "id": ident,
    "name": text(100),
    "data_privacy": flag,
    "storage_consent": flag,
    "max_open": number(1, 100),
    "texts": TEXTS,
    "apps": list_of(APP),
    "hours": list_of(HOURS),
    "agents": list_of(AGENT),
    "teams": list_of(TEAM),
    "inboxes": list_of(INBOX),
    "rules": list_of(RULE),
    "subscriptions": list_of(SUBSCRIPTION),
    "canned": list_of(CANNED),
    "surveys": _surveys,
    "chatflows": list_of(CHATFLOW),
}
_NEEDED = ("apps", "inboxes", "chatflows")  # a file whose account has none of these is not finished
_AT_LEAST_ONE: dict[str, Reader[Any]] = {
    "apps": list_of(APP, least=1),
    "inboxes": list_of(INBOX, least=1),
    "chatflows": list_of(CHATFLOW, least=1),
}
_ACCOUNT = struct(Account, ACCOUNT_FIELDS | _AT_LEAST_ONE, needed=_NEEDED)
workspace: Reader[Placed[Workspace]] = struct(Workspace, {"accounts": list_of(_ACCOUNT, least=1)})
bare_workspace: Reader[Placed[Workspace]] = struct(Workspace, {"accounts": list_of(struct(Account, ACCOUNT_FIELDS))})
