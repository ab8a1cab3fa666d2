"""Whether what a cell holds in Redis may be gone on with.

Invariant: pure; a cell of which an acknowledged commit may be missing is never called good. Going on then would give a
second event the id of one that somebody has read.
"""

from dataclasses import dataclass
from enum import Enum

from protocol.bus.records import CellRecord
from store.sql.queries.cells import CellPosition


class Verdict(Enum):
    """What to do with a cell just taken."""

    GOOD = "good"
    GOOD_AS_LEFT = "good, as a clean stop left it"
    ASK_SQL = "only SQL can tell"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an owner knows of its own cell: under `token`, commits up to `commit_no` were sent, and may have been taken.

    One that was not answered counts too: it may have been taken, shown to its readers, copied into SQL, and then lost.
    """

    token: str
    epoch: int
    commit_no: int


def judge(record: CellRecord, run_id: str, mine: Remembered | None) -> Verdict:
    """Judge `record` on a server in its life `run_id`; `mine`: what we remember as the owner that the record names."""
    if record.status != "ready":
        return Verdict.SUSPECT  # nothing there, or a rebuilding that nobody finished
    if record.run_id == run_id:
        return Verdict.GOOD
    if mine is not None and (record.owner, record.epoch) == (mine.token, mine.epoch):
        return Verdict.GOOD if record.commit_no >= mine.commit_no else Verdict.SUSPECT
    return Verdict.ASK_SQL


def judge_by_sql(record: CellRecord, sql: CellPosition | None) -> Verdict:
    """Judge a record of an earlier life of the server, whose owner is not ours: only a clean stop vouches for it."""
    if sql is None or sql.epoch != record.epoch or sql.commit_no > record.commit_no:
        return Verdict.SUSPECT
    left = (sql.clean_run_id, sql.clean_commit_no)
    return Verdict.GOOD_AS_LEFT if left == (record.run_id, record.commit_no) else Verdict.SUSPECT
