"""API keys: made, listed, revoked.

Invariant: a key's secret is shown once, in the answer that makes it; a key may do no more than who made it.
"""

from functools import partial
from typing import Annotated, Any

from msgspec import Meta, Struct

from admin.access.scopes import SCOPES, Scope
from admin.access.secrets import KEY_PREFIX, hash_of, new_secret
from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import PAGING, page_schema, paged, sorting
from admin.http.problems import FORBIDDEN, NOT_FOUND, Problem
from admin.http.replies import Reply
from admin.office import Office
from admin.once import once
from admin.workspace.document import Document
from admin.workspace.readers import Schema
from store.sql.queries import access, changes
from store.sql.queries.access import Key
from store.sql.queries.audit_log import Deed

MAX_DAYS = 3_650
DAY_MS = 86_400_000
_REVOKED = Parameter("revoked", {"type": "boolean"}, "only those that were, or were not")


class NewKey(Struct, forbid_unknown_fields=True):
    """What a key is for, and what it may do. `days`: how long it lets anybody in; 0: until it is revoked."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=50)]
    days: Annotated[int, Meta(ge=0, le=MAX_DAYS)] = 365


_TIME: Schema = {"type": ["integer", "null"], "description": "milliseconds since 1970"}
SCHEMA: Schema = {
    "type": "object",
    "title": "Key",
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "scopes": {"type": "array", "items": {"type": "string", "enum": list(SCOPES)}},
        "created_at_ms": _TIME,
        "created_by": {"type": "string"},
        "expires_at_ms": _TIME,
        "revoked_at_ms": _TIME,
    },
    "required": ["id", "name", "scopes"],
}
_MADE: Schema = SCHEMA | {
    "title": "MadeKey",
    "properties": SCHEMA["properties"] | {"secret": {"type": "string", "description": "shown this once"}},
    "required": [*SCHEMA["required"], "secret"],
}


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about API keys."""
    desk = _Desk(office)
    return [
        Operation("GET", "/keys", "list_keys", "List the API keys", desk.listed, "keys.edit", tag="keys",
                  answer=page_schema(SCHEMA), parameters=(*PAGING, sorting("id", "name", "created_at_ms"), _REVOKED)),
        Operation("POST", "/keys", "create_key", "Make an API key", desk.create, "keys.edit", NewKey, _MADE, 201,
                  tag="keys", once=True),
        Operation("DELETE", "/keys/{key}", "revoke_key", "Let nobody in with a key any more", desk.revoke, "keys.edit",
                  status=204, problems=(404,), tag="keys"),
    ]  # fmt: skip


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def listed(self, call: Call) -> Reply:
        found = await self._office.config.read(partial(access.keys, account=call.caller.account))
        wanted = call.query.get("revoked")
        return paged(call, [_shown(key) for key in found if wanted in (None, key.revoked_at_ms is not None)], "id")

    async def create(self, call: Call) -> Reply:
        wanted: NewKey = call.body
        if strange := sorted(set(wanted.scopes) - call.caller.scopes):
            raise Problem(FORBIDDEN, f"you do not have {', '.join(strange)} to give")
        now_ms = self._office.now_ms()
        ends = now_ms + wanted.days * DAY_MS if wanted.days else None
        secret = new_secret(KEY_PREFIX, self._office.entropy)
        key = Key(
            f"key_{self._office.entropy(8).hex()}", call.caller.account, wanted.name, tuple(wanted.scopes), now_ms,
            call.caller.actor, ends, None,
        )  # fmt: skip
        deed = Deed(now_ms, call.caller.actor, "key.created", f"keys/{key.id}", (f"scopes: {' '.join(key.scopes)}",))
        reply = Reply(_shown(key) | {"secret": secret}, 201, headers={"Location": f"/api/v1/keys/{key.id}"})

        def add(sql: Any) -> Reply:
            changes.add_key(sql, key, hash_of(secret), deed)
            return reply

        return await once(self._office, call, add)

    async def revoke(self, call: Call) -> Reply:
        deed = Deed(self._office.now_ms(), call.caller.actor, "key.revoked", f"keys/{call.path['key']}")
        revoked = partial(changes.revoke_key, account=call.caller.account, key=call.path["key"], deed=deed)
        if not await self._office.config.transact(revoked):
            raise Problem(NOT_FOUND, "there is no such key that lets anybody in")
        return Reply(None)


def _shown(key: Key) -> Document:
    return {
        "id": key.id, "name": key.name, "scopes": list(key.scopes), "created_at_ms": key.created_at_ms,
        "created_by": key.created_by, "expires_at_ms": key.expires_at_ms, "revoked_at_ms": key.revoked_at_ms,
    }  # fmt: skip
