"""The fenced copy of commits, on SQLite and on PostgreSQL."""

import asyncio

import msgspec
import pytest

from protocol.bus.records import Commit, Outcome
from protocol.ids import CellName, SessionId
from store.sql.database import Database, Databases, SqlDatabase, StoreAway
from store.sql.queries import cells, commits, history, jobs, ledgers, rebuild
from store.sql.queries.commits import HoleInCommits
from tests.kit.commits import (
    ACCOUNT,
    NOW_MS,
    PHONE,
    VISITOR,
    commit,
    conversation,
    handed_on,
    job,
    outcome,
    roster_event,
    said,
    visitor_state,
)
from tests.kit.sql_servers import open_databases

CELL = CellName("c00")
ONE = conversation(1)


@pytest.fixture
async def record(databases: Databases) -> Database:
    await databases.record.transact(lambda connection: cells.begin_epoch(connection, CELL, 1))
    return databases.record


async def apply(record: Database, *batch: Commit) -> bool:
    return await record.transact(lambda connection: commits.apply(connection, CELL, list(batch)))


async def position(record: Database) -> tuple[int, int]:
    found = await record.read(lambda connection: cells.position(connection, CELL))
    assert found is not None
    return found.epoch, found.commit_no


async def seqs(record: Database) -> list[int]:
    page = await record.read(lambda c: history.after(c, ACCOUNT, ONE, 0, 1000, audience="staff"))
    return [hint.seq for hint in page]


async def test_a_batch_moves_the_position_to_its_last_commit(record: Database) -> None:
    """What was written and how far we are change together."""
    assert await apply(record, commit(1, events=[said(ONE, 1)]), commit(2, events=[said(ONE, 2)]))
    assert await position(record) == (1, 2)
    assert await seqs(record) == [1, 2]


async def test_the_same_batch_twice_is_written_once(record: Database) -> None:
    """A scribe that did not hear that its transaction was committed may just try again."""
    batch = [commit(1, events=[said(ONE, 1)])]
    assert await apply(record, *batch)
    assert not await apply(record, *batch)
    assert await seqs(record) == [1]


async def test_an_older_epoch_writes_nothing(record: Database) -> None:
    """A scribe that slept through a recovery is shut out, even with the right commit_no."""
    await record.transact(lambda connection: cells.begin_epoch(connection, CELL, 2))
    assert not await apply(record, commit(1, events=[said(ONE, 1)]))
    assert (await position(record), await seqs(record)) == ((2, 0), [])


async def test_a_batch_that_begins_too_late_writes_nothing(record: Database) -> None:
    """Commits that SQL lacks before the batch are not jumped over."""
    assert not await apply(record, commit(2, events=[said(ONE, 2)]))
    assert await seqs(record) == []


async def test_a_hole_inside_a_batch_is_a_fault_and_writes_nothing(record: Database) -> None:
    """A missing commit is reported with its number."""
    with pytest.raises(HoleInCommits) as fault:
        await apply(record, commit(1, events=[said(ONE, 1)]), commit(3, events=[said(ONE, 2)]))
    assert (fault.value.expected, fault.value.found) == (2, 3)
    assert (await position(record), await seqs(record)) == ((1, 0), [])


async def test_of_two_scribes_with_one_batch_one_writes(record: Database) -> None:
    """The fence holds between transactions that run at once."""
    batch = [commit(number, events=[said(ONE, number, commit_no=number)]) for number in range(1, 40)]
    won = await asyncio.gather(*(apply(record, *batch) for _ in range(4)))
    assert sorted(won) == [False, False, False, True]
    assert await seqs(record) == list(range(1, 40))


async def test_a_batch_keeps_the_last_state_of_everything(record: Database) -> None:
    """Several snapshots and outcomes of one thing in a batch end as the last one."""
    first = commit(1, events=[said(ONE, 1)], states=[visitor_state()], ledger=[outcome(ONE, 1)])
    second = commit(2, events=[said(ONE, 2)], states=[visitor_state()], ledger=[outcome(ONE, 33), outcome(ONE, 2)])
    assert await apply(record, first, second)
    [stored] = await record.read(lambda c: rebuild.conversations(c, [ONE]))
    assert (stored.seq, stored.commit_no) == (2, 2)
    [known] = await record.read(lambda c: rebuild.visitors(c, [VISITOR]))
    assert known.commit_no == 2
    remembered = await record.read(lambda c: ledgers.of(c, [ONE]))
    assert [row.n for row in remembered] == [2, 33]


async def test_a_later_batch_replaces_states(record: Database) -> None:
    """Snapshots and outcomes are replaced in place; n and n + 32 share a slot."""
    assert await apply(record, commit(1, events=[handed_on(ONE, 1)], ledger=[outcome(ONE, 1)]))
    assert await apply(record, commit(2, events=[handed_on(ONE, 2)], ledger=[outcome(ONE, 33)]))
    [stored] = await record.read(lambda c: rebuild.conversations(c, [ONE]))
    assert stored.seq == 2
    assert [row.n for row in await record.read(lambda c: ledgers.of(c, [ONE]))] == [33]


async def test_words_are_remembered_by_their_entries(record: Database) -> None:
    """What became of them is told as it was; the newest 32 of a sender count, with whatever has a row of its own."""
    said_and_refused = [said(ONE, seq, commit_no=1, index=seq - 1) for seq in range(1, 40)]
    assert await apply(record, commit(1, events=said_and_refused, ledger=[outcome(ONE, 40), outcome(ONE, 5)]))
    rows = await record.read(lambda c: ledgers.of(c, [ONE]))
    assert [row.n for row in rows] == list(range(9, 41))
    newest = msgspec.msgpack.decode(rows[-2].outcome, type=Outcome)
    assert newest == Outcome(SessionId(""), PHONE, 39, "id-39", "", ONE, 39, "1.1.38")


async def test_a_refusal_beside_an_entry_is_what_became_of_the_frame(record: Database) -> None:
    """An entry tells of its frame only where nothing else does."""
    refused = outcome(ONE, 1)
    assert await apply(record, commit(1, events=[said(ONE, 1)], ledger=[refused]))
    assert await record.read(lambda c: ledgers.of(c, [ONE], PHONE)) == [refused]


async def test_an_eviction_takes_nothing_from_sql(record: Database) -> None:
    """State b"" says that Redis let go of it, and changes no row."""
    gone = visitor_state()
    await apply(record, commit(1, states=[gone]))
    await apply(record, commit(2, states=[type(gone)(gone.kind, gone.id, gone.account, 0, b"")]))
    assert len(await record.read(lambda c: rebuild.visitors(c, [VISITOR]))) == 1


async def test_roster_events_come_with_an_empty_snapshot(record: Database) -> None:
    """A roster is found by recovery from its first event on."""
    await apply(record, commit(1, roster=[roster_event(1, b"one"), roster_event(2, b"two")]))
    [roster] = await record.read(lambda c: rebuild.rosters(c, CELL))
    assert (roster.account, roster.seq, roster.state) == (ACCOUNT, 0, b"")
    events = await record.read(lambda c: rebuild.roster_events(c, ACCOUNT, 0, 10))
    assert events == [(1, b"one"), (2, b"two")]


async def test_jobs_of_a_commit_are_due_at_once(record: Database) -> None:
    """An effect becomes a job in the transaction that brings its cause."""
    await apply(record, commit(1, jobs=[job("job-1")]))
    taken = await record.transact(lambda c: jobs.take(c, "record", now_ms=NOW_MS + 1, lease_ms=10, limit=5))
    assert [found.id for found in taken] == ["job-1"]


async def test_an_epoch_is_begun_once(databases: Databases) -> None:
    """commit_no runs on across epochs, and an epoch that is not above the present one is refused."""
    record = databases.record
    begun = [await record.transact(lambda c, epoch=epoch: cells.begin_epoch(c, CELL, epoch)) for epoch in (1, 1, 3, 2)]
    assert begun == [0, None, 0, None]


async def test_a_clean_stop_is_remembered_until_the_next_epoch(record: Database) -> None:
    """What a clean stop left is trusted only under the epoch it was left under."""
    assert await record.transact(lambda c: cells.leave_clean(c, CELL, 1, "run", 7))
    assert not await record.transact(lambda c: cells.leave_clean(c, CELL, 2, "other", 9))
    found = await record.read(lambda c: cells.position(c, CELL))
    assert found == cells.CellPosition(1, 0, "run", 7)
    await record.transact(lambda c: cells.begin_epoch(c, CELL, 2))
    assert await record.read(lambda c: cells.position(c, CELL)) == cells.CellPosition(2, 0, None, None)


async def test_a_full_disk_is_away_and_leaves_the_batch_unwritten(sqlite_urls: tuple[str, str]) -> None:
    """SQL that cannot grow refuses the whole batch with its reason; with room again it goes on."""
    both = open_databases(*sqlite_urls)
    await both.close()
    record = SqlDatabase(sqlite_urls[1])
    await record.transact(lambda c: cells.begin_epoch(c, CELL, 1))
    await record.transact(lambda c: limit_pages(c, extra=2))
    batch = [commit(number, events=[said(ONE, number, "x" * 9000)]) for number in range(1, 20)]
    with pytest.raises(StoreAway, match="full"):
        await apply(record, *batch)
    assert await position(record) == (1, 0)
    await record.transact(lambda c: limit_pages(c, extra=1_000_000))
    assert await apply(record, *batch)
    await record.close()


def limit_pages(connection, extra: int) -> None:
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + extra}")
