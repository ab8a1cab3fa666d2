"""A scribe: copies the commits of one cell into SQL, in order, each exactly once.

Invariant: SQL is always a consistent prefix of the cell. The fence in the transaction (`commits.apply`) makes that true
however many scribes run and whenever one wakes up; Redis is trimmed only below what was read back from SQL. A hole is a
fault that is reported again and again until a recovery raises the epoch; it is never jumped over.
"""

import asyncio
from functools import partial
from typing import Any, NoReturn

import msgspec

from protocol.bus.records import Commit
from protocol.ids import CellName
from store import failpoints
from store.redis import scripts
from store.redis.connection import Connection, Dial
from store.redis.faults import Away, Refused
from store.redis.keys import Keys
from store.sql.database import Database, StoreAway, StoreRefused
from store.sql.queries import cells, commits
from store.sql.queries.commits import HoleInCommits
from workers.backoff import pause_s
from workers.batches import FIRST_COUNT, gather_s, next_count
from workers.counts import Counts

_BLOCK_MS = 1_000
_NO_EPOCH_PAUSE_S = 0.5
_COMMIT = msgspec.msgpack.Decoder(Commit)
_Faults = (Away, Refused, StoreAway, StoreRefused, HoleInCommits, msgspec.DecodeError)


class Scribe:
    """The scribe of one cell. Any worker may run it; running it twice wastes work and harms nothing."""

    def __init__(self, cell: CellName, dial: Dial, record: Database, counts: Counts, log: Any) -> None:
        self._cell = cell
        self._dial = dial
        self._record = record
        self._counts = counts
        self._log = log.bind(cell=cell)
        self._failures = 0

    async def run(self) -> NoReturn:
        """Copy for ever; what goes wrong is reported and tried again."""
        while True:
            try:
                await self._copy()
            except _Faults as fault:
                self._failures += 1
                self._report(fault)
                await asyncio.sleep(pause_s(self._failures))

    async def _copy(self) -> None:
        connection = await self._dial(self._cell)
        try:
            while True:
                found = await self._position()
                if found is None:  # no engine has ever opened this cell
                    await asyncio.sleep(_NO_EPOCH_PAUSE_S)
                else:
                    await self._follow(connection, *found)
        finally:
            connection.abort()

    async def _follow(self, connection: Connection, epoch: int, stored: int) -> None:
        """Copy what comes after `stored` under `epoch`, until nothing comes or SQL is elsewhere."""
        self._counts.stored[self._cell] = stored
        await scripts.trim(connection, self._cell, epoch, stored)  # a scribe may have died before it could
        count = FIRST_COUNT
        while True:
            batch, size_bytes = await self._read(connection, epoch, stored, count)
            if not batch:
                self._failures = 0
                return  # an idle second: look whether the epoch is still the same
            if batch[0].commit_no != stored + 1:
                await self._missing(epoch, stored, batch[0].commit_no)
                return
            failpoints.hit("scribe.before_sql")
            copied = await self._record.transact(partial(commits.apply, cell=self._cell, commits=batch))
            failpoints.hit("scribe.after_sql")
            found = await self._position()
            if not copied or found is None or found[0] != epoch:
                self._counts.faults["fenced"] += 1
                return
            stored = found[1]
            self._count(batch, stored)
            failpoints.hit("scribe.before_trim")
            await scripts.trim(connection, self._cell, epoch, stored)
            await asyncio.sleep(gather_s(count, len(batch)))
            count = next_count(count, len(batch), size_bytes)

    async def _read(self, connection: Connection, epoch: int, after: int, count: int) -> tuple[list[Commit], int]:
        """Return up to `count` commits after `after`, and their size; none if none comes within a second."""
        outbox = Keys(self._cell).outbox(epoch)
        wait = ("XREAD", "COUNT", count, "BLOCK", _BLOCK_MS, "STREAMS", outbox, f"{after}-0")
        reply = await connection.call(*wait, timeout_s=_BLOCK_MS / 1000 + 5)
        packed = [fields[1] for _, fields in reply[0][1]] if reply else []
        return [_COMMIT.decode(commit) for commit in packed], sum(map(len, packed))

    async def _missing(self, epoch: int, stored: int, found: int) -> None:
        """Raise HoleInCommits, unless another scribe has stored and trimmed what seems to be missing."""
        if await self._position() == (epoch, stored):
            raise HoleInCommits(self._cell, stored + 1, found)

    async def _position(self) -> tuple[int, int] | None:
        found = await self._record.read(lambda sql: cells.position(sql, self._cell))
        return None if found is None else (found.epoch, found.commit_no)

    def _count(self, batch: list[Commit], stored: int) -> None:
        self._failures = 0
        self._counts.stored[self._cell] = stored
        self._counts.commits += len(batch)
        self._counts.events += sum(len(commit.log) for commit in batch)

    def _report(self, fault: Exception) -> None:
        match fault:
            case HoleInCommits():
                self._counts.faults["hole"] += 1
                self._log.error("scribe.hole", expected=fault.expected, found=fault.found)
            case msgspec.DecodeError():
                self._counts.faults["unreadable"] += 1
                self._log.error("scribe.unreadable")
            case StoreRefused():
                self._counts.faults["refused"] += 1
                self._log.error("scribe.refused", why=str(fault))
            case _:
                self._counts.faults["away"] += 1
                self._log.warning("scribe.away", fault=type(fault).__name__, why=str(fault), failures=self._failures)
