"""Contacts as the record has them, with what administrators keep of them.

Invariant: always within one account. A contact that was merged is found under the name of its survivor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct
from sqlalchemy import Column, ColumnElement, Connection, Row, and_, delete, exists, func, not_, or_, select, update

from protocol.ids import AccountId, ContactId, VisitorId
from store.sql import tables
from store.sql.bulk import write, write_new
from store.sql.order import Order, ordered
from store.sql.queries.merging import survivor


@dataclass(frozen=True, slots=True)
class Contact:
    """A person known by e-mail or by the company's own id (`subject`). "" where nothing is known."""

    id: ContactId
    email: str
    email_verified: bool
    subject: str
    name: str
    owner: str
    marketing: bool
    created_at_ms: int
    changed_at_ms: int


class Condition(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of a segment's: the property is this, or (`known`) it is or is not known."""

    property: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    equals: Annotated[str, Meta(max_length=1_000, pattern=r"^[^\x00]*$")] | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Times:
    """When something is changed, and when what was seen of it was changed last."""

    now_ms: int
    seen_ms: int


@dataclass(frozen=True, slots=True)
class Sought:
    """Which contacts are meant; None: whatever. `text`: part of the name or the address, in any case."""

    text: str | None = None
    email: str | None = None
    subject: str | None = None
    owner: str | None = None
    marketing: bool | None = None
    company: str | None = None
    segment: str | None = None
    rule: Sequence[Condition] = ()  # the segment's: whoever meets all of it belongs to it, too


def find(connection: Connection, account: AccountId, contact: ContactId) -> Contact | None:
    """Return a contact, or None."""
    rows = tables.contact.c
    named = survivor(connection, account, contact)
    row = connection.execute(select(*_columns()).where(rows.account == account, rows.id == named)).first()
    return None if row is None else _read(row)


def named(connection: Connection, account: AccountId, who: str) -> list[Contact]:
    """Return the contacts with that id, that address or that company's id: at most a few."""
    rows = tables.contact.c
    same = or_(rows.id == who, rows.subject == who, func.lower(rows.email) == who.lower())
    found = select(*_columns()).where(rows.account == account, same).order_by(rows.id).limit(10)
    return [_read(row) for row in connection.execute(found)]


def page(connection: Connection, account: AccountId, sought: Sought, order: Order, limit: int) -> list[Contact]:
    """Return up to `limit` of the contacts that are sought, as they come next in `order`."""
    rows = tables.contact
    found = ordered(select(*_columns()).where(rows.c.account == account, *_where(sought)), rows, order)
    return [_read(row) for row in connection.execute(found.limit(limit))]


def add(connection: Connection, account: AccountId, cell: str, contact: Contact) -> bool:
    """Write a new contact; False if there is one already."""
    if find(connection, account, contact.id) is not None:
        return False
    known = {name: getattr(contact, name) for name in Contact.__slots__}
    return write_new(connection, tables.contact, {**known, "account": account, "cell": cell})


def change(
    connection: Connection, account: AccountId, contact: ContactId, told: Mapping[str, str | bool], times: Times
) -> bool:
    """Write name, owner or marketing of a contact; False if there is none, or it was changed since it was seen."""
    rows = tables.contact
    this = (rows.c.account == account, rows.c.id == contact, rows.c.changed_at_ms == times.seen_ms)
    changed_at_ms = max(times.now_ms, times.seen_ms + 1)
    return connection.execute(update(rows).where(*this).values(**told, changed_at_ms=changed_at_ms)).rowcount == 1


def visitors(connection: Connection, account: AccountId, contact: ContactId) -> list[tuple[VisitorId, bool]]:
    """Return who is known as the contact, and whether their company vouches for it."""
    rows = tables.contact_visitor.c
    found = select(rows.visitor, rows.verified).where(rows.account == account, rows.contact == contact)
    return [(VisitorId(row.visitor), bool(row.verified)) for row in connection.execute(found.order_by(rows.visitor))]


def values(connection: Connection, account: AccountId, contact: ContactId) -> dict[str, str]:
    """Return the contact's properties, each in the form of its type."""
    rows = tables.property_value.c
    found = select(rows.name, rows.value).where(rows.account == account, rows.contact == contact)
    return {row.name: row.value for row in connection.execute(found.order_by(rows.name))}


def put_values(
    connection: Connection, account: AccountId, contact: ContactId, told: Mapping[str, str | None], now_ms: int
) -> None:
    """Write properties of a contact that there is; None removes one."""
    rows = tables.property_value
    gone = [name for name, value in told.items() if value is None]
    connection.execute(delete(rows).where(rows.c.contact == contact, rows.c.account == account, rows.c.name.in_(gone)))
    kept = {"contact": contact, "account": account, "changed_at_ms": now_ms}
    fresh = [{**kept, "name": name, "value": value} for name, value in told.items() if value is not None]
    write(connection, rows, fresh, "replace")


def _columns() -> list[Column[Any]]:
    return [tables.contact.c[name] for name in Contact.__slots__]


def _where(sought: Sought) -> list[ColumnElement[bool]]:
    rows = tables.contact.c
    where: list[ColumnElement[bool]] = []
    if sought.text is not None:
        where.append(or_(*(column.icontains(sought.text, autoescape=True) for column in (rows.name, rows.email))))
    if sought.email is not None:
        where.append(func.lower(rows.email) == sought.email.lower())
    for column, wanted in (
        (rows.subject, sought.subject),
        (rows.owner, sought.owner),
        (rows.marketing, sought.marketing),
    ):
        if wanted is not None:
            where.append(column == wanted)
    if sought.company is not None:
        of = tables.company_contact.c
        where.append(exists().where(of.contact == rows.id, of.company == sought.company))
    if sought.segment is not None:
        within = tables.segment_contact.c
        named = exists().where(within.contact == rows.id, within.segment == sought.segment)
        where.append(or_(named, and_(*map(_meets, sought.rule))) if sought.rule else named)
    return where


def _meets(condition: Condition) -> ColumnElement[bool]:
    known = tables.property_value.c
    this = exists().where(known.contact == tables.contact.c.id, known.name == condition.property)
    if condition.equals is not None:
        return this.where(known.value == condition.equals)
    return this if condition.known else not_(this)


def _read(row: Row[Any]) -> Contact:
    return Contact(**row._mapping)
