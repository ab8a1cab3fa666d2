"""Answers to requests that carried an Idempotency-Key, so that the same request again gets the same answer.

Invariant: kept in the transaction that did what was asked, hence there if and only if it was done: of two that do the
same at once, the second is undone and finds the answer of the first.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Table, delete, select

from protocol.ids import AccountId
from store.sql.admin_tables import kept_answer, record_answer
from store.sql.bulk import write_new

KEPT_MS = 86_400_000
Side = Literal["config", "record"]


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """`request` is the hash of what was asked, `answer` what was answered, as whoever keeps it writes that down."""

    request: bytes
    status: int
    answer: bytes


class AnsweredBefore(Exception):
    """It was done before: nothing is done now."""

    def __init__(self, kept: KeptAnswer) -> None:
        super().__init__("answered before")
        self.kept = kept


def find(connection: Connection, account: AccountId, key: str, side: Side = "config") -> KeptAnswer | None:
    """Return what was answered under `key`, or None."""
    rows = _table(side).c
    this = (rows.account == account, rows.key == key)
    row = connection.execute(select(rows.request, rows.status, rows.answer).where(*this)).one_or_none()
    return None if row is None else KeptAnswer(*row)


def keep(
    connection: Connection, account: AccountId, key: str, answer: KeptAnswer, now_ms: int, side: Side = "config"
) -> None:
    """Keep an answer for a day. Raises AnsweredBefore, which undoes the transaction, if there is one already."""
    row = {"account": account, "key": key, "request": answer.request, "status": answer.status, "answer": answer.answer}
    if not write_new(connection, _table(side), {**row, "at_ms": now_ms}):
        before = find(connection, account, key, side)
        assert before is not None, "an answer that is in the way is there"
        raise AnsweredBefore(before)


def forget(connection: Connection, side: Side, now_ms: int) -> int:
    """Forget the answers that were kept for a day, and return how many."""
    table = _table(side)
    return connection.execute(delete(table).where(table.c.at_ms <= now_ms - KEPT_MS)).rowcount


def is_any_old(connection: Connection, side: Side, now_ms: int) -> bool:
    """Whether `forget` would find any: asked first, so that idle workers do not take the writer's turn."""
    rows = _table(side).c
    return connection.scalar(select(rows.key).where(rows.at_ms <= now_ms - KEPT_MS).limit(1)) is not None


def _table(side: Side) -> Table:
    return kept_answer if side == "config" else record_answer
