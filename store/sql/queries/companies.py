"""Company records and named segments, and which contacts belong to them.

Invariant: within one account; a contact belongs to zero or one company and to any number of segments, and one that is
not there belongs to none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from protocol.ids import AccountId, ContactId
from store.sql import tables
from store.sql.bulk import write, write_new
from store.sql.order import Order, ordered

Row = dict[str, Any]


def page(connection: Connection, kind: Table, account: AccountId, order: Order, limit: int) -> list[Row]:
    """Return up to `limit` companies or segments, as they come next in `order`."""
    found = ordered(select(kind).where(kind.c.account == account), kind, order)
    return [dict(row._mapping) for row in connection.execute(found.limit(limit))]


def find(connection: Connection, kind: Table, account: AccountId, id_: str) -> Row | None:
    """Return a company or a segment, or None."""
    row = connection.execute(select(kind).where(kind.c.account == account, kind.c.id == id_)).first()
    return None if row is None else dict(row._mapping)


def add(connection: Connection, kind: Table, account: AccountId, row: Row, now_ms: int) -> bool:
    """Write a new one; False if the id is used."""
    return write_new(connection, kind, {**row, "account": account, "created_at_ms": now_ms, "changed_at_ms": now_ms})


def change(
    connection: Connection, kind: Table, account: AccountId, seen: Row, told: Mapping[str, Any], now_ms: int
) -> bool:
    """Write fields of the one that was `seen`; False if it is gone, or was changed since."""
    seen_ms = seen["changed_at_ms"]
    this = update(kind).where(kind.c.account == account, kind.c.id == seen["id"], kind.c.changed_at_ms == seen_ms)
    return connection.execute(this.values(**told, changed_at_ms=max(now_ms, seen_ms + 1))).rowcount == 1


def remove(connection: Connection, kind: Table, account: AccountId, id_: str) -> bool:
    """Remove one, to which nobody belongs any more; False if there is none."""
    members = tables.company_contact if kind is tables.company else tables.segment_contact
    of = members.c.company if kind is tables.company else members.c.segment
    connection.execute(delete(members).where(members.c.account == account, of == id_))
    return connection.execute(delete(kind).where(kind.c.account == account, kind.c.id == id_)).rowcount == 1


def put_company(connection: Connection, account: AccountId, contact: ContactId, company: str | None) -> None:
    """Let a contact belong to a company, or to none."""
    rows = tables.company_contact
    if company is None:
        connection.execute(delete(rows).where(rows.c.account == account, rows.c.contact == contact))
    else:
        write(connection, rows, [{"contact": contact, "company": company, "account": account}], "replace")


def company_of(connection: Connection, account: AccountId, contact: ContactId) -> str | None:
    """Return the company that a contact belongs to, or None."""
    rows = tables.company_contact.c
    return connection.scalar(select(rows.company).where(rows.account == account, rows.contact == contact))


def put_member(connection: Connection, account: AccountId, segment: str, contact: ContactId, now_ms: int) -> None:
    """Name a contact a member of a segment."""
    row = {"segment": segment, "contact": contact, "account": account, "at_ms": now_ms}
    write(connection, tables.segment_contact, [row], "keep")


def remove_member(connection: Connection, account: AccountId, segment: str, contact: ContactId) -> None:
    """Name a contact a member of a segment no more."""
    rows = tables.segment_contact
    this = (rows.c.account == account, rows.c.segment == segment, rows.c.contact == contact)
    connection.execute(delete(rows).where(*this))


def segments_of(connection: Connection, account: AccountId, contact: ContactId) -> Sequence[str]:
    """Return the segments that name the contact."""
    rows = tables.segment_contact.c
    found = select(rows.segment).where(rows.account == account, rows.contact == contact).order_by(rows.segment)
    return list(connection.scalars(found))
