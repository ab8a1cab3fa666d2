"""Tickets of help desks, and the tags that conversations have: found in pages.

Invariant: always within one account; of conversations that may be seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from protocol.ids import AccountId, ConversationId, InboxId
from store.sql import tables
from store.sql.queries.conversations import Place, seen_in


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it now is."""

    number: int
    conversation: ConversationId
    inbox: str
    status: str
    priority: str
    opened_at_ms: int
    changed_at_ms: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tickets are meant; None: whatever. `inboxes`: those whose conversations may be seen."""

    inboxes: Sequence[InboxId] | None = None
    status: str | None = None
    priority: str | None = None
    inbox: str | None = None


def page(connection: Connection, account: AccountId, wanted: Wanted, place: Place, limit: int) -> list[Ticket]:
    """Return up to `limit` tickets by their number, which is also the order in which they were opened."""
    rows = tables.ticket.c
    found = _all(account, wanted.inboxes)
    for column, value in ((rows.status, wanted.status), (rows.priority, wanted.priority), (rows.inbox, wanted.inbox)):
        if value is not None:
            found = found.where(column == value)
    if place.after is not None:
        number = place.after[0]
        found = found.where(rows.number < number if place.falls else rows.number > number)
    order = (rows.number, rows.conversation)
    ordered = found.order_by(*(column.desc() if place.falls else column for column in order))
    return [Ticket(*row) for row in connection.execute(ordered.limit(limit))]


def numbered(
    connection: Connection, account: AccountId, number: int, inboxes: Sequence[InboxId] | None
) -> Ticket | None:
    """Return the ticket of that number, or None."""
    row = connection.execute(_all(account, inboxes).where(tables.ticket.c.number == number)).first()
    return None if row is None else Ticket(*row)


def of(connection: Connection, conversations: Sequence[ConversationId]) -> dict[ConversationId, Ticket]:
    """Return the tickets of those conversations that have one."""
    found = select(*_columns()).where(tables.ticket.c.conversation.in_(conversations))
    return {ticket.conversation: ticket for ticket in (Ticket(*row) for row in connection.execute(found))}


def tags(
    connection: Connection, account: AccountId, inboxes: Sequence[InboxId] | None, after: str, limit: int
) -> list[tuple[str, int]]:
    """Return up to `limit` tags that come after one, in alphabetical order, and how many conversations have each."""
    rows = tables.conversation_tag.c
    found = select(rows.tag, func.count()).where(rows.account == account, rows.tag > after)
    seen = found if inboxes is None else found.where(rows.inbox.in_(inboxes))
    counted = seen.group_by(rows.tag).order_by(rows.tag).limit(limit)
    return [(tag, count) for tag, count in connection.execute(counted)]


def _columns() -> list[Any]:
    return [tables.ticket.c[name] for name in Ticket.__slots__]


def _all(account: AccountId, inboxes: Sequence[InboxId] | None) -> Select[Any]:
    rows = tables.ticket.c
    joined = tables.ticket.join(tables.conversation, tables.conversation.c.id == rows.conversation)
    return select(*_columns()).select_from(joined).where(rows.account == account, *seen_in(inboxes))
