"""Workers and their jobs against a real Valkey and a real SQLite."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import pytest
import structlog
from structlog.testing import LogCapture

from protocol.bus.commands import PACK_DECODER, PublishConfig
from protocol.bus.config import CONFIG_DECODER, AccountConfig, Agent, App, Inbox
from protocol.ids import AccountId, AgentId, AppKey, CellName, InboxId
from store import failpoints
from store.redis.cluster import Dialler
from store.redis.connection import Connection
from store.redis.keys import APPS, LOGINS, WORKERS, Keys, cell_names
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.queries import cells, jobs, publications
from store.sql.queries.jobs import Side, TakenJob
from tests.kit.commits import NOW_MS, commit, conversation, encode, job, said
from workers.counts import Counts
from workers.jobs import Doing, JobFailed, Jobs
from workers.publish import Publisher
from workers.share import enlist, share
from workers.worker import Worker, WorkerSettings

ACCOUNT = AccountId("acc_nordvik")
CELL = CellName("c00")
LIMIT_S = 60


class Died(Exception):
    """What a failpoint raises in place of killing this very process."""


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
async def line(valkey: EmbeddedValkey) -> AsyncIterator[Connection]:
    opened = await Dialler(valkey.address)(None)
    yield opened
    opened.abort()


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    failpoints.disarm()


def quiet() -> object:
    return structlog.wrap_logger(None, processors=[LogCapture()])


def doer(databases: Databases, clock: Clock, side: Side = "record", **kinds: Doing) -> Jobs:
    return Jobs(side, getattr(databases, side), kinds, clock, Counts(), quiet())


def config(version: int, *, app: str = "app_nordvik", email: str = "Kari@Nordvik.example") -> AccountConfig:
    kari = Agent(AgentId("agt_kari"), "Kari", email, "$argon2id$")
    inbox = Inbox(InboxId("inb_support"), "Support", agents=[kari.id])
    return AccountConfig(
        ACCOUNT, "Nordvik", version, CELL, b"k" * 32, [App(AppKey(app), "Nordvik")], [inbox], [kari], [], []
    )


async def publish(databases: Databases, version: AccountConfig) -> None:
    await databases.config.transact(partial(publications.publish, configs=[version], now_ms=NOW_MS))


async def add_job(databases: Databases, name: str, kind: str = "ring") -> None:
    await databases.record.transact(lambda sql: jobs.add(sql, "record", job(name, kind), NOW_MS))


async def waiting(databases: Databases, side: Side = "record") -> int:
    return await getattr(databases, side).read(partial(jobs.waiting, side=side))


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not await reached():
            pass


async def test_a_job_is_done_once_when_nothing_goes_wrong(sqlite_databases: Databases) -> None:
    """Done is done, however much later we look again."""
    rung: list[str] = []
    clock = Clock()
    await add_job(sqlite_databases, "job-1")
    doing = doer(sqlite_databases, clock, ring=partial(ring, rung))
    assert await doing.do_due() == 1
    clock.now_ms += 10**9
    assert await doing.do_due() == 0
    assert rung == ["job-1"]


async def test_a_job_that_was_done_but_not_noted_is_done_again(sqlite_databases: Databases) -> None:
    """At least once: a death between doing and noting leads to a second time, never to none."""
    rung: list[str] = []
    clock = Clock()
    await add_job(sqlite_databases, "job-1")
    doing = doer(sqlite_databases, clock, ring=partial(ring, rung))
    failpoints.arm("job.before_done", die)
    with pytest.raises(Died):
        await doing.do_due()
    failpoints.disarm()
    assert await doing.do_due() == 0  # still leased to the dead
    clock.now_ms += 60_000
    assert await doing.do_due() == 1
    assert (rung, await waiting(sqlite_databases)) == (["job-1", "job-1"], 0)


async def test_a_job_that_fails_comes_back_later_with_its_reason(sqlite_databases: Databases) -> None:
    """Each failure waits twice as long as the one before; success ends it."""
    clock, tries = Clock(), []

    async def third_time_lucky(taken: TakenJob) -> None:
        tries.append(clock.now_ms - NOW_MS)
        if taken.attempts < 3:
            raise JobFailed("the bell is broken")

    await add_job(sqlite_databases, "job-1")
    doing = doer(sqlite_databases, clock, ring=third_time_lucky)
    for _ in range(20):
        await doing.do_due()
        clock.now_ms += 100
    assert tries == [0, 500, 1_500]
    assert await waiting(sqlite_databases) == 0


async def test_a_kind_nobody_knows_waits_for_somebody_who_does(sqlite_databases: Databases) -> None:
    """During a rolling deploy an old worker may meet a new kind of job."""
    rung: list[str] = []
    clock = Clock()
    await add_job(sqlite_databases, "job-1")
    assert await doer(sqlite_databases, clock).do_due() == 1
    clock.now_ms += 1_000
    assert await doer(sqlite_databases, clock, ring=partial(ring, rung)).do_due() == 1
    assert rung == ["job-1"]


async def test_workers_share_the_jobs(databases: Databases) -> None:
    """Of jobs taken at the same time no two workers get the same."""
    for number in range(20):
        await add_job(databases, f"job-{number:02d}")
    rung: list[str] = []
    clock = Clock()
    doers = [doer(databases, clock, ring=partial(ring, rung)) for _ in range(4)]
    while sum(await asyncio.gather(*(doing.do_due() for doing in doers))):
        pass
    assert sorted(rung) == [f"job-{number:02d}" for number in range(20)]


async def test_slow_jobs_are_not_done_by_two_at_once(sqlite_databases: Databases) -> None:
    """What is not begun while it is surely ours is left to whoever takes it next."""
    clock, rung = Clock(), []
    for number in range(5):
        await add_job(sqlite_databases, f"job-{number}")
    other = doer(sqlite_databases, clock, ring=partial(ring, rung))

    async def slowly(taken: TakenJob) -> None:
        rung.append(taken.id)
        clock.now_ms += 25_000
        await other.do_due()

    slow = doer(sqlite_databases, clock, ring=slowly)
    while await waiting(sqlite_databases):
        await slow.do_due()
        clock.now_ms += 1_000
    assert sorted(rung) == [f"job-{number}" for number in range(5)]


async def test_a_configuration_reaches_its_cell(
    sqlite_databases: Databases, valkey: EmbeddedValkey, line: Connection
) -> None:
    """Bytes, version, a command in the inbox, and the names that lead there."""
    await publish(sqlite_databases, config(1))
    assert await publisher(sqlite_databases, valkey).do_due() == 1
    stored = await line.call("HGET", Keys(CELL).config(ACCOUNT), "bytes")
    assert CONFIG_DECODER.decode(stored) == config(1)
    [[_, fields]] = await line.call("XRANGE", Keys(CELL).inbox, "-", "+")
    assert PACK_DECODER.decode(fields[1]) == [PublishConfig(ACCOUNT, 1)]
    assert await line.call("HGET", APPS, "app_nordvik") == b"c00 acc_nordvik"
    assert await line.call("HGET", LOGINS, "kari@nordvik.example") == b"c00 acc_nordvik agt_kari"


async def test_names_that_a_version_gave_up_lead_nowhere(
    sqlite_databases: Databases, valkey: EmbeddedValkey, line: Connection
) -> None:
    """Old app keys and logins are withdrawn."""
    await publish(sqlite_databases, config(1))
    await publish(sqlite_databases, config(2, app="app_new", email="kari@new.example"))
    assert await publisher(sqlite_databases, valkey).do_due() == 2
    assert await line.call("HKEYS", APPS) == [b"app_new"]
    assert await line.call("HKEYS", LOGINS) == [b"kari@new.example"]


async def test_a_name_that_came_back_is_not_withdrawn_by_a_late_job(
    sqlite_databases: Databases, valkey: EmbeddedValkey, line: Connection
) -> None:
    """A publish job done again after newer ones undoes nothing of them."""
    for version in (config(1), config(2, app="app_new"), config(3)):
        await publish(sqlite_databases, version)
    late = TakenJob("late", "publish", ACCOUNT, publications.WITHDRAWN_ENCODER.encode([["app_nordvik"], []]), 2)
    publishing = Publisher(Dialler(valkey.address), sqlite_databases.config)
    await publishing(late)
    assert await line.call("HKEYS", APPS) == [b"app_nordvik"]
    assert await line.call("HGET", Keys(CELL).config(ACCOUNT), "version") == b"3"


def test_workers_share_the_cells_without_overlap() -> None:
    """Every cell is somebody's and nobody's twice, in near equal parts."""
    everything = cell_names(8)
    parts = [share(everything, ["b", "a", "c"], me) for me in ("a", "b", "c")]
    assert sorted(cell for part in parts for cell in part) == everything
    assert sorted(map(len, parts)) == [2, 3, 3]


async def test_a_worker_that_is_gone_is_forgotten(line: Connection) -> None:
    """A lease that ran out no longer counts."""
    await line.call("ZADD", WORKERS, 1, "wrk_gone")
    assert await enlist(line, "wrk_me") == ["wrk_me"]


async def test_two_workers_copy_all_cells_and_stop_cleanly(
    sqlite_databases: Databases, valkey: EmbeddedValkey, line: Connection
) -> None:
    """Commits of every cell reach SQL, configurations their cells; stopping leaves the list of workers empty."""
    everything = cell_names(4)
    await publish(sqlite_databases, config(1))
    for number, cell in enumerate(everything):
        await sqlite_databases.record.transact(partial(cells.begin_epoch, cell=cell, epoch=1))
        one = commit(1, events=[said(conversation(number), 1)])
        await line.call("HSET", Keys(cell).cell, "epoch", 1, "commit_no", 1, "status", "ready")
        await line.call("XADD", Keys(cell).outbox(1), "1-0", "c", encode(one))
    settings = WorkerSettings(everything)
    dial = Dialler(valkey.address)
    workers = [Worker(settings, dial, sqlite_databases, os.urandom, Clock(), quiet()) for _ in range(2)]

    async def all_done() -> bool:
        lengths = [await line.call("XLEN", Keys(cell).outbox(1)) for cell in everything]
        return not any(lengths) and await waiting(sqlite_databases, "config") == 0

    running = asyncio.gather(*(worker.run() for worker in workers))
    await until(all_done)
    for worker in workers:
        worker.stop()
    await running
    assert sum(worker.counts.commits for worker in workers) >= 4
    assert await line.call("EXISTS", WORKERS) == 0


async def ring(rung: list[str], taken: TakenJob) -> None:
    rung.append(taken.id)


def publisher(databases: Databases, valkey: EmbeddedValkey) -> Jobs:
    return doer(databases, Clock(), "config", publish=Publisher(Dialler(valkey.address), databases.config))


def die() -> None:
    raise Died
