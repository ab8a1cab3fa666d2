"""Company records: zero or one of a contact.

Invariant: one that is removed leaves its contacts where they are, belonging to none.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from admin.http.operations import Call, Operation
from admin.http.paging import PAGING, cursor_of, key_of, limit_of
from admin.http.problems import CONFLICT, NOT_FOUND, Fault, Problem
from admin.http.replies import Reply
from admin.http.replies import shown as showing
from admin.office import Office
from admin.once import make_once
from admin.people.desk import note, plain
from admin.resources.contacts import NO_NUL, IdText
from admin.workspace.document import Document
from store.sql import tables
from store.sql.queries import companies

Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL)]
Domain = Annotated[str, Meta(max_length=253, pattern=NO_NUL)]


class NewCompany(Struct, forbid_unknown_fields=True):
    id: IdText
    name: Text
    domain: Domain = ""


class CompanyChange(Struct, forbid_unknown_fields=True):
    name: Text | UnsetType = UNSET
    domain: Domain | UnsetType = UNSET


class Company(Struct, frozen=True):
    id: str
    name: str
    domain: str
    created_at_ms: int
    changed_at_ms: int


class CompanyPage(Struct, omit_defaults=True):
    items: list[Company]
    next: str | UnsetType = UNSET


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about companies."""

    async def listed(call: Call) -> Reply:
        after, limit = key_of(call, (str,)), limit_of(call)
        page = partial(companies.all_of, kind=tables.company, account=call.caller.account, limit=limit + 1)
        found = await office.record.read(partial(page, after=str(after[0]) if after else ""))
        following = cursor_of([found[limit - 1]["id"]]) if len(found) > limit else UNSET
        return Reply(CompanyPage([_view(row) for row in found[:limit]], following))

    async def create(call: Call) -> Reply:
        wanted: NewCompany = call.body
        row = {"id": wanted.id, "name": wanted.name, "domain": wanted.domain}
        add = partial(companies.add, kind=tables.company, account=call.caller.account, row=row, now_ms=office.now_ms())

        def make(sql: Any) -> str:
            if not add(sql):
                raise Problem(CONFLICT, f"{wanted.id} is used", [Fault("/id", "is used")])
            return wanted.id

        made = await make_once(office, call, make)
        if not made.is_again:
            await note(office, call, "company.created", f"companies/{made.id}")
        where = {"Location": f"/api/v1/companies/{made.id}"}
        return showing(await _one(office, call, made.id), 201, where | made.headers)

    async def read(call: Call) -> Reply:
        return showing(await _one(office, call, call.path["company"]))

    async def change(call: Call) -> Reply:
        id_ = call.path["company"]
        told = {name: value for name in ("name", "domain") if (value := getattr(call.body, name)) is not UNSET}
        await put_changes(office, call, tables.company, told, partial(_one, office, call, id_))
        await note(office, call, "company.changed", f"companies/{id_}", *told)
        return showing(await _one(office, call, id_))

    async def remove(call: Call) -> Reply:
        id_ = call.path["company"]
        call.guard(await _one(office, call, id_))
        gone = partial(companies.remove, kind=tables.company, account=call.caller.account, id_=id_)
        await office.record.transact(gone)
        await note(office, call, "company.removed", f"companies/{id_}")
        return Reply(None)

    one = "/companies/{company}"
    return [
        Operation("GET", "/companies", "list_companies", "List the companies", listed, "contacts.read",
                  answer=CompanyPage, parameters=PAGING, tag="companies"),
        Operation("POST", "/companies", "create_company", "Make a company", create, "contacts.edit", NewCompany,
                  Company, 201, problems=(404, 409), once=True, tag="companies"),
        Operation("GET", one, "get_company", "Read a company", read, "contacts.read", answer=Company, problems=(404,),
                  tag="companies"),
        Operation("PATCH", one, "change_company", "Change a company", change, "contacts.edit", CompanyChange, Company,
                  problems=(404, 412, 428), guarded=True, tag="companies"),
        Operation("DELETE", one, "remove_company", "Remove a company", remove, "contacts.edit", status=204,
                  problems=(404, 412, 428), guarded=True, tag="companies"),
    ]  # fmt: skip


async def put_changes(
    office: Office, call: Call, kind: Any, told: Mapping[str, Any], read: Callable[[], Awaitable[Document]]
) -> None:
    """Write fields of a thing that `read` reads, over nothing but what the caller saw. Raises Problem, StoreAway."""
    while True:
        seen = await read()
        call.guard(seen)
        change = partial(companies.change, kind=kind, account=call.caller.account, seen=seen, told=told)
        if await office.record.transact(partial(change, now_ms=office.now_ms())):
            return


async def _one(office: Office, call: Call, id_: str) -> Document:
    find = partial(companies.find, kind=tables.company, account=call.caller.account, id_=id_)
    found = await office.record.read(find)
    if found is None:
        raise Problem(NOT_FOUND, "there is no such company")
    return plain(_view(found))


def _view(row: companies.Row) -> Company:
    return Company(**{name: row[name] for name in Company.__struct_fields__})
