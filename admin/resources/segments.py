"""Named segments: contacts that are named, and those whose properties meet the segment's rule.

Invariant: who belongs is looked up when it is asked, so a property that changes changes it at once; all conditions of a
rule must hold, and without one only those belong who are named.
"""

from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from admin.http.operations import Call, Operation
from admin.http.paging import PAGING, cursor_of, key_of, limit_of
from admin.http.problems import CONFLICT, INVALID, NOT_FOUND, Fault, Problem
from admin.http.replies import Reply
from admin.http.replies import shown as showing
from admin.office import Office
from admin.once import make_once
from admin.people.cards import definitions
from admin.people.desk import contact_of, note, plain, stores_of
from admin.resources.companies import put_changes
from admin.resources.contacts import NO_NUL, IdText
from admin.workspace.document import Document
from store.sql import tables
from store.sql.queries import companies
from store.sql.queries.contacts import Condition

Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL)]
Rule = Annotated[list[Condition], Meta(max_length=20)]
_RULE = msgspec.json.Decoder(list[Condition])


class NewSegment(Struct, forbid_unknown_fields=True):
    id: IdText
    name: Text
    rule: Rule = []


class SegmentChange(Struct, forbid_unknown_fields=True):
    name: Text | UnsetType = UNSET
    rule: Rule | UnsetType = UNSET


class Segment(Struct, frozen=True):
    """`GET /contacts?segment=…` tells who belongs to it."""

    id: str
    name: str
    rule: list[Condition]
    created_at_ms: int
    changed_at_ms: int


class SegmentPage(Struct, omit_defaults=True):
    items: list[Segment]
    next: str | UnsetType = UNSET


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about segments."""

    async def listed(call: Call) -> Reply:
        after, limit = key_of(call, (str,)), limit_of(call)
        page = partial(companies.all_of, kind=tables.segment, account=call.caller.account, limit=limit + 1)
        found = await office.record.read(partial(page, after=str(after[0]) if after else ""))
        following = cursor_of([found[limit - 1]["id"]]) if len(found) > limit else UNSET
        return Reply(SegmentPage([_view(row) for row in found[:limit]], following))

    async def create(call: Call) -> Reply:
        wanted: NewSegment = call.body
        await _checked(office, call, wanted.rule)
        row = {"id": wanted.id, "name": wanted.name, "rule": _stored(wanted.rule)}
        add = partial(companies.add, kind=tables.segment, account=call.caller.account, row=row, now_ms=office.now_ms())

        def make(sql: Any) -> str:
            if not add(sql):
                raise Problem(CONFLICT, f"{wanted.id} is used", [Fault("/id", "is used")])
            return wanted.id

        made = await make_once(office, call, make)
        if not made.is_again:
            await note(office, call, "segment.created", f"segments/{made.id}")
        where = {"Location": f"/api/v1/segments/{made.id}"}
        return showing(await _one(office, call, made.id), 201, where | made.headers)

    async def read(call: Call) -> Reply:
        return showing(await _one(office, call, call.path["segment"]))

    async def change(call: Call) -> Reply:
        id_, wanted = call.path["segment"], call.body
        told = {} if wanted.name is UNSET else {"name": wanted.name}
        if wanted.rule is not UNSET:
            await _checked(office, call, wanted.rule)
            told["rule"] = _stored(wanted.rule)
        await put_changes(office, call, tables.segment, told, partial(_one, office, call, id_))
        await note(office, call, "segment.changed", f"segments/{id_}", *told)
        return showing(await _one(office, call, id_))

    async def remove(call: Call) -> Reply:
        id_ = call.path["segment"]
        call.guard(await _one(office, call, id_))
        gone = partial(companies.remove, kind=tables.segment, account=call.caller.account, id_=id_)
        await office.record.transact(gone)
        await note(office, call, "segment.removed", f"segments/{id_}")
        return Reply(None)

    async def name(call: Call) -> Reply:
        segment, found = await _one(office, call, call.path["segment"]), await contact_of(office, call)
        put = partial(companies.put_member, account=call.caller.account, segment=segment["id"], contact=found.id)
        await office.record.transact(partial(put, now_ms=office.now_ms()))
        await note(office, call, "segment.named", f"segments/{segment['id']}", f"contacts/{found.id}")
        return Reply(None)

    async def unname(call: Call) -> Reply:
        segment, found = await _one(office, call, call.path["segment"]), await contact_of(office, call)
        put = partial(companies.remove_member, account=call.caller.account, segment=segment["id"], contact=found.id)
        await office.record.transact(put)
        await note(office, call, "segment.unnamed", f"segments/{segment['id']}", f"contacts/{found.id}")
        return Reply(None)

    one, member = "/segments/{segment}", "/segments/{segment}/contacts/{contact}"
    return [
        Operation("GET", "/segments", "list_segments", "List the segments", listed, "contacts.read",
                  answer=SegmentPage, parameters=PAGING, tag="segments"),
        Operation("POST", "/segments", "create_segment", "Make a segment", create, "contacts.edit", NewSegment,
                  Segment, 201, problems=(404, 409), once=True, tag="segments"),
        Operation("GET", one, "get_segment", "Read a segment", read, "contacts.read", answer=Segment, problems=(404,),
                  tag="segments"),
        Operation("PATCH", one, "change_segment", "Change a segment", change, "contacts.edit", SegmentChange, Segment,
                  problems=(404, 412, 428), guarded=True, tag="segments"),
        Operation("DELETE", one, "remove_segment", "Remove a segment", remove, "contacts.edit", status=204,
                  problems=(404, 412, 428), guarded=True, tag="segments"),
        Operation("PUT", member, "name_member", "Name a contact a member", name, "contacts.edit", status=204,
                  problems=(404,), tag="segments"),
        Operation("DELETE", member, "unname_member", "Name a contact a member no more", unname, "contacts.edit",
                  status=204, problems=(404,), tag="segments"),
    ]  # fmt: skip


async def _checked(office: Office, call: Call, rule: list[Condition]) -> None:
    known = {each.name for each in await definitions(stores_of(office), call.caller.account)}
    strange = [number for number, each in enumerate(rule) if each.property not in known]
    if strange:
        faults = [Fault(f"/rule/{number}/property", "is no property of contacts") for number in strange]
        raise Problem(INVALID, "the rule cannot be looked up", faults)


async def _one(office: Office, call: Call, id_: str) -> Document:
    find = partial(companies.find, kind=tables.segment, account=call.caller.account, id_=id_)
    found = await office.record.read(find)
    if found is None:
        raise Problem(NOT_FOUND, "there is no such segment")
    return plain(_view(found))


def _stored(rule: list[Condition]) -> str:
    return msgspec.json.encode(rule).decode() if rule else ""


def _view(row: companies.Row) -> Segment:
    rule = _RULE.decode(row["rule"]) if row["rule"] else []
    return Segment(row["id"], row["name"], rule, row["created_at_ms"], row["changed_at_ms"])
