"""Drafts of chatflows: what an admin has changed and not published.

Invariant: a draft is changed only by who saw it as it is (`swap`).
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from protocol.ids import AccountId, ChatflowId
from store.sql.admin_tables import draft
from store.sql.bulk import write


@dataclass(frozen=True, slots=True)
class Draft:
    """`document` is JSON; `changed_by` names who last changed it."""

    chatflow: ChatflowId
    document: bytes
    changed_at_ms: int
    changed_by: str


def of_account(connection: Connection, account: AccountId) -> dict[ChatflowId, Draft]:
    """Return the drafts of an account."""
    rows = draft.c
    columns = (rows.chatflow, rows.document, rows.changed_at_ms, rows.changed_by)
    found = connection.execute(select(*columns).where(rows.account == account).order_by(rows.chatflow))
    return {row.chatflow: Draft(*row) for row in found}


def swap(
    connection: Connection,
    account: AccountId,
    seen: dict[ChatflowId, Draft],
    wanted: dict[ChatflowId, Draft | None],
) -> bool:
    """Make the drafts as `wanted` (None: gone) if all are as `seen`; else change nothing and return False."""
    if of_account(connection, account) != seen:
        return False
    for chatflow, one in wanted.items():
        this = (draft.c.account == account, draft.c.chatflow == chatflow)
        connection.execute(delete(draft).where(*this))
        if one is not None:
            row = {"account": account, "chatflow": chatflow, "document": one.document}
            write(connection, draft, [{**row, "changed_at_ms": one.changed_at_ms, "changed_by": one.changed_by}])
    return True
