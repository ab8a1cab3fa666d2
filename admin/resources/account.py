"""The account itself: its name, its switches, its interface texts.

Invariant: an account never moves to another cell, and its id stays.
"""

from functools import partial

from admin.http.operations import Call, Operation
from admin.http.problems import INVALID, Fault, Problem
from admin.http.replies import Reply, shown
from admin.office import Change, Office, recompiled
from admin.resources.things import a_document, merged
from admin.workspace.changes import changes
from admin.workspace.document import account_document, settings_document
from admin.workspace.readers import Schema
from admin.workspace.shape import ACCOUNT_FIELDS
from protocol.bus.config import AccountConfig
from store.sql.queries.changes import Seen

_FIELDS = ("id", "name", "data_privacy", "storage_consent", "max_open", "texts")
SCHEMA: Schema = {
    "type": "object",
    "title": "Account",
    "properties": {name: ACCOUNT_FIELDS[name].schema for name in _FIELDS},
    "required": ["id", "name"],
    "additionalProperties": False,
}


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about the caller's account."""

    async def get(call: Call) -> Reply:
        return shown(settings_document(await office.present(call.caller.account)))

    async def patch(call: Call) -> Reply:
        return await office.change(call, partial(_patched, office, call))

    patched = a_document(
        {"type": "object", "description": "the fields of the account that change; null takes one away"}
    )
    return [
        Operation("GET", "/account", "get_account", "Read the account", get, "settings.read", answer=SCHEMA,
                  tag="account"),
        Operation("PATCH", "/account", "change_account", "Change the account's name, switches and texts", patch,
                  "settings.edit", patched, SCHEMA, problems=(409, 412, 428), guarded=True, tag="account"),
    ]  # fmt: skip


def _patched(office: Office, call: Call, seen: Seen, config: AccountConfig) -> Change:
    before = settings_document(config)
    call.guard(before)
    wanted = merged(before, call.plain)
    if wanted.get("id") != config.account:
        raise Problem(INVALID, "an id stays as it is", [Fault("/id", "cannot be changed")])
    unknown = [name for name in wanted if name not in _FIELDS]
    if unknown:
        raise Problem(
            INVALID, "the account has no such field", [Fault(f"/{name}", "is no field here") for name in unknown]
        )
    kept = {name: value for name, value in account_document(config).items() if name not in _FIELDS}
    after = recompiled(seen, wanted | kept, office.entropy, "")
    lines = tuple(changes(config, after))
    return Change("account.changed", "account", shown(settings_document(after)), lines, after if lines else None)
