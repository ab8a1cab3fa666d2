"""Named segments: contacts that are named, and those whose properties meet the segment's rule.

Invariant: who belongs is looked up when it is asked, so a property that changes changes it at once; all conditions of a
rule must hold, and without one only those belong who are named.
"""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from admin.http.operations import Call, Operation
from admin.http.problems import INVALID, Fault, Problem
from admin.http.replies import Reply
from admin.office import Office
from admin.people.cards import definitions
from admin.people.desk import contact_of, note, stores_of
from admin.resources.belonging import Kind, named
from admin.resources.contacts import NO_NUL, IdText
from store.sql import tables
from store.sql.queries import companies
from store.sql.queries.companies import Row
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
    """Return what can be asked about who is named a member of a segment."""

    async def name(call: Call) -> Reply:
        segment, found = await named(office, call, SEGMENTS), await contact_of(office, call)
        put = partial(companies.put_member, account=call.caller.account, segment=segment["id"], contact=found.id)
        await office.record.transact(partial(put, now_ms=office.now_ms()))
        await note(office, call, "segment.named", f"segments/{segment['id']}", f"contacts/{found.id}")
        return Reply(None)

    async def unname(call: Call) -> Reply:
        segment, found = await named(office, call, SEGMENTS), await contact_of(office, call)
        put = partial(companies.remove_member, account=call.caller.account, segment=segment["id"], contact=found.id)
        await office.record.transact(put)
        await note(office, call, "segment.unnamed", f"segments/{segment['id']}", f"contacts/{found.id}")
        return Reply(None)

    member = "/segments/{segment}/contacts/{contact}"
    return [
        Operation("PUT", member, "name_member", "Name a contact a member", name, "contacts.edit", status=204,
                  problems=(404,), tag="segments"),
        Operation("DELETE", member, "unname_member", "Name a contact a member no more", unname, "contacts.edit",
                  status=204, problems=(404,), tag="segments"),
    ]  # fmt: skip


async def _columns(office: Office, call: Call, told: Row) -> Row:
    if "rule" not in told:
        return told
    await _checked(office, call, told["rule"])
    return {**told, "rule": msgspec.json.encode(told["rule"]).decode() if told["rule"] else ""}


async def _checked(office: Office, call: Call, rule: list[Condition]) -> None:
    known = {each.name for each in await definitions(stores_of(office), call.caller.account)}
    strange = [number for number, each in enumerate(rule) if each.property not in known]
    if strange:
        faults = [Fault(f"/rule/{number}/property", "is no property of contacts") for number in strange]
        raise Problem(INVALID, "the rule cannot be looked up", faults)


def _view(row: Row) -> Segment:
    rule = _RULE.decode(row["rule"]) if row["rule"] else []
    return Segment(row["id"], row["name"], rule, row["created_at_ms"], row["changed_at_ms"])


SEGMENTS = Kind("segment", "segments", tables.segment, NewSegment, SegmentChange, Segment, SegmentPage, _view, _columns)
