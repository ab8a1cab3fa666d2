"""Scribes against a real Valkey and a real SQLite."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest
import structlog
from structlog.testing import LogCapture

from protocol.bus.records import Commit
from protocol.ids import CellName
from store import failpoints
from store.redis.cluster import Dialler
from store.redis.connection import Connection
from store.redis.keys import Keys
from store.redis.server import EmbeddedValkey
from store.sql.database import Database, Databases, SqlDatabase
from store.sql.migrate import migrate
from store.sql.queries import cells, commits, history
from tests.kit.commits import ACCOUNT, commit, conversation, encode, said
from workers.counts import Counts
from workers.scribe import Scribe

CELL = CellName("c00")
ONE = conversation(1)
LIMIT_S = 60


class Died(Exception):
    """What a failpoint raises in place of killing this very process."""


@dataclass
class Bench:
    """A cell in Valkey, its record in SQL, and a line to each."""

    server: EmbeddedValkey
    line: Connection
    record: Database
    heard: LogCapture
    counts: Counts

    def scribe(self) -> Scribe:
        log = structlog.wrap_logger(None, processors=[self.heard])
        return Scribe(CELL, Dialler(self.server.address), self.record, self.counts, log)

    async def put(self, *made: Commit, epoch: int = 1) -> None:
        """Commit as the cell's owner would."""
        for one in made:
            await self.line.call("XADD", Keys(CELL).outbox(epoch), f"{one.commit_no}-0", "c", encode(one))
            await self.line.call("HSET", Keys(CELL).cell, "epoch", epoch, "commit_no", one.commit_no, "status", "ready")

    async def begin(self, epoch: int) -> None:
        await self.record.transact(partial(cells.begin_epoch, cell=CELL, epoch=epoch))

    async def stored(self) -> int:
        found = await self.record.read(partial(cells.position, cell=CELL))
        return 0 if found is None else found.commit_no

    async def trimmed_to(self) -> int:
        return int(await self.line.call("HGET", Keys(CELL).cell, "stored") or 0)

    async def outbox(self, epoch: int = 1) -> int:
        return int(await self.line.call("XLEN", Keys(CELL).outbox(epoch)))

    async def seqs(self) -> list[int]:
        page = await self.record.read(lambda sql: history.after(sql, ACCOUNT, ONE, 0, 1_000, audience="staff"))
        return [hint.seq for hint in page]

    async def said_so(self, event: str) -> bool:
        await self.stored()  # let others go on
        return any(entry["event"] == event for entry in self.heard.entries)


@pytest.fixture
async def bench(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    line = await Dialler(valkey.address)(CELL)
    made = Bench(valkey, line, sqlite_databases.record, LogCapture(), Counts())
    await made.begin(1)
    yield made
    line.abort()


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    failpoints.disarm()


def talk(first: int, last: int, *, epoch: int = 1) -> list[Commit]:
    """Commits of one message each, numbered like their seq."""
    return [
        commit(number, epoch=epoch, events=[said(ONE, number, commit_no=number)]) for number in range(first, last + 1)
    ]


async def until(running: Scribe, reached: Callable[[], object]) -> None:
    """Run the scribe until `reached` (asked again and again, awaited) is true."""
    task = asyncio.ensure_future(running.run())
    try:
        async with asyncio.timeout(LIMIT_S):
            while not await reached():  # type: ignore[misc]
                if task.done():
                    await task
    finally:
        task.cancel()
        await asyncio.wait([task])


def dies_at(name: str) -> None:
    def die() -> None:
        failpoints.disarm()
        raise Died(name)

    failpoints.arm(name, die)


def at(count: int, number: Callable[[], object]) -> Callable[[], object]:
    async def reached() -> bool:
        return await number() == count  # type: ignore[misc]

    return reached


async def test_commits_reach_sql_and_leave_redis(bench: Bench) -> None:
    """The outbox is empty when SQL has it all, and the cell says how far that is."""
    await bench.put(*talk(1, 40))
    await until(bench.scribe(), at(40, bench.trimmed_to))
    assert await bench.seqs() == list(range(1, 41))
    assert await bench.outbox() == 0
    assert (bench.counts.commits, bench.counts.events, bench.counts.stored[CELL]) == (40, 40, 40)


@pytest.mark.parametrize("name", ["scribe.before_sql", "scribe.after_sql", "scribe.before_trim"])
async def test_a_scribe_that_dies_anywhere_is_followed_without_loss_or_repeat(bench: Bench, name: str) -> None:
    """Whatever was done before the death, the next scribe does exactly the rest."""
    await bench.put(*talk(1, 10))
    dies_at(name)
    with pytest.raises(Died, match=name):
        await bench.scribe().run()
    await bench.put(*talk(11, 12))
    await until(bench.scribe(), at(12, bench.trimmed_to))
    assert await bench.seqs() == list(range(1, 13))


async def test_redis_keeps_what_sql_was_not_seen_to_have(bench: Bench) -> None:
    """Nothing is trimmed before the position was read back."""
    await bench.put(*talk(1, 10))
    dies_at("scribe.after_sql")
    with pytest.raises(Died):
        await bench.scribe().run()
    assert (await bench.stored(), await bench.outbox()) == (10, 10)


async def test_a_hole_is_reported_and_never_jumped_over(bench: Bench) -> None:
    """Commits after a missing one stay where they are."""
    await bench.put(*talk(1, 3), *talk(5, 6))
    await until(bench.scribe(), lambda: bench.said_so("scribe.hole"))
    assert (await bench.stored(), await bench.outbox()) == (0, 5)
    assert bench.counts.faults["hole"] >= 1


async def test_a_hole_at_the_front_is_reported_with_its_number(bench: Bench) -> None:
    """Neither is one before the first commit that is left."""
    await bench.put(*talk(3, 4))
    await until(bench.scribe(), lambda: bench.said_so("scribe.hole"))
    report = next(entry for entry in bench.heard.entries if entry["event"] == "scribe.hole")
    assert (report["cell"], report["expected"], report["found"]) == (CELL, 1, 3)


async def test_what_sql_will_not_take_is_reported_and_ends_nobody(bench: Bench) -> None:
    """One cell's commit that cannot be written is a fault of that cell; the worker goes on with the others."""
    await bench.put(commit(1, events=[said(ONE, 1), said(ONE, 1)]))
    await until(bench.scribe(), lambda: bench.said_so("scribe.refused"))
    assert (await bench.stored(), await bench.outbox()) == (0, 1)
    assert bench.counts.faults["refused"] >= 1


async def test_a_new_epoch_is_followed_and_the_old_one_left(bench: Bench) -> None:
    """After a recovery commits of the old epoch are never copied, even under the right number."""
    await bench.put(*talk(1, 2))
    await until(bench.scribe(), at(2, bench.trimmed_to))
    await bench.put(*talk(3, 9))
    await bench.begin(2)
    renewed = commit(3, epoch=2, events=[said(ONE, 3, "renewed", commit_no=3)])
    await bench.put(renewed, epoch=2)
    await until(bench.scribe(), at(3, bench.trimmed_to))
    assert await bench.seqs() == [1, 2, 3]
    assert (await bench.outbox(1), await bench.outbox(2)) == (7, 0)


async def test_a_running_scribe_notices_the_new_epoch(bench: Bench) -> None:
    """The epoch may be raised at any moment; nobody tells the scribe."""
    await bench.put(*talk(1, 2))

    raised = False

    async def raised_and_followed() -> bool:
        nonlocal raised
        if await bench.stored() == 2 and not raised:
            raised = True
            await bench.begin(2)
            await bench.put(*talk(3, 3, epoch=2), epoch=2)
        return await bench.trimmed_to() == 3

    await until(bench.scribe(), raised_and_followed)
    assert await bench.seqs() == [1, 2, 3]


async def test_two_scribes_of_one_cell_write_each_commit_once(bench: Bench) -> None:
    """Double work is harmless."""
    await bench.put(*talk(1, 300))
    other = asyncio.ensure_future(bench.scribe().run())
    await until(bench.scribe(), at(300, bench.trimmed_to))
    other.cancel()
    await asyncio.wait([other])
    assert await bench.seqs() == list(range(1, 301))
    assert not await bench.said_so("scribe.hole")


async def test_a_cut_line_is_dialled_again(bench: Bench) -> None:
    """Losing Redis is a fault that passes."""
    await bench.put(*talk(1, 1))
    cut: list[int] = []

    async def cut_and_followed() -> bool:
        if await bench.trimmed_to() == 1 and not cut:
            cut.append(await bench.line.call("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES"))
            await bench.put(*talk(2, 2))
        return await bench.trimmed_to() == 2

    await until(bench.scribe(), cut_and_followed)
    assert cut[0] > 0
    assert await bench.seqs() == [1, 2]


async def test_sql_that_comes_later_gets_everything(bench: Bench, tmp_path) -> None:
    """While SQL is away commits wait in Redis."""
    url = f"sqlite:///{tmp_path}/late.db"
    await bench.put(*talk(1, 5))
    bench.record = SqlDatabase(url)
    missing = True

    async def came_and_followed() -> bool:
        nonlocal missing
        if missing and any(entry["event"] == "scribe.away" for entry in bench.heard.entries):
            migrate(url, "record")
            await bench.begin(1)
            missing = False
        return await bench.trimmed_to() == 5

    await until(bench.scribe(), came_and_followed)
    assert await bench.seqs() == [1, 2, 3, 4, 5]
    await bench.record.close()


async def test_an_unreadable_commit_is_reported_and_stays(bench: Bench) -> None:
    """Bytes that are no commit stop the copying; they are not guessed at."""
    await bench.line.call("XADD", Keys(CELL).outbox(1), "1-0", "c", b"\xc1")
    await until(bench.scribe(), lambda: bench.said_so("scribe.unreadable"))
    assert (await bench.stored(), await bench.outbox()) == (0, 1)


async def test_a_paused_scribe_wakes_up_behind_the_fence(bench: Bench) -> None:
    """A scribe that held a batch while the cell was recovered writes nothing of it."""
    await bench.put(*talk(1, 3))
    held = talk(1, 3)
    await bench.begin(2)
    assert not await bench.record.transact(partial(commits.apply, cell=CELL, commits=held))
    assert await bench.seqs() == []
