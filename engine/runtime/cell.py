"""One cell as one engine sees it: waiting for its lease, owning it, losing it, for as long as the engine runs.

Invariant: nothing is decided before it is certain that what Redis holds may be gone on with, or has been rebuilt. Every
fault ends here, in the same way: lines are cut, memory is gone, and the cell is looked at anew.
"""

import asyncio
from collections import Counter
from typing import Any, NoReturn

from engine.runtime import lease, metrics, timers
from engine.runtime.faults import FAULTS, EpochOver, LeaseLost
from engine.runtime.inbox import parse_cursor
from engine.runtime.lease import Found
from engine.runtime.poison import FRUITLESS_TAKEOVERS
from engine.runtime.recovery import Recovery
from engine.runtime.shares import Shares
from engine.runtime.stored import UnknownSchema
from engine.runtime.surroundings import Surroundings
from engine.runtime.suspicion import Remembered, Verdict, judge, judge_by_sql
from engine.runtime.tenure import Standing, Tenure
from protocol.bus.records import CellRecord
from protocol.ids import CellName
from store import failpoints
from store.redis import scripts
from store.redis.connection import Away, Connection
from store.sql.database import StoreAway
from store.sql.queries import cells, rebuild

TOKEN_BYTES = 16
LONGEST_PAUSE_S = 2.0
LONGEST_POLL_S = 0.5
HEED_SQL_S = 30.0


class CellOwner:
    """The owner, or would-be owner, of `cell`."""

    def __init__(self, around: Surroundings, cell: CellName, shares: Shares) -> None:
        self._around, self._cell, self._shares = around, cell, shares
        self._lease_ms = round(around.settings.lease_s * 1000)
        self._mine: Remembered | None = None
        self._ours_until_s = 0.0  # by the loop's clock, until then nobody else can have taken the cell
        self._tenure: Tenure | None = None
        self._ending = False  # the engine stops
        self._met_trouble = False  # something raised that is no fault: go carefully
        self._condemned = False  # what Redis holds cannot be gone on with, though its record says so: rebuild it
        self._spared: Counter[str] = Counter()  # tries of careful tenures that a lost line ended
        self._pause_s = 0.0

    def stop(self) -> None:
        """Own the cell no longer, once what is under way has settled."""
        self._ending = True
        self._give_up()

    async def run(self) -> None:
        """Own the cell whenever it is ours to own, until stopped."""
        while not self._ending:
            try:
                await self._once()
                self._pause_s = 0.0
            except* FAULTS as faults:
                self._report(faults)
            except* (UnknownSchema, EpochOver) as found:
                self._condemned = True
                self._around.log.warning("cell condemned", cell=self._cell, why=str(found.exceptions[0]))
            except* Exception as bug:
                self._met_trouble = True
                metrics.FAULTS.labels(self._cell, "bug").inc()
                self._around.log.error("tenure ended by a bug", cell=self._cell, exc_info=bug.exceptions[0])
                self._pause_s = LONGEST_PAUSE_S if self._pause_s else 0.05
            await asyncio.sleep(self._pause_s)

    def _report(self, faults: BaseExceptionGroup[Exception]) -> None:
        fault: BaseException = faults
        while isinstance(fault, BaseExceptionGroup):
            fault = fault.exceptions[0]
        if isinstance(fault, LeaseLost):
            self._mine = None
        metrics.FAULTS.labels(self._cell, type(fault).__name__).inc()
        self._around.log.warning("tenure ended", cell=self._cell, fault=type(fault).__name__, why=str(fault))
        self._pause_s = min(LONGEST_PAUSE_S, max(0.05, self._pause_s * 2))

    async def _once(self) -> None:
        """Wait for the cell, own it, and give it up or lose it."""
        line = await self._around.dial(self._cell)
        try:
            found = await self._ours(line)
            if found is not None:
                failpoints.hit("engine.after_takeover")
                await self._own(line, found)
        finally:
            self._shares.given_up(self._cell)
            await line.close()

    async def _ours(self, line: Connection) -> Found | None:
        """Wait until the cell is ours; None if the engine stops before."""
        asked_s = asyncio.get_running_loop().time()
        if self._mine is not None:
            in_time = asked_s < self._ours_until_s
            found = await lease.resume(line, self._cell, self._mine, self._lease_ms, in_time=in_time)
            if found is not None:
                self._is_ours_until(asked_s + self._around.settings.lease_s)
                self._shares.taken(self._cell, self._give_up)
                return found
            self._mine = None
        left_to_owner_s = self._around.settings.lease_s
        poll_s = min(LONGEST_POLL_S, self._around.settings.lease_s / 8)
        while not self._ending:
            if self._shares.wants_more():
                record = await lease.read(line, self._cell)
                # After a restart of Redis the owner, who can tell whether anything is missing, comes first.
                if not record.owner or record.run_id in ("", line.run_id) or left_to_owner_s <= 0:
                    found = await self._take(line)
                    if found is not None:
                        return found
                left_to_owner_s -= poll_s
            await asyncio.sleep(poll_s)
        return None

    async def _take(self, line: Connection) -> Found | None:
        self._shares.taken(self._cell, self._give_up)  # counted first: others of ours ask while we wait
        asked_s = asyncio.get_running_loop().time()
        found = await lease.take(line, self._cell, self._around.entropy(TOKEN_BYTES).hex(), self._lease_ms)
        if found is None:
            self._shares.given_up(self._cell)
            return None
        self._is_ours_until(asked_s + self._around.settings.lease_s)
        metrics.TAKEOVERS.labels(self._cell).inc()
        self._around.log.info("cell taken", cell=self._cell, attempts=found.attempts)
        return found

    async def _own(self, line: Connection, found: Found) -> None:
        async with asyncio.TaskGroup() as tasks:
            beats: list[asyncio.Task[Any]] = [
                tasks.create_task(lease.keep(line, self._cell, found.token, self._around.settings, self._is_ours_until))
            ]
            try:
                record = await self._made_good(line, found)
            except StoreAway:
                await scripts.release(line, self._cell, found.token)  # so that nobody waits for the lease to run out
                raise
            inbox_line = await self._another(line)
            try:
                ticking = tasks.create_task(timers.keep(line, self._cell, found.token, self._around))
                heeding = tasks.create_task(self._heed_sql(record.epoch))
                beats += [ticking, heeding]
                await self._tenure_of(line, inbox_line, found, record)
                ticking.cancel()
                heeding.cancel()
                await asyncio.wait({heeding})  # it must not take back the word that we are about to leave
                await self._leave(line, found.token, record.epoch)
            finally:
                for beat in beats:
                    beat.cancel()
                await inbox_line.close()

    async def _another(self, line: Connection) -> Connection:
        """Return a second line like `line`: to the same life of the server, whose inbox our commits trim."""
        other = await self._around.dial(self._cell)
        if other.run_id != line.run_id:
            await other.close()
            raise Away("the server was restarted, or replaced, between two lines to it")
        return other

    async def _tenure_of(self, line: Connection, inbox_line: Connection, found: Found, record: CellRecord) -> None:
        careful = self._met_trouble or found.attempts >= FRUITLESS_TAKEOVERS
        self._met_trouble = False
        cursor = parse_cursor(record.cursor)
        standing = Standing(self._cell, found.token, record.epoch, cursor, record.commit_no, careful, self._spared)
        self._tenure = tenure = Tenure(self._around, standing, line, inbox_line)
        if self._ending:
            tenure.end()
        try:
            await tenure.work()
        finally:
            self._tenure = None
            if tenure.taken_no > record.commit_no:
                self._pause_s = 0.0  # it got somewhere: what ended it is new
            self._mine = Remembered(found.token, record.epoch, tenure.sent_no)

    async def _made_good(self, line: Connection, found: Found) -> CellRecord:
        """Return the record of a cell that may be gone on with, rebuilding it if need be."""
        verdict = Verdict.SUSPECT if self._condemned else judge(found.record, line.run_id, found.mine)
        if verdict is Verdict.ASK_SQL:
            verdict = judge_by_sql(found.record, await self._position())
        if verdict is Verdict.SUSPECT:
            record = await Recovery(self._around, self._cell, line, found).run()
            self._condemned = False
            return record
        if verdict is Verdict.GOOD_AS_LEFT:
            await self._around.databases.record.transact(lambda sql: rebuild.forget_clean(sql, self._cell))
        if not await scripts.vouch(line, self._cell, found.token, found.record.epoch, line.run_id):
            raise LeaseLost
        return found.record

    async def _position(self) -> cells.CellPosition | None:
        return await self._around.databases.record.read(lambda sql: cells.position(sql, self._cell))

    async def _heed_sql(self, epoch: int) -> NoReturn:
        """Take back the word of the last clean stop: it must not vouch for what is committed from now on.

        Raises EpochOver if a rebuilding began, in SQL only: by somebody who died then, or who woke up too late.
        """
        while True:
            pause_s = HEED_SQL_S
            try:
                position = await self._position()
                if position is not None and position.epoch > epoch:
                    raise EpochOver(position.epoch)
                if position is not None and position.clean_run_id is not None:
                    await self._around.databases.record.transact(lambda sql: rebuild.forget_clean(sql, self._cell))
            except StoreAway:
                pause_s = LONGEST_PAUSE_S
            await asyncio.sleep(pause_s)

    async def _leave(self, line: Connection, token: str, epoch: int) -> None:
        """Hand the cell on; when the engine stops, leave word in SQL of what Redis held."""
        commit_no = self._mine.commit_no if self._mine else 0
        if self._ending:
            try:
                await self._around.databases.record.transact(
                    lambda sql: cells.leave_clean(sql, self._cell, epoch, line.run_id, commit_no)
                )
            except StoreAway:
                self._around.log.warning("no word left of a clean stop", cell=self._cell)
        await scripts.release(line, self._cell, token)
        self._mine = None

    def _is_ours_until(self, until_s: float) -> None:
        self._ours_until_s = until_s

    def _give_up(self) -> None:
        if self._tenure is not None:
            self._tenure.end()
