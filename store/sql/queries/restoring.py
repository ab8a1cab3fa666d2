"""What a restored installation must know before anything runs on it.

Invariant: no epoch under which somebody was answered after the backup comes again; nobody who was erased after it is
shown anything before they are erased again.
"""

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, func, select, update

from protocol.ids import CellName, ContactId, ErasureId, VisitorId
from store.files.erased import Erased
from store.sql import tables
from store.sql.bulk import write
from store.sql.queries import erasures
from store.sql.queries.erasures import Counts, Erasure

_RESTORED = "restored_at_ms"  # the setting that says when
_HASH_BYTES = 10


def begin_anew(connection: Connection, cells: Iterable[CellName], now_ms: int) -> None:
    """Put every cell above all epochs of the time that is lost. Of the record.

    Epochs count up by one, rebuilding takes longer than a second, and this begins at the seconds since 1970: so what is
    lost, and what was restored before, stays below.
    """
    rows, epoch = tables.cell, now_ms // 1_000
    never = {"epoch": 0, "commit_no": 0, "clean_run_id": None, "clean_commit_no": None}
    write(connection, rows, [{"cell": cell, **never} for cell in cells], "keep")
    connection.execute(update(rows).where(rows.c.epoch < epoch).values(epoch=epoch))
    connection.execute(update(rows).values(clean_run_id=None, clean_commit_no=None))


def erase_again(connection: Connection, listed: Iterable[Erased], now_ms: int) -> int:
    """Have everybody erased who is on the list and was not when the backup was made; return how many erasures wait."""
    for line in listed:
        known = erasures.of_id(connection, line.id)
        if known is None or known.done_at_ms is None:
            for erasure in of_line(line):
                if erasures.of_id(connection, erasure.id) is None:
                    erasures.ask(connection, erasure)
    pending, job = tables.erasure.c, tables.config_job
    left = select(pending.id).where(pending.done_at_ms.is_(None))
    due = update(job).where(job.c.kind == erasures.ERASE, job.c.done_ms.is_(None), job.c.due_ms > now_ms)
    connection.execute(due.values(due_ms=now_ms))
    write(connection, tables.installation, [{"name": _RESTORED, "value": str(now_ms)}], "replace")
    return len(connection.scalars(left).all())


def left(connection: Connection) -> int:
    """Return how many erasures are not done that were asked before the restoring; 0 where nothing was restored."""
    at_ms = connection.scalar(select(tables.installation.c.value).where(tables.installation.c.name == _RESTORED))
    if at_ms is None:
        return 0
    rows = tables.erasure.c
    waiting = select(func.count()).where(rows.done_at_ms.is_(None), rows.asked_at_ms <= int(at_ms))
    return connection.scalar(waiting) or 0


def of_line(line: Erased) -> Iterable[Erasure]:
    """Return the erasures that leave nothing of whom the line names, whatever was known of them in the backup.

    The first has the line's own id. What was one contact may have been two then, and a visitor nobody's.
    """
    named: list[tuple[ContactId | None, VisitorId | None]] = [(contact, None) for contact in line.contacts]
    named += [(None, visitor) for visitor in line.visitors]
    for number, (contact, visitor) in enumerate(named):
        digest = hashlib.sha256(f"{line.id} {contact or visitor}".encode()).hexdigest()
        id_ = line.id if number == 0 else ErasureId(f"era_{digest[: 2 * _HASH_BYTES]}")
        yield Erasure(id_, line.account, line.cell, "asked", contact, visitor, line.asked_at_ms, None, Counts())
