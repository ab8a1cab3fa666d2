"""Answers to requests that carried an Idempotency-Key, so that the same request again gets the same answer.

Invariant: kept in the transaction that did what was asked, hence there if and only if it was done.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from protocol.ids import AccountId
from store.sql.admin_tables import kept_answer
from store.sql.bulk import write

KEPT_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """`request` is the hash of what was asked, `answer` the body that was given."""

    request: bytes
    status: int
    answer: bytes


def find(connection: Connection, account: AccountId, key: str) -> KeptAnswer | None:
    """Return what was answered under `key`, or None."""
    rows = kept_answer.c
    this = (rows.account == account, rows.key == key)
    row = connection.execute(select(rows.request, rows.status, rows.answer).where(*this)).one_or_none()
    return None if row is None else KeptAnswer(*row)


def keep(connection: Connection, account: AccountId, key: str, answer: KeptAnswer, now_ms: int) -> None:
    """Keep an answer for a day, and forget older ones."""
    connection.execute(delete(kept_answer).where(kept_answer.c.at_ms <= now_ms - KEPT_MS))
    row = {"account": account, "key": key, "request": answer.request, "status": answer.status, "answer": answer.answer}
    write(connection, kept_answer, [{**row, "at_ms": now_ms}])
