"""The consent ledger as it is exported: by contact, chatflow and time, in pages; and subscriptions with their history.

Invariant: reads the ledger only; of a contact, every line of every visitor who is known as it, whenever it was said.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, or_, select

from protocol.ids import AccountId, ContactId
from store.sql import tables
from store.sql.bulk import write

COLUMNS = tuple(str(column.name) for column in tables.consent_entry.columns if column.name not in ("cell", "account"))

ANSWERED = ("subscription", "at_ms", "wants", "verified", "source")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines; None: whatever. Times in ms, `to_ms` excluded."""

    contact: ContactId | None = None
    chatflow: str | None = None
    purpose: str | None = None
    from_ms: int = 0
    to_ms: int = 2**62


def page(
    connection: Connection, account: AccountId, wanted: Wanted, after: tuple[int, str], limit: int
) -> list[dict[str, Any]]:
    """Return up to `limit` lines, the oldest first, that come after (at_ms, id)."""
    rows, (at_ms, id_) = tables.consent_entry.c, after
    where = [rows.account == account, rows.at_ms >= wanted.from_ms, rows.at_ms < wanted.to_ms]
    where.append(or_(rows.at_ms > at_ms, (rows.at_ms == at_ms) & (rows.id > id_)))
    if wanted.contact is not None:
        links = tables.contact_visitor.c
        known = select(links.visitor).where(links.account == account, links.contact == wanted.contact)
        where.append(or_(rows.contact == wanted.contact, rows.visitor.in_(known)))
    if wanted.chatflow is not None:
        where.append(rows.chatflow == wanted.chatflow)
    if wanted.purpose is not None:
        where.append(rows.purpose == wanted.purpose)
    found = select(*(rows[name] for name in COLUMNS)).where(*where).order_by(rows.at_ms, rows.id).limit(limit)
    return [dict(zip(COLUMNS, row, strict=True)) for row in connection.execute(found)]


def history(connection: Connection, account: AccountId, contact: ContactId) -> list[dict[str, Any]]:
    """Return every answer of a contact about subscriptions, the oldest first."""
    rows = tables.subscription_change.c
    found = select(*(rows[name] for name in ANSWERED)).where(rows.account == account, rows.contact == contact)
    said = connection.execute(found.order_by(rows.at_ms, rows.subscription))
    return [dict(zip(ANSWERED, row, strict=True)) for row in said]


def subscribe(
    connection: Connection, account: AccountId, contact: ContactId, subscription: str, *, wants: bool, at_ms: int
) -> None:
    """Write what a contact told an administrator."""
    answer = {"contact": contact, "subscription": subscription, "account": account, "wants": wants, "verified": True}
    write(connection, tables.subscription, [{**answer, "at_ms": at_ms}], "replace")
    write(connection, tables.subscription_change, [{**answer, "at_ms": at_ms, "source": "admin"}], "keep")
