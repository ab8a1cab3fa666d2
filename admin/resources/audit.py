"""The audit log: read in pages, exported whole, checked.

Invariant: nothing here changes it.
"""

from collections.abc import AsyncIterator
from functools import partial

import orjson

from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import PAGING, key_of, limit_of, page_reply, page_schema
from admin.http.replies import Reply
from admin.office import Office
from admin.workspace.document import Document
from admin.workspace.readers import Schema
from protocol.ids import AccountId
from store.sql.queries import audit_log
from store.sql.queries.audit_log import BEGINNING, Entry, Wanted

_AT_ONCE = 1_000
SCHEMA: Schema = {
    "type": "object",
    "title": "AuditEntry",
    "properties": {
        "seq": {"type": "integer"},
        "at_ms": {"type": "integer", "description": "milliseconds since 1970"},
        "actor": {"type": "string", "description": "agent:…, key:… or terminal"},
        "action": {"type": "string"},
        "target": {"type": "string"},
        "changes": {"type": "array", "items": {"type": "string"}},
        "hash": {"type": "string", "description": "SHA-256 over this entry and the hash before it, in hex"},
    },
    "required": ["seq", "at_ms", "actor", "action", "target", "changes", "hash"],
}
_STATE: Schema = {
    "type": "object",
    "properties": {
        "entries": {"type": "integer"},
        "broken": {"type": "array", "items": {"type": "integer"}, "description": "seq of entries that were changed"},
    },
    "required": ["entries", "broken"],
}
_SAID = {"type": "string", "maxLength": 200}


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about the audit log."""

    async def listed(call: Call) -> Reply:
        after, limit = key_of(call, (int,)), limit_of(call)
        before = int(after[0] or 0) if after else None
        wanted = Wanted(before, call.query.get("action", ""), call.query.get("actor", ""))
        page = partial(audit_log.page, account=call.caller.account, wanted=wanted, limit=limit + 1)
        found = await office.config.read(page)
        return page_reply(
            [shown(entry) for entry in found[:limit]], [found[limit - 1].seq] if len(found) > limit else None
        )

    async def export(call: Call) -> Reply:
        pages = _pages(office, call.caller.account)
        first: list[Entry] = await anext(pages, [])  # if SQL is away, that is said before anything else
        named = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
        return Reply(_lines(first, pages), headers=named)

    async def check(call: Call) -> Reply:
        account, count, before = call.caller.account, 0, BEGINNING
        broken: list[int] = []
        async for entries in _pages(office, account):
            broken += audit_log.broken(account, entries, before)
            count, before = count + len(entries), entries[-1].hash
        return Reply({"entries": count, "broken": broken})

    return [
        Operation("GET", "/audit", "list_audit", "Read the audit log, newest first", listed, "audit.read",
                  answer=page_schema(SCHEMA), tag="audit", parameters=(
                      *PAGING, Parameter("action", _SAID, "such as chatflow.published"), Parameter("actor", _SAID))),
        Operation("GET", "/audit/export", "export_audit", "The whole audit log as JSON lines, oldest first", export,
                  "audit.read", answer={"type": "string"}, media="application/jsonl", tag="audit"),
        Operation("GET", "/audit/check", "check_audit", "Say whether the audit log was tampered with", check,
                  "audit.read", answer=_STATE, tag="audit"),
    ]  # fmt: skip


async def _pages(office: Office, account: AccountId) -> AsyncIterator[list[Entry]]:
    """Yield all entries, oldest first, a thousand at a time."""
    seq = 0
    while found := await office.config.read(partial(audit_log.after, account=account, seq=seq, limit=_AT_ONCE)):
        yield found
        seq = found[-1].seq


async def _lines(first: list[Entry], rest: AsyncIterator[list[Entry]]) -> AsyncIterator[bytes]:
    """Yield the entries as JSON lines, a page of them at a time."""
    yield _as_lines(first)
    async for entries in rest:
        yield _as_lines(entries)


def _as_lines(entries: list[Entry]) -> bytes:
    return b"".join(orjson.dumps(shown(entry)) + b"\n" for entry in entries)


def shown(entry: Entry) -> Document:
    """Return an entry as REST shows it."""
    deed = entry.deed
    return {
        "seq": entry.seq, "at_ms": deed.at_ms, "actor": deed.actor, "action": deed.action, "target": deed.target,
        "changes": list(deed.changes), "hash": entry.hash.hex(),
    }  # fmt: skip
