"""The fenced copy of a cell's commits into SQL.

Invariant: `apply` writes a contiguous run of commits of the present epoch right after the last one, or nothing at all.
A scribe that was paused, doubled or left behind by a recovery therefore never writes a row.
"""

from sqlalchemy import Connection, update

from protocol.bus.records import Commit
from protocol.ids import CellName
from store.sql import tables
from store.sql.bulk import write, write_values
from store.sql.queries import facts, marks, rows


class HoleInCommits(Exception):
    """Commits are missing between what SQL has and what came next. Never skipped: history would lie."""

    def __init__(self, cell: CellName, expected: int, found: int) -> None:
        super().__init__(f"{cell}: commit {expected} is missing; the next one found is {found}")
        self.cell = cell
        self.expected = expected
        self.found = found


def apply(connection: Connection, cell: CellName, commits: list[Commit]) -> bool:
    """Write `commits`, contiguous and of one epoch; False and nothing written if the cell's row is elsewhere."""
    first, last = commits[0], commits[-1]
    for number, commit in enumerate(commits, start=first.commit_no):
        assert commit.epoch == first.epoch, "a batch is of one epoch"
        if commit.commit_no != number:
            raise HoleInCommits(cell, number, commit.commit_no)
    cells = tables.cell
    fence = update(cells).where(
        cells.c.cell == cell, cells.c.epoch == first.epoch, cells.c.commit_no == first.commit_no - 1
    )
    if connection.execute(fence.values(commit_no=last.commit_no)).rowcount != 1:
        return False
    _write(connection, cell, commits)
    return True


def _write(connection: Connection, cell: CellName, commits: list[Commit]) -> None:
    states = rows.states(cell, commits)
    log = rows.events(commits)
    write_values(connection, tables.event, rows.EVENT, log)
    write(connection, tables.conversation, states.conversations, "replace")
    write(connection, tables.visitor, states.visitors, "replace")
    write(connection, tables.roster, rows.rosters_begun(cell, commits), "keep")
    write(connection, tables.roster, states.rosters, "replace")
    write(connection, tables.ledger, rows.ledger(cell, commits), "replace")
    write(connection, tables.roster_event, rows.roster_events(cell, commits))
    write(connection, tables.job, rows.jobs(commits), "keep")
    marks.keep(connection, states.conversations, log)
    facts.keep(connection, cell, commits)
