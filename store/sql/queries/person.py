"""All that the record holds of a contact's visitors, for the person's export: conversations, surveys, tickets, files.

Invariant: reads only, one conversation at a time, so that no more than one log is ever held.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from protocol.ids import AccountId, ConversationId, VisitorId
from store.sql import tables

_HIDDEN = ("cell", "account", "agent")  # an alias may stand for the agent


def conversations(connection: Connection, account: AccountId, visitors: Sequence[VisitorId]) -> list[ConversationId]:
    """Return the visitors' conversations, in the order in which they last changed."""
    rows = tables.conversation.c
    found = select(rows.id).where(rows.account == account, rows.visitor.in_(visitors))
    return [ConversationId(each) for each in connection.scalars(found.order_by(rows.commit_no, rows.id))]


def rows_of(
    connection: Connection, table: Table, account: AccountId, conversations_: Sequence[ConversationId]
) -> list[dict[str, Any]]:
    """Return what a table says of the conversations: survey_ask, ticket, attachment."""
    found = select(table).where(table.c.account == account, table.c.conversation.in_(conversations_))
    ordered = connection.execute(found.order_by(table.c.conversation, *table.primary_key.columns))
    return [{str(name): value for name, value in row._mapping.items() if name not in _HIDDEN} for row in ordered]
