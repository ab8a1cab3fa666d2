"""Contacts: found, made, changed, merged.

Invariant: a contact's id follows from its address or from the company's id of it, so that whoever comes later by either
is known as the same; what was taken from a contact is in no log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import PAGING, following, limit_of, order_of, sorting
from admin.http.problems import CONFLICT, INVALID, NOT_FOUND, Fault, Problem
from admin.http.replies import Reply
from admin.http.replies import shown as showing
from admin.office import Office
from admin.once import make_once
from admin.people import values
from admin.people.cards import Card, cards_of, definitions
from admin.people.desk import contact_of, note, shown, stores_of
from protocol.bus.steps import address_in
from protocol.ids import AccountId, ContactId, contact_by_email, contact_by_subject
from store.sql import tables
from store.sql.database import Query
from store.sql.queries import companies, contacts, merging
from store.sql.queries.contacts import Condition, Contact, Sought, Times

NO_NUL = r"^[^\x00]*$"  # PostgreSQL keeps no text with one
Name = Annotated[str, Meta(max_length=100, pattern=NO_NUL)]
IdText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Value = str | bool | int | float | None
_WORD = {"type": "string", "maxLength": 254}
_SORTS = sorting("created_at_ms", "changed_at_ms", "name", "email")
_RULE = msgspec.json.Decoder(list[Condition])


class NewContact(Struct, forbid_unknown_fields=True):
    """A person known by an address, or by the company's own id of them."""

    email: Annotated[str, Meta(max_length=254, pattern=NO_NUL)] = ""
    subject: Annotated[str, Meta(max_length=128, pattern=NO_NUL)] = ""
    name: Name = ""
    owner: Annotated[str, Meta(max_length=64, pattern=NO_NUL)] = ""
    marketing: bool = False
    company: IdText | None = None
    properties: dict[str, Value] = {}


class ContactChange(Struct, forbid_unknown_fields=True):
    """What is to be otherwise; a property that is null is removed, and a company that is null left."""

    name: Name | UnsetType = UNSET
    owner: Annotated[str, Meta(max_length=64, pattern=NO_NUL)] | UnsetType = UNSET
    marketing: bool | UnsetType = UNSET
    company: IdText | UnsetType | None = UNSET
    properties: dict[str, Value] | UnsetType = UNSET


class Merging(Struct, forbid_unknown_fields=True):
    """The contact that becomes a part of this one."""

    contact: IdText


@dataclass(frozen=True, slots=True)
class _Written:
    """What is written of a contact: fields, properties, and to which company it belongs from now on."""

    told: Mapping[str, str | bool]
    kept: Mapping[str, str | None]
    company: str | UnsetType | None


class CardPage(Struct, omit_defaults=True):
    items: list[Card]
    next: str | UnsetType = UNSET


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about contacts."""
    desk = _Desk(office)
    words = {"text": "part of the name or the address", "email": "", "subject": "the company's id of them",
             "owner": "an agent's id", "company": "", "segment": ""}  # fmt: skip
    filters = tuple(Parameter(name, _WORD, about) for name, about in words.items())
    return [
        Operation("GET", "/contacts", "list_contacts", "Find contacts, newest first", desk.listed, "contacts.read",
                  answer=CardPage, problems=(404,), tag="contacts",
                  parameters=(*PAGING, _SORTS, *filters, Parameter("marketing", {"type": "boolean"}))),
        Operation("POST", "/contacts", "create_contact", "Make a contact", desk.create, "contacts.edit", NewContact,
                  Card, 201, problems=(404, 409), once=True, tag="contacts"),
        Operation("GET", "/contacts/{contact}", "get_contact", "Read a contact", desk.read, "contacts.read",
                  answer=Card, problems=(404,), tag="contacts"),
        Operation("PATCH", "/contacts/{contact}", "change_contact", "Change a contact", desk.change, "contacts.edit",
                  ContactChange, Card, problems=(404, 412, 428), guarded=True, tag="contacts"),
        Operation("POST", "/contacts/{contact}/merge", "merge_contact", "Make another contact a part of this one",
                  desk.merge, "contacts.edit", Merging, Card, problems=(404,), once=True, tag="contacts"),
    ]  # fmt: skip


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def listed(self, call: Call) -> Reply:
        account, order, limit = call.caller.account, order_of(call, "-created_at_ms"), limit_of(call)
        page = partial(contacts.page, account=account, sought=await _sought(self._office, call), order=order)
        found = await self._office.record.read(partial(page, limit=limit + 1))
        cards = await cards_of(stores_of(self._office), account, found[:limit])
        return Reply(CardPage(cards, following(found, limit, lambda last: [getattr(last, order.by), last.id])))

    async def create(self, call: Call) -> Reply:
        made = await make_once(self._office, call, await _making(self._office, call, call.body))
        if not made.is_again:
            await note(self._office, call, "contact.created", f"contacts/{made.id}")
        card = await shown(self._office, call, ContactId(made.id))
        return showing(card, 201, {"Location": f"/api/v1/contacts/{made.id}"} | made.headers)

    async def read(self, call: Call) -> Reply:
        return showing(await shown(self._office, call, (await contact_of(self._office, call)).id))

    async def change(self, call: Call) -> Reply:
        found, wanted = await contact_of(self._office, call), call.body
        kept = await _checked(self._office, call, {} if wanted.properties is UNSET else wanted.properties)
        if wanted.company is not UNSET:
            await _known_company(self._office, call, wanted.company)
        fields = ("name", "owner", "marketing")
        told = {name: value for name in fields if (value := getattr(wanted, name)) is not UNSET}
        written = _Written(told, kept, wanted.company)
        await _put(self._office, call, found.id, written)
        changed = [name for name in wanted.__struct_fields__ if getattr(wanted, name) is not UNSET]
        await note(self._office, call, "contact.changed", f"contacts/{found.id}", *changed)
        return showing(await shown(self._office, call, found.id))

    async def merge(self, call: Call) -> Reply:
        found = await contact_of(self._office, call)
        other = ContactId(call.body.contact)
        both = partial(merging.merge, account=call.caller.account, survivor=found.id, other=other)
        now_ms = self._office.now_ms()

        def join(sql: Any) -> str:
            if not both(sql, now_ms=now_ms):
                fault = Fault("/contact", "is no other contact of this account")
                raise Problem(INVALID, "it cannot be merged", [fault])
            return found.id

        joined = await make_once(self._office, call, join)
        if not joined.is_again:
            await note(self._office, call, "contact.merged", f"contacts/{found.id}", f"with contacts/{other}")
        return showing(await shown(self._office, call, ContactId(joined.id)), headers=joined.headers)


async def _sought(office: Office, call: Call) -> Sought:
    query = {name: value for name, value in call.query.items() if name not in ("limit", "cursor", "sort")}
    rule = await segment_rule(office, call, query["segment"]) if "segment" in query else ()
    return Sought(**query, rule=rule)


async def segment_rule(office: Office, call: Call, segment: str) -> list[Condition]:
    """Return the conditions of a segment. Raises Problem, StoreAway."""
    find = partial(companies.find, kind=tables.segment, account=call.caller.account, id_=segment)
    found = await office.record.read(find)
    if found is None:
        raise Problem(NOT_FOUND, "there is no such segment")
    return _RULE.decode(found["rule"]) if found["rule"] else []


async def _making(office: Office, call: Call, wanted: NewContact) -> Query[str]:
    """Return what makes the contact and returns its id. Raises Problem, StoreAway."""
    email, now_ms = address_in(wanted.email) or "", office.now_ms()
    if wanted.email and not email:
        raise Problem(INVALID, "1 field is wrong", [Fault("/email", "is no e-mail address")])
    if not (email or wanted.subject):
        raise Problem(INVALID, "1 field is wrong", [Fault("/email", "an address or a subject is needed")])
    kept = await _checked(office, call, wanted.properties)
    await _known_company(office, call, wanted.company)
    config = await office.present(call.caller.account)
    key = config.id_key
    id_ = contact_by_subject(key, wanted.subject) if wanted.subject else contact_by_email(key, email)
    names = (wanted.subject, wanted.name, wanted.owner, wanted.marketing)
    contact = Contact(id_, email, False, *names, now_ms, now_ms)
    written = _Written({}, kept, wanted.company)

    def make(sql: Any) -> str:
        if not contacts.add(sql, config.account, config.cell, contact):
            raise Problem(CONFLICT, "there is such a contact", [Fault("/email", "is known", f"contacts/{id_}")])
        _write(sql, config.account, id_, written, Times(now_ms, now_ms))
        return id_

    return make


async def _checked(office: Office, call: Call, told: Mapping[str, Any]) -> dict[str, str | None]:
    kept, faults = values.kept(await definitions(stores_of(office), call.caller.account), told)
    if faults:
        raise Problem(INVALID, f"{len(faults)} properties are wrong", faults)
    return kept


async def _known_company(office: Office, call: Call, company: str | None) -> None:
    find = partial(companies.find, kind=tables.company, account=call.caller.account, id_=company or "")
    if company is not None and await office.record.read(find) is None:
        raise Problem(INVALID, "1 field is wrong", [Fault("/company", "is no company of this account")])


async def _put(office: Office, call: Call, contact: ContactId, written: _Written) -> None:
    """Write what is told of a contact, over nothing but what the caller saw. Raises Problem, StoreAway."""
    while True:
        seen = await shown(office, call, contact)
        call.guard(seen)
        times = Times(office.now_ms(), seen["changed_at_ms"])
        if await office.record.transact(lambda sql: _write(sql, call.caller.account, contact, written, times)):  # noqa: B023
            return


def _write(sql: Any, account: AccountId, contact: ContactId, written: _Written, times: Times) -> bool:
    if not contacts.change(sql, account, contact, written.told, times):
        return False
    contacts.put_values(sql, account, contact, written.kept, times.now_ms)
    if written.company is not UNSET:
        companies.put_company(sql, account, contact, written.company)
    return True
