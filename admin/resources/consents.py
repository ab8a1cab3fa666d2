"""The consent ledger: read in pages, and exported as CSV or as JSON lines.

Invariant: nothing here changes it; an export that is longer than one answer names where it goes on.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson
from msgspec import UNSET, Struct, UnsetType

from admin.csv_rows import as_table
from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import CURSOR, PAGING, cursor_of, key_of, limit_of
from admin.http.replies import Reply
from admin.office import Office
from protocol.ids import ContactId
from store.sql.queries import consents
from store.sql.queries.consents import COLUMNS, Wanted
from store.sql.queries.merging import survivor

EXPORTED = 20_000  # lines of one answer
_NEXT = "Next-Cursor"
_WORD = {"type": "string", "maxLength": 64}
_TIME = {"type": "integer", "minimum": 0}
_FILTERS = (
    Parameter("contact", _WORD, "every visitor who is known as it"),
    Parameter("chatflow", _WORD),
    Parameter("purpose", {"type": "string", "enum": ["storage", "process", "communicate", "analytics"]}),
    Parameter("from_ms", _TIME, "said at this time or later"),
    Parameter("to_ms", _TIME, "said before"),
)


class ConsentLine(Struct, frozen=True):
    """One answer: which words of which version were on the screen, in which language, and what was said."""

    id: str
    visitor: str
    app: str
    chatflow: str
    conversation: str
    contact: str
    purpose: str
    subscription: str
    answer: str
    text_hash: str
    version: int
    locale: str
    app_version: str
    at_ms: int


class ConsentPage(Struct, omit_defaults=True):
    items: list[ConsentLine]
    next: str | UnsetType = UNSET


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about the consent ledger."""

    async def listed(call: Call) -> Reply:
        found, following = await _lines(office, call, limit_of(call))
        return Reply(ConsentPage([ConsentLine(**line) for line in found], following or UNSET))

    async def as_csv(call: Call) -> Reply:
        found, following = await _lines(office, call, EXPORTED)
        return _file(as_table(COLUMNS, found).encode(), "consents.csv", following)

    async def as_lines(call: Call) -> Reply:
        found, following = await _lines(office, call, EXPORTED)
        return _file(b"".join(orjson.dumps(line) + b"\n" for line in found), "consents.jsonl", following)

    whole = f"at most {EXPORTED} lines; the header {_NEXT} says where it goes on"
    text = {"type": "string"}
    return [
        Operation("GET", "/consents", "list_consents", "Read the consent ledger, oldest first", listed,
                  "contacts.read", answer=ConsentPage, parameters=(*PAGING, *_FILTERS), tag="consents"),
        Operation("GET", "/consents/export.csv", "export_consents_csv", f"The ledger as CSV, {whole}", as_csv,
                  "contacts.read", answer=text, media="text/csv", parameters=(CURSOR, *_FILTERS), tag="consents"),
        Operation("GET", "/consents/export.jsonl", "export_consents", f"The ledger as JSON lines, {whole}", as_lines,
                  "contacts.read", answer=text, media="application/jsonl", parameters=(CURSOR, *_FILTERS),
                  tag="consents"),
    ]  # fmt: skip


async def _lines(office: Office, call: Call, limit: int) -> tuple[Sequence[dict[str, Any]], str]:
    """Return a page of the ledger, and the cursor of the next one, "" if there is none."""
    account, query, after = call.caller.account, call.query, key_of(call, (int, str))
    contact = None
    if "contact" in query:
        named = partial(survivor, account=account, contact=ContactId(query["contact"]))
        contact = await office.record.read(named)
    span = (query.get("from_ms", 0), query.get("to_ms", 2**62))
    wanted = Wanted(contact, query.get("chatflow"), query.get("purpose"), *span)
    page = partial(consents.page, account=account, wanted=wanted, limit=limit + 1)
    found = await office.record.read(partial(page, after=(int(after[0] or 0), str(after[1])) if after else (-1, "")))
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], cursor_of([last["at_ms"], last["id"]]) if last is not None else ""


def _file(body: bytes, name: str, following: str) -> Reply:
    named = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Reply(body, headers=named | ({_NEXT: following} if following else {}))
