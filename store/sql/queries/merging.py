"""Two contacts become one.

Invariant: whoever was known as either is known as the survivor; what the survivor says of itself stands, and a no to a
subscription is never undone by it. What is named by the other's id from now on means the survivor.
"""

from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from protocol.ids import AccountId, ContactId
from store.sql import tables
from store.sql.bulk import write

_FILLED = ("email", "subject", "name", "owner")
_MOVED: tuple[Table, ...] = (
    tables.contact_visitor,
    tables.subscription_change,
    tables.property_value,
    tables.company_contact,
    tables.segment_contact,
)


def merge(connection: Connection, account: AccountId, survivor: ContactId, other: ContactId, now_ms: int) -> bool:
    """Make `other` a part of `survivor`; False if they are the same, or one of them is not there."""
    contacts = tables.contact
    both = select(contacts).where(contacts.c.account == account, contacts.c.id.in_((survivor, other)))
    found = {row.id: row._mapping for row in connection.execute(both.with_for_update())}
    if survivor == other or len(found) != 2:
        return False
    for table in _MOVED:
        _move(connection, table, survivor, other)
    _subscriptions(connection, account, survivor, other, now_ms)
    entries = tables.consent_entry
    of_other = update(entries).where(entries.c.account == account, entries.c.contact == other)
    connection.execute(of_other.values(contact=survivor))
    known: dict[str, Any] = {name: found[other][name] for name in _FILLED if not found[survivor][name]}
    if "email" in known:
        known["email_verified"] = found[other]["email_verified"]
    connection.execute(delete(contacts).where(contacts.c.account == account, contacts.c.id == other))
    this = update(contacts).where(contacts.c.account == account, contacts.c.id == survivor)
    connection.execute(this.values(**known, changed_at_ms=now_ms))
    _name(connection, account, survivor, other, now_ms)
    return True


def survivor(connection: Connection, account: AccountId, contact: ContactId) -> ContactId:
    """Return whom `contact` names now: itself, or the contact that it was merged into."""
    rows = tables.contact_merged.c
    found = connection.scalar(select(rows.survivor).where(rows.contact == contact, rows.account == account))
    return contact if found is None else ContactId(found)


def _move(connection: Connection, table: Table, survivor: ContactId, other: ContactId) -> None:
    """Give the survivor the other's rows, but for those it has one of its own in place of."""
    theirs = connection.execute(select(table).where(table.c.contact == other)).all()
    write(connection, table, [{**row._mapping, "contact": survivor} for row in theirs], "keep")
    connection.execute(delete(table).where(table.c.contact == other))


def _subscriptions(
    connection: Connection, account: AccountId, survivor: ContactId, other: ContactId, now_ms: int
) -> None:
    rows = tables.subscription
    found = select(rows).where(rows.c.account == account, rows.c.contact.in_((survivor, other)))
    answers: dict[str, list[Any]] = {}
    for row in connection.execute(found):
        answers.setdefault(row.subscription, []).append(row)
    connection.execute(delete(rows).where(rows.c.account == account, rows.c.contact.in_((survivor, other))))
    for said in answers.values():
        stands = min(said, key=lambda row: (row.wants, -row.at_ms))  # a no, and of two alike the later
        answer = {**stands._mapping, "contact": survivor}
        write(connection, rows, [answer])
        write(connection, tables.subscription_change, [{**answer, "at_ms": now_ms, "source": "merge"}], "keep")


def _name(connection: Connection, account: AccountId, survivor: ContactId, other: ContactId, now_ms: int) -> None:
    rows = tables.contact_merged
    earlier = update(rows).where(rows.c.account == account, rows.c.survivor == other)
    connection.execute(earlier.values(survivor=survivor))
    connection.execute(delete(rows).where(rows.c.contact == survivor))
    write(connection, rows, [{"contact": other, "account": account, "survivor": survivor, "at_ms": now_ms}], "replace")
