"""One owner at work in one cell, from the moment it may go on until something gives way.

Invariant: commits leave in the order of their numbers, each expecting what the one before it leaves; so the first that
is refused takes all later ones with it, and the tenure ends. Whatever ends it, Redis holds whole batches only, and the
next tenure, of this engine or another, decides the same commands again on the same state.
"""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from engine.core.result import StepFailed
from engine.runtime import eviction, metrics
from engine.runtime.batch import Batch
from engine.runtime.commit import plan
from engine.runtime.deciding import Deciding, refuse
from engine.runtime.faults import FAULTS, CommitRefused
from engine.runtime.inbox import Cursor, Entry, Unreadable
from engine.runtime.memory import Memory
from engine.runtime.poison import Caution, caution, note, place
from engine.runtime.reading import Reading
from engine.runtime.stored import UnknownSchema
from engine.runtime.surroundings import CALL_S, Surroundings
from protocol.bus.commands import COMMAND_ENCODER
from protocol.ids import CellName
from store import failpoints
from store.redis.connection import Away, Connection
from store.redis.keys import Keys
from store.redis.scripts import Fence, send_commit

SWEEP_PAUSE_S = 0.1  # while there is more to let go of, commands come in between


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a cell stands when a tenure of it begins."""

    cell: CellName
    token: str
    epoch: int
    cursor: Cursor
    commit_no: int
    careful: bool
    spared: Counter[str]  # see poison.Caution; outlives the tenure


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A commit that was sent and not yet answered."""

    answer: asyncio.Future[str]
    commit_no: int
    commands: int
    sent_s: float


class Tenure:
    """Reads, decides and commits. `line` carries commits and loads, `inbox_line` nothing but blocking reads."""

    def __init__(self, around: Surroundings, standing: Standing, line: Connection, inbox_line: Connection) -> None:
        self.taken_no = standing.commit_no  # the newest commit that Redis said it took
        self._around, self._standing, self._line = around, standing, line
        self._keys = Keys(standing.cell)
        self._cursor, self._commit_no = standing.cursor, standing.commit_no
        self._under_way: deque[UnderWay] = deque()
        self._reading = Reading(inbox_line, self._keys.inbox, around.settings)
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[None] = self._loop.create_future()
        self._sweep_at_s = self._loop.time() + around.settings.sweep_s
        self._caution: Caution
        self._forget()

    @property
    def sent_no(self) -> int:
        """The newest commit that was sent, whether or not it was answered."""
        return self._commit_no

    def end(self) -> None:
        """Ask the tenure to end once what is under way has settled."""
        if not self._end.done():
            self._end.set_result(None)

    async def work(self) -> None:
        """Decide what comes, until asked to end. Raises one of FAULTS, UnknownSchema, or whatever a decider raised."""
        await self._begin()
        while not self._end.done():
            self._settle()
            self._reading.take_in()
            if len(self._under_way) >= self._around.settings.in_flight:
                await self._wait()
            elif self._loop.time() >= self._sweep_at_s:
                await self._sweep()
            elif self._reading.entries:
                await self._next()
            else:
                await self._wait()
        await self._settle_all()

    async def _begin(self) -> None:
        await self._reading.begin(self._standing.cursor)
        newest = await self._reading.last_id()
        standing = self._standing
        self._caution = await caution(self._line, self._keys.cell, newest, standing.spared, careful=standing.careful)
        self._memory.stored = await eviction.stored(self._line, self._keys)

    async def _wait(self) -> None:
        """Wait until something was read or answered, or until we are asked to end."""
        waits: set[asyncio.Future[Any]] = {self._end}
        if len(self._under_way) < self._around.settings.in_flight:
            waits.add(self._reading.read_on())
        if self._under_way:
            waits.add(self._under_way[0].answer)
        patience_s = CALL_S + self._around.settings.block_ms / 1000
        done, _ = await asyncio.wait(waits, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise Away(f"no answer within {patience_s:g} s")

    async def _next(self) -> None:
        if self._caution.concerns(self._reading.entries[0]):
            await self._settle_all()
            await self._one(self._reading.one())
            return
        entries = self._reading.batch()
        if not self._reading.entries:
            self._reading.read_on()
            await asyncio.sleep(0)  # lets the read leave, so that the next batch comes while this one is decided
        failpoints.hit("engine.after_read")
        await self._memory.prefetch(
            command for entry in entries for command in entry.commands if not isinstance(command, Unreadable)
        )
        batch = self._new_batch()
        await self._decide(batch, entries)
        await self._commit(batch, entries[-1].end)
        metrics.LAG_S.labels(self._standing.cell).set(max(0, self._around.now_ms() - entries[0].at_ms) / 1000)

    async def _decide(self, batch: Batch, entries: list[Entry]) -> None:
        for entry in entries:
            batch.commands += len(entry.commands)
            for command in entry.commands:
                if isinstance(command, Unreadable):
                    self._quarantine(batch, command, "unreadable")
        await self._deciding.decide(batch, entries)

    async def _one(self, entry: Entry) -> None:
        """Decide a single command, knowing whom to blame."""
        for command in entry.commands:
            batch = self._new_batch()
            batch.at_ms = entry.at_ms
            if self._caution.dare(entry):
                try:
                    await note(self._line, self._standing.cell, self._standing.token, self._caution)
                    await self._decide(batch, [entry])
                    await self._commit(batch, entry.end)
                    await self._settle_all()
                except Away:
                    self._caution.spare(entry)
                    raise
                except (*FAULTS, UnknownSchema):
                    raise  # nothing that the command did, unless it took until the lease was over
                except Exception as error:
                    self._forget()
                    batch = await self._set_aside(command, error, entry)
                    await self._commit(batch, entry.end)
            else:
                self._quarantine(batch, command, f"ended two owners at {place(entry)}")
                await self._commit(batch, entry.end)
        await self._settle_all()

    async def _set_aside(self, command: object, error: Exception, entry: Entry) -> Batch:
        """Park the conversation whose decider raised, or else quarantine the command; return the batch that does."""
        batch = self._new_batch()
        batch.at_ms, batch.commands = entry.at_ms, 1
        if isinstance(error, StepFailed) and error.conversation is not None:
            try:
                await self._deciding.park(batch, error)
                await self._deciding.decide(batch, [entry])  # it is refused now
            except StepFailed as again:
                self._forget()
                batch = self._new_batch()
                batch.at_ms, batch.commands, error = entry.at_ms, 1, again
            else:
                metrics.SET_ASIDE.labels(self._standing.cell, "conversation").inc()
                self._around.log.error(
                    "conversation parked", conversation=error.conversation, account=error.account, exc_info=error
                )
                return batch
        self._quarantine(batch, command, type(error.__cause__ or error).__name__)
        self._around.log.error("command quarantined", place=place(entry), exc_info=error)
        return batch

    def _quarantine(self, batch: Batch, command: object, why: str) -> None:
        batch.quarantined.append(command.raw if isinstance(command, Unreadable) else COMMAND_ENCODER.encode(command))
        refuse(batch, command)
        metrics.SET_ASIDE.labels(self._standing.cell, "command").inc()
        self._around.log.error("command set aside", cell=self._standing.cell, command=type(command).__name__, why=why)

    async def _commit(self, batch: Batch, cursor: Cursor) -> None:
        """Send the commit of `batch`; its answer is settled later."""
        standing = self._standing
        await self._memory.hold(("feed", name) for name in batch.feeds)
        self._memory.snapshot_rosters(batch)
        fence = Fence(
            standing.cell,
            standing.token,
            standing.epoch,
            str(self._cursor),
            str(cursor),
            self._commit_no,
            batch.commit_no,
        )
        planned = plan(fence, batch, self._memory.heads(batch))
        failpoints.hit("engine.before_commit")
        answer = send_commit(self._line, planned.fence, planned.checks, planned.writes)
        self._under_way.append(UnderWay(answer, batch.commit_no, batch.commands, self._loop.time()))
        self._memory.advance(batch, planned)
        metrics.REPEATED.labels(standing.cell).inc(batch.repeated)
        self._cursor, self._commit_no = cursor, batch.commit_no
        await asyncio.sleep(0)  # lets it leave, so that Redis is at work on it while the next batch is decided

    def _settle(self) -> None:
        """Take note of the commits that were answered; raises if one was not taken."""
        while self._under_way and self._under_way[0].answer.done():
            settled = self._under_way.popleft()
            reason = settled.answer.result()
            if reason != "ok":
                raise CommitRefused(reason)
            failpoints.hit("engine.after_commit")
            self.taken_no = settled.commit_no
            cell = self._standing.cell
            metrics.COMMITS.labels(cell).inc()
            metrics.COMMANDS.labels(cell).inc(settled.commands)
            metrics.COMMIT_S.labels(cell).observe(self._loop.time() - settled.sent_s)

    async def _settle_all(self) -> None:
        while self._under_way:
            await asyncio.wait({self._under_way[0].answer}, timeout=CALL_S)
            if not self._under_way[0].answer.done():
                raise Away(f"no answer to a commit within {CALL_S:g} s")
            self._settle()

    async def _sweep(self) -> None:
        """Look at what has been idle, and let go of what SQL has."""
        batch = self._new_batch()
        batch.at_ms = self._around.now_ms()
        more = await eviction.sweep(self._line, self._keys, self._memory, batch, self._around.settings)
        if batch.evicted or batch.postponed:
            await self._commit(batch, self._cursor)
            for kind, _, _ in batch.evicted:
                metrics.EVICTED.labels(self._standing.cell, kind).inc()
        self._sweep_at_s = self._loop.time() + (SWEEP_PAUSE_S if more else self._around.settings.sweep_s)

    def _new_batch(self) -> Batch:
        return Batch(self._standing.epoch, self._commit_no + 1)

    def _forget(self) -> None:
        """Drop everything remembered; what was sent before is loaded again after it."""
        around = self._around
        self._memory = Memory(self._standing.cell, self._line, around.roster, around.settings)
        self._deciding = Deciding(self._memory, around.roster, around.watchdog)
