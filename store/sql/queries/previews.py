"""Previews: who may look at which chatflow before it is published, and until when.

Invariant: of a token only its hash is here; a preview that has ended is found by nobody.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from protocol.ids import AccountId, ChatflowId
from store.sql.admin_tables import preview
from store.sql.bulk import write


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview of `account`. `shows`: draft, published, or the number of a version."""

    id: str
    account: AccountId
    chatflow: ChatflowId
    shows: str
    created_at_ms: int
    created_by: str
    ends_at_ms: int


_ROWS = preview.c
_COLUMNS = (
    _ROWS.id, _ROWS.account, _ROWS.chatflow, _ROWS.shows, _ROWS.created_at_ms, _ROWS.created_by, _ROWS.ends_at_ms,
)  # fmt: skip


def begin(connection: Connection, begun: Preview, hashed: bytes) -> None:
    """Keep a new preview."""
    row = {column.name: getattr(begun, column.name) for column in _COLUMNS}
    write(connection, preview, [row | {"hash": hashed}])


def of_account(connection: Connection, account: AccountId) -> list[Preview]:
    """Return the previews of an account that go on or ended lately, oldest first."""
    found = select(*_COLUMNS).where(_ROWS.account == account).order_by(_ROWS.created_at_ms, _ROWS.id)
    return [Preview(*row) for row in connection.execute(found)]


def of_token(connection: Connection, hashed: bytes, now_ms: int) -> Preview | None:
    """Return the preview of that hash, if it goes on."""
    row = connection.execute(select(*_COLUMNS).where(_ROWS.hash == hashed, _ROWS.ends_at_ms > now_ms)).one_or_none()
    return None if row is None else Preview(*row)


def end(connection: Connection, account: AccountId, id_: str, now_ms: int) -> bool:
    """End a preview; False if the account has no such one that goes on."""
    this = (_ROWS.account == account, _ROWS.id == id_, _ROWS.ends_at_ms > now_ms)
    return bool(connection.execute(update(preview).where(*this).values(ends_at_ms=now_ms)).rowcount)


def forget(connection: Connection, account: AccountId, before_ms: int) -> None:
    """Forget the account's previews that ended before then."""
    connection.execute(delete(preview).where(_ROWS.account == account, _ROWS.ends_at_ms < before_ms))
