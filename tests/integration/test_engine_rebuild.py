"""What a rebuilt cell holds is what SQL has, and nothing that is newer is written over."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
import pytest
from sqlalchemy import update

from protocol.bus.commands import ErasePerson
from protocol.bus.records import Outcome
from protocol.ids import ErasureId, SessionId
from protocol.wire.content import Closed
from store.redis.publishing import publish
from store.redis.server import EmbeddedValkey
from store.sql import tables
from store.sql.database import Database, Databases, Query
from store.sql.queries import search
from tests.kit.days import a_day_at_work, the_roster
from tests.kit.engines import SETTINGS, Bench, bench
from tests.kit.workplace import ACCOUNT, ANN, KARI, admits, closes, conversation, phone, sends, workplace

T = TypeVar("T")
CANARY = "canary-0815"
OUTCOME = msgspec.msgpack.Decoder(Outcome)


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as made:
        yield made


async def everything(cell: Bench) -> dict[bytes, Any]:
    """Every value of the cell that a rebuild makes anew, but for where feeds are and what idles since when."""
    found: dict[bytes, Any] = {}
    for key in await cell.call("KEYS", "{c00}:*"):
        kind = key.split(b":")[1]
        if kind in (b"conv", b"visitor", b"desk", b"config"):
            fields = await cell.call("HGETALL", key)
            found[key] = {name: _asked_by_nobody(name, of) for name, of in zip(fields[::2], fields[1::2], strict=True)}
        elif kind == b"log":
            found[key] = await cell.call("XRANGE", key, "-", "+")
        elif kind == b"rows":
            fields = await cell.call("HGETALL", key)
            found[key] = {name: row for name, row in zip(fields[::2], fields[1::2], strict=True) if name != b"#"}
        elif kind == b"timers":
            found[key] = await cell.call("ZRANGE", key, 0, -1, "WITHSCORES")
    return found


def _asked_by_nobody(name: bytes, value: bytes) -> Any:
    """Return the value of a field; of an outcome, without the session that once asked."""
    return msgspec.structs.replace(OUTCOME.decode(value), session=SessionId("")) if name.startswith(b"o:") else value


async def test_a_flushed_cell_is_rebuilt_as_it_was(cell: Bench) -> None:
    """Conversations, visitors, ledgers, desks, logs, timers, feed rows and configuration come back byte for byte."""
    engine = await cell.open()
    await a_day_at_work(cell)
    before = await everything(cell)
    assert {key.split(b":")[1] for key in before} >= {b"conv", b"visitor", b"desk", b"log", b"rows", b"timers"}
    await cell.copy_to_sql()
    await engine.kill()
    await cell.call("FLUSHALL")
    rebuilder = cell.start(deaf(cell))
    await cell.ready()
    assert await everything(cell) == before
    await rebuilder.stop()


async def test_what_was_erased_leaves_redis_and_does_not_come_back(cell: Bench) -> None:
    """Once SQL has it the cell lets go of it; rebuilt from SQL, it has tombstones there and no word anywhere."""
    engine = await cell.open(replace(SETTINGS, sweep_s=0.05))
    chat = conversation()
    await cell.do(admits(), sends(1, CANARY))
    assert await holding(cell)
    await cell.do(ErasePerson(ACCOUNT, KARI, ErasureId("era_1")))
    await cell.copy_to_sql()
    for key in (cell.keys.conversation(chat), cell.keys.log(chat)):
        await cell.gone(key)
    await cell.copy_to_sql()
    await engine.kill()
    await cell.call("FLUSHALL")
    rebuilder = cell.start(deaf(cell))
    await cell.ready()
    assert await holding(cell) == []
    assert not await cell.call("EXISTS", cell.keys.log(chat))
    assert CANARY.encode() not in await cell.call("HGET", cell.keys.visitor(KARI), "s")
    columns = await cell.databases.record.read(lambda sql: search.holding(sql, "record", CANARY))
    assert columns == []
    await rebuilder.stop()


async def holding(cell: Bench) -> list[bytes]:
    """The keys whose values hold what was planted."""
    return [key for key, value in (await everything(cell)).items() if CANARY.encode() in repr(value).encode()]


def deaf(cell: Bench) -> Any:
    """Settings of an engine that reads nothing: what it rebuilds can be looked at before it moves on."""
    return replace(SETTINGS, in_flight=0)


async def test_a_rebuilt_cell_goes_on_under_a_higher_epoch(cell: Bench) -> None:
    """Numbers run on, old retries are known, and new events name the new epoch."""
    first = await cell.open()
    await a_day_at_work(cell)
    stored = await cell.copy_to_sql()
    await first.kill()
    await cell.call("FLUSHALL")
    second = cell.start()
    record = await cell.ready()
    assert record.epoch == 2
    assert record.commit_no >= stored
    seq = len(await cell.log(conversation()))
    await cell.do(sends(2, "Er noen der?"), sends(3, "Hallo?"))
    log = await cell.log(conversation())
    assert [event.seq for event in log[seq:]] == [seq + 1]
    assert log[-1].id.startswith("2.")
    await second.stop()


async def test_gateways_of_before_are_lost_with_what_they_said(cell: Bench) -> None:
    """Sessions that a rebuilt roster counts end: nobody knows which of them came or went meanwhile."""
    first = await cell.open()
    await a_day_at_work(cell)
    await cell.copy_to_sql()
    await first.kill()
    await cell.call("FLUSHALL")
    second = cell.start()
    record = await cell.ready()
    await cell.decided("1-0:0")  # whatever the cell tells itself first
    roster = await the_roster(cell)
    assert record.epoch == 2
    assert cell.port.gateways(roster) == []
    assert roster.members[ANN].grace is not None
    await second.stop()


async def test_closed_conversations_come_back_while_they_may_be_reopened(cell: Bench) -> None:
    """A rebuilt closed conversation is reopened by a message in time."""
    first = await cell.open()
    await cell.do(admits(), sends(1, "1"), closes(2))
    await cell.copy_to_sql()
    await first.kill()
    await cell.call("FLUSHALL")
    second = await cell.open()
    await cell.do(sends(3, "Jo, én ting til"))
    assert (await cell.outcome(conversation(), phone(KARI), 3)).code == ""
    await second.stop()


async def test_a_snapshot_of_another_version_makes_the_cell_rebuild(cell: Bench) -> None:
    """What cannot be read in Redis is not guessed at: SQL's snapshots and logs say what it was."""
    first = await cell.open()
    await a_day_at_work(cell)
    await cell.copy_to_sql()
    await first.stop()
    await cell.call("HSET", cell.keys.roster(ACCOUNT), "s", msgspec.msgpack.encode([999, None]))
    await cell.databases.record.transact(
        lambda sql: sql.execute(update(tables.roster).values(state=b"\x91\xcd\x03\xe7"))
    )
    second = await cell.open()
    await cell.put(closes(3))  # dropped with the inbox, and put in again as gateways do
    assert (await cell.ready(epoch=2)).epoch == 2
    await cell.do(closes(3))
    assert isinstance((await cell.log(conversation()))[-1].body, Closed)
    await second.stop()


class Overtaken:
    """The configuration's database, where something newer is published right after each reading."""

    def __init__(self, inner: Database, publish: Callable[[], Awaitable[object]]) -> None:
        self._inner, self._publish = inner, publish
        self.transact, self.close = inner.transact, inner.close

    async def read(self, query: Query[T]) -> T:
        found = await self._inner.read(query)
        await self._publish()
        return found


async def test_a_configuration_published_during_a_rebuilding_stays(cell: Bench) -> None:
    """What was read of SQL before is not written over it, and the roster hears of the newer one."""
    first = await cell.open()
    await a_day_at_work(cell)
    await cell.copy_to_sql()
    await first.kill()
    await cell.call("FLUSHALL")
    line, newer = await cell.dial(), workplace(version=2, capacity=7)
    config = Overtaken(cell.databases.config, lambda: publish(line, newer))
    cell.databases = Databases(config, cell.databases.record)
    second = cell.start()
    await cell.decided("1-0:0", epoch=2)
    await cell.do(sends(3, "3"))
    assert await cell.call("HGET", cell.keys.config(ACCOUNT), "version") == b"2"
    roster = await the_roster(cell)
    assert roster.members[ANN].capacity == 7
    await line.close()
    await second.stop()


async def test_what_a_careful_owner_cannot_read_is_rebuilt_too(cell: Bench) -> None:
    """It is no fault of the command that touched it, which is decided and not set aside."""
    first = await cell.open()
    await a_day_at_work(cell)
    await cell.copy_to_sql()
    await first.stop()
    await cell.call("HSET", cell.keys.conversation(conversation()), "s", msgspec.msgpack.encode([999, None, None]))
    await cell.call("HSET", cell.keys.cell, "attempts", 5)
    await cell.put(closes(3))
    second = cell.start()
    assert (await cell.ready(epoch=2)).epoch == 2
    await cell.do(closes(3))
    assert isinstance((await cell.log(conversation()))[-1].body, Closed)
    assert await cell.call("LLEN", cell.keys.quarantine) == 0
    await second.stop()
