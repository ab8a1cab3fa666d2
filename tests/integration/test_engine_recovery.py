"""After data loss in Redis the cell is what SQL has, under a higher epoch; without loss nothing is thrown away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from protocol.bus.commands import AgentArrives, GatewayLost
from store import failpoints
from store.redis.server import EmbeddedValkey, ServerOptions
from store.sql.database import Database, Databases, Query, StoreAway
from store.sql.queries import cells, history
from tests.kit.days import a_day_at_work, texts
from tests.kit.engines import CELL, PATIENCE_S, SETTINGS, Bench, bench, dies_at
from tests.kit.workplace import (
    ACCOUNT,
    ANN,
    GATEWAY,
    admits,
    conversation,
    origin,
    sends,
)

T = TypeVar("T")
PATIENT = replace(SETTINGS, lease_s=5.0)  # so that the owner is back before its lease is over


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    """A Valkey of this test's own, which may be ended and damaged; what it loses is what a test cuts off."""
    made = EmbeddedValkey(tmp_path / "valkey", ServerOptions(durability="stored"))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def cell(server: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(server, sqlite_databases) as made:
        yield made


async def crash(server: EmbeddedValkey, *, lose_bytes: int = 0) -> None:
    """Kill the server, cut its append-only file's tail, and start it again."""
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    for file in (server.directory / "appendonlydir").glob("*.incr.aof"):
        os.truncate(file, max(0, file.stat().st_size - lose_bytes))
    await server.start()


@pytest.mark.parametrize(
    ("place", "hits"), [("recovery.after_epoch", 1), *(("recovery.mid_rebuild", n) for n in (1, 2, 4))]
)
async def test_a_rebuilding_that_breaks_off_is_begun_again(cell: Bench, place: str, hits: int) -> None:
    """Whoever takes the cell next rebuilds it from the beginning, under an epoch of its own."""
    first = await cell.open()
    await a_day_at_work(cell)
    await cell.copy_to_sql()
    before = await texts(cell)
    await first.kill()
    await cell.call("FLUSHALL")
    dies_at(place, hits)
    await cell.start().died()
    failpoints.disarm()
    last = cell.start()
    record = await cell.ready()
    assert record.epoch == 3
    assert await texts(cell) == before
    await last.stop()


async def test_a_rebuilding_that_got_no_further_than_sql_is_begun_again(cell: Bench) -> None:
    """Redis knows nothing of it, but no scribe copies an epoch that is over in SQL: the next owner finds out."""
    first = await cell.open()
    await cell.do(admits(), sends(1, "1"))
    await first.kill()
    await cell.databases.record.transact(lambda sql: cells.begin_epoch(sql, CELL, 2))
    second = cell.start()
    assert (await cell.ready(epoch=3)).epoch == 3
    await second.stop()


async def test_a_cut_tail_is_noticed_and_what_survived_is_kept(cell: Bench, server: EmbeddedValkey) -> None:
    """Commits that SQL had not seen but the file still holds are copied first; only the cut ones are lost."""
    first = await cell.open()
    await cell.do(admits(), sends(1, "1"))
    await cell.copy_to_sql()
    for n in range(2, 8):
        await cell.do(sends(n, str(n)))
    await first.kill()
    await crash(server, lose_bytes=1_500)
    second = cell.start()
    record = await cell.ready(epoch=2)
    kept = await texts(cell)
    assert record.epoch == 2
    assert kept == [str(n) for n in range(1, len(kept) + 1)]
    assert 1 < len(kept) < 7
    stored = await sql_texts(cell)
    assert len(stored) == len(await cell.log(conversation()))
    await second.stop()


async def sql_texts(cell: Bench) -> list[Any]:
    return await cell.databases.record.read(
        lambda sql: history.after(sql, ACCOUNT, conversation(), 0, 100, audience="staff")
    )


async def test_an_owner_that_lived_through_a_restart_without_loss_goes_on(cell: Bench, server: EmbeddedValkey) -> None:
    """It remembers what was taken and finds all of it: same epoch, nothing rebuilt."""
    engine = await cell.open(PATIENT)
    await cell.do(admits(), sends(1, "1"))
    await crash(server)
    await cell.do(sends(2, "2"))
    record = await cell.ready()
    assert record.epoch == 1
    assert await texts(cell) == ["1", "2"]
    await engine.stop()


async def test_an_owner_that_lived_through_a_restart_with_loss_rebuilds(cell: Bench, server: EmbeddedValkey) -> None:
    """It remembers a commit that is no longer there."""
    engine = await cell.open(PATIENT)
    await cell.do(admits(), sends(1, "1"))
    await cell.do(sends(2, "2"))
    await cell.copy_to_sql()
    await cell.do(sends(3, "3"))
    await crash(server, lose_bytes=2_500)
    record = await cell.ready(epoch=2)
    assert record.epoch == 2
    assert (await texts(cell))[:2] == ["1", "2"]
    await engine.stop()


async def test_after_a_clean_stop_a_restarted_server_is_trusted(cell: Bench, server: EmbeddedValkey) -> None:
    """What a stopped engine left word of in SQL is what the next one finds."""
    first = await cell.open()
    await cell.do(admits(), sends(1, "1"))
    await first.stop()
    await server.stop()
    await server.start()
    second = cell.start()
    await cell.do(sends(2, "2"))
    assert (await cell.ready()).epoch == 1
    assert await texts(cell) == ["1", "2"]
    await second.stop()


async def no_word_left(cell: Bench) -> None:
    """Wait until nothing in SQL vouches for the cell."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            position = await cell.databases.record.read(lambda sql: cells.position(sql, CELL))
            assert position is not None
            if position.clean_run_id is None:
                return
            await cell.ready()


async def test_the_word_of_a_clean_stop_holds_once(cell: Bench, server: EmbeddedValkey) -> None:
    """An engine that took the cell over and died unvouched leaves a restarted server suspect."""
    first = await cell.open()
    await cell.do(admits(), sends(1, "1"))
    await first.stop()
    second = await cell.open()
    await cell.do(sends(2, "2"))
    await cell.copy_to_sql()
    await no_word_left(cell)
    await second.kill()
    await crash(server)
    third = cell.start()
    assert (await cell.ready(epoch=2)).epoch == 2
    await cell.do(sends(3, "3"))
    assert await texts(cell) == ["1", "2", "3"]
    await third.stop()


async def test_a_gateway_that_holds_no_lease_is_watched_all_the_same(cell: Bench) -> None:
    """Sessions that count are tied to a lease, lost or not; a gateway that was lost is not watched again."""
    engine = await cell.open()
    await cell.do(AgentArrives(ACCOUNT, origin("desk_a", 0), ANN))
    assert await cell.call("ZSCORE", cell.keys.gateways, GATEWAY) is not None
    await cell.do(GatewayLost(GATEWAY))
    await cell.do(AgentArrives(ACCOUNT, origin("desk_a", 0, "too late"), ANN))
    assert await cell.call("ZSCORE", cell.keys.gateways, GATEWAY) is None
    await engine.stop()


class AwayAtFirst:
    """The record's database, which cannot be reached until `back`."""

    def __init__(self, inner: Database) -> None:
        self._inner, self.back, self.tried = inner, False, 0
        self.close = inner.close

    async def read(self, query: Query[T]) -> T:
        return await self._reached().read(query)

    async def transact(self, query: Query[T]) -> T:
        return await self._reached().transact(query)

    def _reached(self) -> Database:
        self.tried += 1
        if not self.back:
            raise StoreAway("away")
        return self._inner


async def test_a_suspect_cell_waits_for_sql_and_not_for_a_lease(cell: Bench) -> None:
    """Whoever took it and found SQL away gives it back at once: it is rebuilt as soon as SQL is there."""
    record = AwayAtFirst(cell.databases.record)
    cell.databases = Databases(cell.databases.config, record)
    engine = cell.start(replace(SETTINGS, lease_s=60.0))
    await cell.until(lambda: record.tried >= 1)
    record.back = True
    assert (await cell.ready()).epoch == 1
    await engine.stop()


async def test_nobody_waits_for_an_owner_that_said_it_is_gone(cell: Bench, server: EmbeddedValkey) -> None:
    """After a restart the owner comes first; a cell that was given back has none."""
    await (await cell.open()).stop()
    await server.stop()
    await server.start()
    record = AwayAtFirst(cell.databases.record)
    cell.databases = Databases(cell.databases.config, record)
    engine = cell.start(replace(SETTINGS, lease_s=60.0))
    await cell.until(lambda: record.tried >= 1)
    record.back = True
    await cell.do(admits(), sends(1, "1"))
    assert await texts(cell) == ["1"]
    await engine.stop()
