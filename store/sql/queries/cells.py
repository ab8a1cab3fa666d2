"""A cell's own row: how far SQL is, under which epoch, and whether the last owner stopped cleanly.

Invariant: epoch and commit_no only rise. Raising the epoch shuts out every scribe of the one before.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from protocol.ids import CellName
from store.sql.bulk import write
from store.sql.tables import cell as cells
from store.sql.tables import epoch as epochs


@dataclass(frozen=True, slots=True)
class CellPosition:
    """How far SQL is with a cell. `clean_*` say what a clean stop left in Redis; None if it was not clean."""

    epoch: int
    commit_no: int
    clean_run_id: str | None
    clean_commit_no: int | None


def position(connection: Connection, cell: CellName) -> CellPosition | None:
    """Return the cell's row, or None for a cell that never had an epoch."""
    columns = cells.c
    found = select(columns.epoch, columns.commit_no, columns.clean_run_id, columns.clean_commit_no)
    row = connection.execute(found.where(columns.cell == cell)).first()
    return None if row is None else CellPosition(row.epoch, row.commit_no, row.clean_run_id, row.clean_commit_no)


def begin_epoch(connection: Connection, cell: CellName, epoch: int) -> int | None:
    """Raise the cell to `epoch`, making its row if there is none; return its commit_no, which runs on.

    None, and nothing changed, if it already is at `epoch` or above: somebody else rebuilds.
    """
    never = {"cell": cell, "epoch": 0, "commit_no": 0, "clean_run_id": None, "clean_commit_no": None}
    write(connection, cells, [never], "keep")
    raised = update(cells).where(cells.c.cell == cell, cells.c.epoch < epoch)
    raised = raised.values(epoch=epoch, clean_run_id=None, clean_commit_no=None)
    if connection.execute(raised).rowcount == 0:
        return None
    base: int = connection.execute(select(cells.c.commit_no).where(cells.c.cell == cell)).scalar_one()
    write(connection, epochs, [{"cell": cell, "epoch": epoch, "base_commit_no": base}])
    return base


def epochs_of(connection: Connection) -> list[tuple[CellName, int, int]]:
    """Return (cell, epoch, the commit it went on from) of every epoch so far, ascending."""
    rows = epochs.c
    found = select(rows.cell, rows.epoch, rows.base_commit_no).order_by(rows.cell, rows.epoch)
    return [(CellName(row.cell), row.epoch, row.base_commit_no) for row in connection.execute(found)]


def leave_clean(connection: Connection, cell: CellName, epoch: int, run_id: str, commit_no: int) -> bool:
    """Note that the owner stopped cleanly with Redis `run_id` at `commit_no`; False if `epoch` is over."""
    mine = update(cells).where(cells.c.cell == cell, cells.c.epoch == epoch)
    return connection.execute(mine.values(clean_run_id=run_id, clean_commit_no=commit_no)).rowcount == 1
