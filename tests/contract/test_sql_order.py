"""The orders that contacts and companies are listed in, page by page, on SQLite and on PostgreSQL."""

from functools import partial
from itertools import product

import pytest

from protocol.ids import AccountId, ContactId
from store.sql import tables
from store.sql.database import Database, Databases
from store.sql.order import Order
from store.sql.queries import companies, contacts
from store.sql.queries.contacts import Contact, Sought

ACCOUNT, OTHER = AccountId("acc_nordvik"), AccountId("acc_other")
NAMES = ["", "bo", "ida", "ida", "ola"]
TIMES_MS = [3_000, 1_000, 2_000, 2_000, 2_000]
SORTS = [*product(("name", "created_at_ms", "changed_at_ms"), (False, True))]


@pytest.fixture
async def record(databases: Databases) -> Database:
    """Five contacts and five companies, some alike in each, and one of another account."""

    def fill(sql):
        for number, (name, at_ms) in enumerate(zip(NAMES, TIMES_MS, strict=True)):
            row = {"id": f"c{number}", "name": name, "domain": ""}
            companies.add(sql, tables.company, ACCOUNT, row, at_ms)
            contact = Contact(ContactId(f"c{number}"), f"{name}@example.org", False, "", name, "", False, at_ms, at_ms)
            contacts.add(sql, ACCOUNT, "c00", contact)
        companies.add(sql, tables.company, OTHER, {"id": "c9", "name": "ida", "domain": ""}, 2_000)
        contacts.add(sql, OTHER, "c00", Contact(ContactId("c9"), "", False, "9", "ida", "", False, 2_000, 2_000))

    await databases.record.transact(fill)
    return databases.record


async def companies_in(record: Database, order: Order, limit: int) -> list[tuple]:
    page = partial(companies.page, kind=tables.company, account=ACCOUNT, order=order, limit=limit)
    return [(row[order.by], row["id"]) for row in await record.read(page)]


async def contacts_in(record: Database, order: Order, limit: int) -> list[tuple]:
    page = partial(contacts.page, account=ACCOUNT, sought=Sought(), order=order, limit=limit)
    return [(getattr(found, order.by), found.id) for found in await record.read(page)]


@pytest.mark.parametrize("listed", [companies_in, contacts_in], ids=["companies", "contacts"])
@pytest.mark.parametrize(("by", "falls"), SORTS, ids=[f"{'-' * falls}{by}" for by, falls in SORTS])
async def test_pages_in_an_order_hold_everything_once(record: Database, listed, by: str, falls: bool) -> None:
    """Those alike in what they are ordered by come by id, whichever way it goes."""
    values = NAMES if by == "name" else TIMES_MS
    alike_by_id = [(value, f"c{number}") for number, value in enumerate(values)]
    found: list[tuple] = []
    while page := await listed(record, Order(by, falls, found[-1] if found else None), 2):
        found += page
    assert found == sorted(alike_by_id, key=lambda each: each[0], reverse=falls)


async def test_what_comes_and_goes_between_two_pages_moves_no_other(record: Database) -> None:
    """The second page goes on after the last that was shown, though it is gone by then."""
    first = await companies_in(record, Order("name"), 3)
    await record.transact(partial(companies.remove, kind=tables.company, account=ACCOUNT, id_=first[-1][1]))
    row = {"id": "c5", "name": "anna", "domain": ""}
    await record.transact(partial(companies.add, kind=tables.company, account=ACCOUNT, row=row, now_ms=9_000))
    assert await companies_in(record, Order("name", after=first[-1]), 9) == [("ida", "c3"), ("ola", "c4")]
