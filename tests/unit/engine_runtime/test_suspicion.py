"""When a cell may be gone on with."""

import pytest
from msgspec.structs import replace

from engine.runtime.suspicion import Remembered, Verdict, judge, judge_by_sql
from protocol.bus.records import CellRecord
from store.sql.queries.cells import CellPosition

RECORD = CellRecord("me", "life-1", 4, 100, "5-0:1", "ready", 90)
NOBODY = CellRecord("", "", 0, 0, "", "", 0)


def test_the_same_life_of_the_server_is_good() -> None:
    """Nothing was lost where nothing ended; SQL is not asked."""
    assert judge(RECORD, "life-1", None) is Verdict.GOOD


@pytest.mark.parametrize("record", [NOBODY, replace(RECORD, status="rebuilding")])
def test_nothing_and_half_of_something_are_suspect(record: CellRecord) -> None:
    """An empty server, or a rebuilding that somebody left behind, even in the same life."""
    assert judge(record, "life-1", None) is Verdict.SUSPECT


@pytest.mark.parametrize("commit_no", [100, 99])
def test_an_owner_that_finds_what_it_remembers_goes_on(commit_no: int) -> None:
    """Commits beyond what was acknowledged to it are its own as well."""
    assert judge(RECORD, "life-2", Remembered("me", 4, commit_no)) is Verdict.GOOD


def test_an_owner_that_misses_a_commit_does_not() -> None:
    """It was told that the commit was taken; so readers may have seen it."""
    assert judge(RECORD, "life-2", Remembered("me", 4, 101)) is Verdict.SUSPECT


@pytest.mark.parametrize("mine", [None, Remembered("not me", 4, 100), Remembered("me", 3, 100)])
def test_a_stranger_asks_sql(mine: Remembered | None) -> None:
    """Whoever was not the owner cannot know what is missing."""
    assert judge(RECORD, "life-2", mine) is Verdict.ASK_SQL


def test_a_clean_stop_vouches_for_exactly_what_it_left() -> None:
    """The same life of the server, the same epoch, the same commit."""
    left = CellPosition(4, 100, "life-1", 100)
    assert judge_by_sql(RECORD, left) is Verdict.GOOD_AS_LEFT
    assert judge_by_sql(RECORD, CellPosition(4, 80, "life-1", 100)) is Verdict.GOOD_AS_LEFT


@pytest.mark.parametrize(
    "sql",
    [
        None,
        CellPosition(4, 100, None, None),
        CellPosition(4, 100, "life-0", 100),
        CellPosition(4, 100, "life-1", 101),
        CellPosition(5, 100, "life-1", 100),
        CellPosition(4, 101, "life-1", 100),
    ],
)
def test_anything_else_is_suspect(sql: CellPosition | None) -> None:
    """No word, another life, another commit, a later epoch, or SQL further than Redis."""
    assert judge_by_sql(RECORD, sql) is Verdict.SUSPECT
