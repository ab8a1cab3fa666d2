"""The kinds of things that an account has, as `things` handles them: what is hidden of each, and who may touch it.

Invariant: neither a password nor a shared secret nor a server's key is ever shown, hashed or not.
"""

from typing import Any

from admin.access.scopes import SCOPES, is_within
from admin.http.operations import Call, Parameter
from admin.http.problems import FORBIDDEN, Problem
from admin.resources.things import Kind
from admin.workspace.document import Document
from admin.workspace.flows import SURVEY
from admin.workspace.readers import Schema, ident
from admin.workspace.schedule import HOURS
from admin.workspace.shape import APP, CANNED, SUBSCRIPTION
from admin.workspace.staffing import AGENT, INBOX, RULE, TEAM
from protocol.bus.staff import Role

_BY_INBOX = Parameter("inbox", ident.schema, "only those of it")


def _hide_password(user: Document) -> Document:
    return {name: value for name, value in user.items() if name != "password"}


def _keep_password(new: Document, old: Document) -> Document:
    return {"password": old["password"], **new}


def _check_user(call: Call, old: Document | None, new: Document | None) -> None:
    """Refuse to touch who may more than the caller, and to give what the caller does not have."""
    scopes = call.caller.scopes
    for user in (old, new):
        role: Any = (user or {}).get("role", "agent")
        granted = (user or {}).get("permissions", [])
        known: tuple[Role, ...] = ("owner", "admin", "supervisor", "agent")
        if role in known and not is_within(role, scopes):
            raise Problem(FORBIDDEN, f"{role} may more than you: only who may as much gives or changes that")
        if isinstance(granted, list) and any(one in SCOPES and one not in scopes for one in granted):
            raise Problem(FORBIDDEN, "a permission that you do not have is not yours to give")


def _hide_secrets(app: Document) -> Document:
    keys = [
        {name: value for name, value in key.items() if name != "material" or key["algorithm"] != "HS256"}
        for key in app["identity_keys"]
    ]
    return {name: value for name, value in app.items() if name != "server_keys"} | {"identity_keys": keys}


def _keep_secrets(new: Document, old: Document) -> Document:
    """Put back server keys, and the secret of each identity key that is named without one."""
    known = {key["kid"]: key for key in old["identity_keys"]}
    sent = new.get("identity_keys", [])
    keys = [
        known.get(key.get("kid"), {}) | key if isinstance(key, dict) and "material" not in key else key
        for key in (sent if isinstance(sent, list) else [])
    ]
    return {"server_keys": old["server_keys"], **new} | ({"identity_keys": keys} if isinstance(sent, list) else {})


def _with_keys_shown(app: Schema) -> Schema:
    """Return the schema of an app whose identity keys may come without their secret."""
    keys = app["properties"]["identity_keys"]
    shown = keys | {"items": keys["items"] | {"required": ["kid", "algorithm"]}}
    return app | {"properties": app["properties"] | {"identity_keys": shown}}


def _take_rules(document: Document, inbox: Document) -> None:
    document["rules"] = [rule for rule in document["rules"] if rule["inbox"] != inbox["id"]]


def _shown(schema: Schema, *hidden: str) -> Schema:
    """Return the schema with some fields only for writing."""
    properties = {
        name: each | {"writeOnly": True} if name in hidden else each for name, each in schema["properties"].items()
    }
    return schema | {"properties": properties}


KINDS = (
    Kind("apps", "app", "/apps", _shown(_with_keys_shown(APP.schema), "server_keys"), identity="key",
         hide=_hide_secrets, keep=_keep_secrets, sorts=("key", "name"),
         filters=(Parameter("environment", {"type": "string", "enum": ["production", "test"]}),)),
    Kind("hours", "schedule", "/hours", HOURS.schema),
    Kind("agents", "user", "/users", AGENT.schema | {"title": "User"}, "staff.edit", hide=_hide_password,
         keep=_keep_password, check=_check_user, sorts=("id", "name", "email"), filters=(
             Parameter("role", AGENT.schema["properties"]["role"]), Parameter("seat", {"type": "boolean"}))),
    Kind("teams", "team", "/teams", TEAM.schema, "staff.edit"),
    Kind("inboxes", "inbox", "/inboxes", INBOX.schema, takes_along=_take_rules,
         filters=(Parameter("kind", INBOX.schema["properties"]["kind"], "inbox or help_desk"),)),
    Kind("rules", "rule", "/rules", RULE.schema, filters=(_BY_INBOX,)),
    Kind("subscriptions", "subscription", "/subscriptions", SUBSCRIPTION.schema),
    Kind("canned", "ready_reply", "/ready-replies", CANNED.schema, sorts=("id",)),
    Kind("surveys", "survey", "/surveys", SURVEY.schema),
)  # fmt: skip
