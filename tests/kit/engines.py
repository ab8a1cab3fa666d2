"""Engines in the test's own process, over a real Valkey and real SQL, and a view of the cell that they own.

Invariant: whoever waits, waits for a commit and not for time; a killed engine leaves what a killed process leaves.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from engine.core.conversation import Conversation
from engine.core.snapshot import thaw
from engine.runtime.engine import Engine
from engine.runtime.lease import read
from engine.runtime.surroundings import EngineSettings, Surroundings
from protocol.bus.commands import AnyCommand
from protocol.bus.config import AccountConfig
from protocol.bus.records import CellRecord, Commit, Outcome, VisitorRecord
from protocol.ids import CellName, ConversationId, DeviceId, VisitorId
from protocol.wire.content import Event
from routing.core.roster import RosterDecider
from store import failpoints
from store.redis.connection import Away, Connection, dial
from store.redis.keys import Keys
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.queries import cells, commits, publications
from tests.kit.workplace import workplace

CELL = CellName("c00")
SETTINGS = EngineSettings([CELL], lease_s=0.4, block_ms=50, tick_ms=10)
PATIENCE_S = 60
_EVENT = msgspec.msgpack.Decoder(Event)


class Killed(BaseException):
    """The engine's process is no more."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def later_s(seconds: float) -> Callable[[], int]:
    """A wall clock that is so far ahead."""
    return lambda: now_ms() + round(seconds * 1000)


class Reports:
    """Remembers what engines report, in place of a logger."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, line: str, **fields: Any) -> None:
        self.lines.append(line)

    warning = error = info


class Bench:
    """A Valkey, SQL, and any number of engines."""

    def __init__(self, valkey: EmbeddedValkey, databases: Databases) -> None:
        self.valkey, self.databases = valkey, databases
        self.keys = Keys(CELL)
        self.port: Any = RosterDecider()
        self.reports = Reports()
        self._line: Connection | None = None

    async def publish(self, config: AccountConfig) -> None:
        """Bring a configuration into SQL."""
        await self.databases.config.transact(lambda sql: publications.publish(sql, [config], now_ms()))

    async def dial(self, cell: CellName | None = None) -> Connection:
        return await dial(self.valkey.address)

    async def call(self, *parts: Any) -> Any:
        """Ask Valkey."""
        if self._line is None or not self._line.is_open:
            self._line = await self.dial()
        return await self._line.call(*parts, timeout_s=PATIENCE_S)

    def start(self, settings: EngineSettings = SETTINGS, **changes: Any) -> "Running":
        """Start an engine."""
        given = {"now_ms": now_ms, "entropy": os.urandom, "roster": self.port, **changes}
        around = Surroundings(settings=settings, dial=self.dial, databases=self.databases, log=self.reports, **given)
        engine = Engine(around)
        return Running(engine, asyncio.create_task(engine.run()))

    async def open(self, settings: EngineSettings = SETTINGS, **changes: Any) -> "Running":
        """Start an engine and wait until it owns the cell."""
        running = self.start(settings, **changes)
        await self.ready()
        return running

    async def after(self, stream: str, entry: bytes) -> list[Any]:
        """Wait until something comes into a stream after `entry`, and return its entries."""
        while not (found := await self.call("XREAD", "BLOCK", 1_000, "STREAMS", stream, entry)):
            pass
        entries: list[Any] = found[0][1]
        return entries

    async def put(self, *commands: AnyCommand) -> str:
        """Put a pack of commands into the inbox; return the cursor after it."""
        entry: bytes = await self.call("XADD", self.keys.inbox, "*", "p", msgspec.msgpack.encode(commands))
        return f"{entry.decode()}:{len(commands)}"

    async def decided(self, cursor: str, epoch: int = 1) -> CellRecord:
        """Wait until the cell is ready under `epoch` or a later one, and its cursor is at or past `cursor`."""
        wanted = _order(cursor)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with suppress(Away):  # a busy machine may let a line wait for too long: then there is another
                    return await self._decided(wanted, epoch)

    async def _decided(self, wanted: tuple[int, ...], epoch: int) -> CellRecord:
        line = await dial(self.valkey.address)
        while True:
            record = await read(line, CELL)
            if record.status == "ready" and record.epoch >= epoch and _order(record.cursor) >= wanted:
                await line.close()
                return record
            outbox, last = self.keys.outbox(record.epoch), f"{record.commit_no}-0"
            await line.call("XREAD", "BLOCK", 20, "STREAMS", outbox, last)

    async def do(self, *commands: AnyCommand) -> CellRecord:
        """Put commands into the inbox and wait until they are decided."""
        return await self.decided(await self.put(*commands))

    async def ready(self, epoch: int = 1) -> CellRecord:
        """Wait until the cell is ready under `epoch` or a later one."""
        return await self.decided("0-0:0", epoch)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds`, while whatever else there is goes on."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.call("XREAD", "BLOCK", 20, "STREAMS", "nothing", "$")

    async def gone(self, key: str) -> None:
        """Wait until there is no such key."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.call("EXISTS", key):
                await self.call("XREAD", "BLOCK", 20, "STREAMS", "nothing", "$")

    async def log(self, conversation: ConversationId) -> list[Event]:
        """The conversation's log in Redis."""
        entries = await self.call("XRANGE", self.keys.log(conversation), "-", "+")
        return [_EVENT.decode(fields[fields.index(b"e") + 1]) for _, fields in entries]

    async def conversation(self, conversation: ConversationId) -> Conversation | None:
        """The conversation as stored in Redis."""
        stored = await self.call("HGET", self.keys.conversation(conversation), "s")
        return thaw(stored) if stored else None

    async def outcome(self, conversation: ConversationId, device: DeviceId, n: int) -> Outcome:
        """What is remembered of a frame."""
        stored = await self.call("HGET", self.keys.conversation(conversation), f"o:{device}:{n % 32}")
        return msgspec.msgpack.decode(stored, type=Outcome)

    async def visitor(self, visitor: VisitorId) -> VisitorRecord | None:
        """The visitor as stored in Redis."""
        stored = await self.call("HGET", self.keys.visitor(visitor), "s")
        return msgspec.msgpack.decode(stored, type=VisitorRecord) if stored else None

    async def outbox(self) -> list[Commit]:
        """The commits of the present epoch."""
        epoch = int(await self.call("HGET", self.keys.cell, "epoch"))
        entries = await self.call("XRANGE", self.keys.outbox(epoch), "-", "+")
        return [msgspec.msgpack.decode(fields[1], type=Commit) for _, fields in entries]

    async def copy_to_sql(self) -> int:
        """Do what the scribe does, once; return how far SQL is."""
        position = await self.databases.record.read(lambda sql: cells.position(sql, CELL))
        assert position is not None
        new = [commit for commit in await self.outbox() if commit.commit_no > position.commit_no]
        if new:
            assert await self.databases.record.transact(lambda sql: commits.apply(sql, CELL, new))
        stored = new[-1].commit_no if new else position.commit_no
        await self.call("HSET", self.keys.cell, "stored", stored)
        return stored

    async def close(self) -> None:
        if self._line is not None:
            await self._line.close()


class Running:
    """One engine at work."""

    def __init__(self, engine: Engine, task: asyncio.Task[None]) -> None:
        self.engine, self.task = engine, task

    async def stop(self) -> None:
        """Stop it cleanly."""
        self.engine.stop()
        await self.task

    async def kill(self) -> None:
        """End it where it stands, releasing nothing."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def died(self) -> None:
        """Wait until a failpoint has killed it."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({self.task})
        assert self.task.exception() is not None


def dies_at(name: str, hits: int = 1) -> None:
    """Make an engine die when it comes to the failpoint `name` for the `hits`-th time, once."""
    left = iter(range(hits - 1, -1, -1))

    def die() -> None:
        if next(left, -1) == 0:
            raise Killed(name)

    failpoints.arm(name, die)


@asynccontextmanager
async def bench(valkey: EmbeddedValkey, databases: Databases) -> AsyncIterator[Bench]:
    """A bench with the workplace's configuration in SQL; failpoints are disarmed in the end."""
    made = Bench(valkey, databases)
    await made.publish(workplace())
    try:
        yield made
    finally:
        failpoints.disarm()
        await made.close()


def _order(cursor: str) -> tuple[int, ...]:
    entry, _, index = cursor.partition(":")
    at_ms, _, number = entry.partition("-")
    return int(at_ms), int(number), int(index)
