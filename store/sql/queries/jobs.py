"""Jobs: what must be done in the world at least once. Both sides of SQL have such a table.

Invariant: a job that is not done becomes due again; taking one only moves its due time into the future, so that a
worker that dies leaves it to the next. Doing it twice is possible, its stable id lets the world notice.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Table, func, select, update

from protocol.bus.records import JobRow
from protocol.ids import AccountId
from store.sql import tables
from store.sql.bulk import write

Side = Literal["config", "record"]


@dataclass(frozen=True, slots=True)
class TakenJob:
    """A job that is ours until the lease ends. `attempts` counts this one."""

    id: str
    kind: str
    account: AccountId
    payload: bytes
    attempts: int


def add(connection: Connection, side: Side, job: JobRow, due_ms: int) -> None:
    """Write a new job."""
    asked = {"id": job.id, "kind": job.kind, "account": job.account, "payload": job.payload}
    write(connection, _table(side), [{**asked, "due_ms": due_ms, "attempts": 0, "done_ms": None, "error": ""}])


def take(connection: Connection, side: Side, *, now_ms: int, lease_ms: int, limit: int) -> list[TakenJob]:
    """Take up to `limit` due jobs, oldest first; each is due again at `now_ms + lease_ms` unless done before."""
    table = _table(side)
    columns = table.c
    due = select(columns.id, columns.kind, columns.account, columns.payload, columns.attempts)
    due = due.where(columns.done_ms.is_(None), columns.due_ms <= now_ms).order_by(columns.due_ms, columns.id)
    rows = connection.execute(due.limit(limit).with_for_update(skip_locked=True)).all()
    if rows:
        ours = update(table).where(columns.id.in_([row.id for row in rows]))
        connection.execute(ours.values(due_ms=now_ms + lease_ms, attempts=columns.attempts + 1))
    return [TakenJob(row.id, row.kind, row.account, row.payload, row.attempts + 1) for row in rows]


def is_any_due(connection: Connection, side: Side, now_ms: int) -> bool:
    """Whether `take` would find anything: asked first, so that idle workers do not take the writer's turn."""
    columns = _table(side).c
    due = select(columns.id).where(columns.done_ms.is_(None), columns.due_ms <= now_ms).limit(1)
    return connection.scalar(due) is not None


def done(connection: Connection, side: Side, job_id: str, now_ms: int) -> None:
    """Note that the job was done."""
    table = _table(side)
    connection.execute(update(table).where(table.c.id == job_id).values(done_ms=now_ms, error=""))


def failed(connection: Connection, side: Side, job_id: str, *, due_ms: int, error: str) -> None:
    """Note why the job was not done, and when to try again."""
    table = _table(side)
    again = update(table).where(table.c.id == job_id, table.c.done_ms.is_(None))
    connection.execute(again.values(due_ms=due_ms, error=error[:500]))


def waiting(connection: Connection, side: Side) -> int:
    """Return how many jobs are not done."""
    table = _table(side)
    return connection.scalar(select(func.count()).select_from(table).where(table.c.done_ms.is_(None))) or 0


def _table(side: Side) -> Table:
    return tables.config_job if side == "config" else tables.job
