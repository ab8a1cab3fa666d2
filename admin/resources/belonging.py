"""What contacts belong to: company records and named segments. Each is listed, made, read, changed and removed alike.

Invariant: only what the caller saw is changed or removed; one that is removed leaves its contacts where they are.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from msgspec import UNSET, Struct

from admin.http.operations import Call, Operation
from admin.http.paging import PAGING, following, limit_of, order_of, sorting
from admin.http.problems import CONFLICT, NOT_FOUND, Fault, Problem
from admin.http.replies import Reply, shown
from admin.office import Office
from admin.once import make_once
from admin.people.desk import note, plain
from admin.workspace.document import Document
from store.sql.queries import companies
from store.sql.queries.companies import Row


async def _as_told(_office: Office, _call: Call, told: Row) -> Row:
    return told


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of them. `one` and `many` name it in paths, in operations and in the audit log; `table` has its rows.

    `made` and `changed` are the bodies of a create and a change; `columns` turns what of one was told into columns, or
    raises Problem. `seen` is how a row is shown, by `view`; `page`, a page of them. `sorts` are columns, too.
    """

    one: str
    many: str
    table: Any
    made: type[Struct]
    changed: type[Struct]
    seen: type[Struct]
    page: type[Struct]
    view: Callable[[Row], Struct]
    columns: Callable[[Office, Call, Row], Awaitable[Row]] = _as_told
    sorts: tuple[str, ...] = ("id", "name", "created_at_ms", "changed_at_ms")


def operations(office: Office, kind: Kind) -> list[Operation]:
    """Return what can be asked about all of `kind`."""
    desk = _Desk(office, kind)
    one, many, stale = kind.one, kind.many, (404, 412, 428)
    all_, this = f"/{many}", f"/{many}/{{{one}}}"
    return [
        Operation("GET", all_, f"list_{many}", f"List the {many}", desk.list, "contacts.read", answer=kind.page,
                  parameters=(*PAGING, sorting(*kind.sorts)), tag=many),
        Operation("POST", all_, f"create_{one}", f"Make a {one}", desk.create, "contacts.edit", kind.made, kind.seen,
                  201, problems=(404, 409), once=True, tag=many),
        Operation("GET", this, f"get_{one}", f"Read a {one}", desk.get, "contacts.read", answer=kind.seen,
                  problems=(404,), tag=many),
        Operation("PATCH", this, f"change_{one}", f"Change a {one}", desk.change, "contacts.edit", kind.changed,
                  kind.seen, problems=stale, guarded=True, tag=many),
        Operation("DELETE", this, f"remove_{one}", f"Remove a {one}", desk.remove, "contacts.edit", status=204,
                  problems=stale, guarded=True, tag=many),
    ]  # fmt: skip


async def named(office: Office, call: Call, kind: Kind) -> Document:
    """Return the one that the path names, as it is shown. Raises Problem, StoreAway."""
    return await _shown(office, call, kind, call.path[kind.one])


async def _shown(office: Office, call: Call, kind: Kind, id_: str) -> Document:
    find = partial(companies.find, kind=kind.table, account=call.caller.account, id_=id_)
    found = await office.record.read(find)
    if found is None:
        raise Problem(NOT_FOUND, f"there is no such {kind.one}")
    return plain(kind.view(found))


class _Desk:
    def __init__(self, office: Office, kind: Kind) -> None:
        self._office, self._kind = office, kind

    async def list(self, call: Call) -> Reply:
        order, limit = order_of(call, "id"), limit_of(call)
        page = partial(companies.page, kind=self._kind.table, account=call.caller.account, order=order)
        found = await self._office.record.read(partial(page, limit=limit + 1))
        items = [self._kind.view(row) for row in found[:limit]]
        return Reply(self._kind.page(items, following(found, limit, lambda row: [row[order.by], row["id"]])))

    async def create(self, call: Call) -> Reply:
        office, kind, now_ms = self._office, self._kind, self._office.now_ms()
        row = await kind.columns(office, call, _told(call.body))
        add = partial(companies.add, kind=kind.table, account=call.caller.account, row=row, now_ms=now_ms)

        def make(sql: Any) -> str:
            if not add(sql):
                raise Problem(CONFLICT, f"{row['id']} is used", [Fault("/id", "is used")])
            return str(row["id"])

        made = await make_once(office, call, make)
        target = f"{kind.many}/{made.id}"
        if not made.is_again:
            await note(office, call, f"{kind.one}.created", target)
        there = await _shown(office, call, kind, made.id)
        return shown(there, 201, {"Location": f"/api/v1/{target}"} | made.headers)

    async def get(self, call: Call) -> Reply:
        return shown(await named(self._office, call, self._kind))

    async def change(self, call: Call) -> Reply:
        office, kind = self._office, self._kind
        told = await kind.columns(office, call, _told(call.body))
        change = partial(companies.change, kind=kind.table, account=call.caller.account, told=told)
        while True:
            seen = await named(office, call, kind)
            call.guard(seen)
            if await office.record.transact(partial(change, seen=seen, now_ms=office.now_ms())):
                break
        await note(office, call, f"{kind.one}.changed", f"{kind.many}/{seen['id']}", *told)
        return shown(await named(office, call, kind))

    async def remove(self, call: Call) -> Reply:
        office, kind, id_ = self._office, self._kind, call.path[self._kind.one]
        call.guard(await named(office, call, kind))
        await office.record.transact(partial(companies.remove, kind=kind.table, account=call.caller.account, id_=id_))
        await note(office, call, f"{kind.one}.removed", f"{kind.many}/{id_}")
        return Reply(None)


def _told(body: Struct) -> Row:
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: value for name, value in fields.items() if value is not UNSET}
