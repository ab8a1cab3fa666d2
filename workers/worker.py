"""The worker process: its share of the scribes, and the jobs of both sides.

Invariant: one task group holds everything; a fault is retried where it happened, a bug ends the process. Stopping
cancels: every transaction is whole or absent, and the next worker goes on from there.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol.ids import CellName
from store.files.erased import ErasedList
from store.redis.connection import Connection, Dial
from store.redis.faults import Away, Refused
from store.sql.database import Databases, StoreAway
from store.sql.queries.erasures import ERASE, RETAIN
from store.sql.queries.publications import PUBLISH
from store.sql.queries.whom import WITHDRAW
from workers.answers import forget_answers
from workers.counts import Counts
from workers.erase import Eraser, Frozen
from workers.forget import FORGET, Forgetter
from workers.jobs import Doing, Jobs
from workers.publish import Publisher
from workers.scribe import Scribe
from workers.share import enlist, leave, share
from workers.withdraw import Withdrawer

_SHARE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """All cells of the installation, the kinds of jobs beyond our own, and what erasing needs, where it is done:
    the engine's part in it, and the list."""

    cells: list[CellName]
    kinds: Mapping[str, Doing] = field(default_factory=dict)
    erasing: tuple[Frozen, ErasedList] | None = None


class Worker:
    """Runs until stopped."""

    def __init__(
        self,
        settings: WorkerSettings,
        dial: Dial,
        databases: Databases,
        entropy: Callable[[int], bytes],
        now_ms: Callable[[], int],
        log: Any,
    ) -> None:
        self.counts = Counts()
        self._name = f"wrk_{entropy(8).hex()}"
        self._cells = settings.cells
        self._dial = dial
        self._databases = databases
        self._now_ms = now_ms
        self._log = log.bind(worker=self._name)
        self._publisher = Publisher(dial, databases.config)
        kinds: dict[str, Doing] = {FORGET: Forgetter(dial), **settings.kinds}
        config_kinds: dict[str, Doing] = {PUBLISH: self._publisher, WITHDRAW: Withdrawer(dial, databases.record)}
        self._eraser = Eraser(dial, databases, *settings.erasing, now_ms) if settings.erasing is not None else None
        if self._eraser is not None:
            config_kinds |= {ERASE: self._eraser.erase, RETAIN: self._eraser.retain}
        self._jobs = [
            Jobs("config", databases.config, config_kinds, now_ms, self.counts, self._log),
            Jobs("record", databases.record, kinds, now_ms, self.counts, self._log),
        ]
        self._scribes: dict[CellName, asyncio.Task[object]] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Copy and do jobs until `stop`."""
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[object]] = [group.create_task(jobs.run()) for jobs in self._jobs]
            tasks.append(group.create_task(self._keep_share(group)))
            tasks.append(group.create_task(forget_answers(self._databases, self._now_ms, self._log)))
            if self._eraser is not None:
                tasks.append(group.create_task(self._eraser.watch(self._log)))
            await self._stopping.wait()
            for task in [*tasks, *self._scribes.values()]:
                task.cancel()

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stopping.set()

    async def _keep_share(self, group: asyncio.TaskGroup) -> None:
        connection: Connection | None = None
        mended = False
        try:
            while True:
                try:
                    if connection is None:
                        connection, mended = await self._dial(None), False
                    mended = mended or await self._mend()
                    self._adjust(group, await enlist(connection, self._name))
                except (Away, Refused) as fault:
                    # Without Redis nobody knows better: whoever copies a cell keeps it.
                    self._log.warning("worker.away", why=str(fault))
                    if connection is not None:
                        connection.abort()
                    connection = None
                await asyncio.sleep(_SHARE_EVERY_S)
        finally:
            if connection is not None:
                await self._leave(connection)

    async def _mend(self) -> bool:
        """Publish what a Redis that was lost may have lost; False if SQL is away, which has it."""
        try:
            if lost := await self._publisher.mend():
                self._log.warning("worker.published_again", accounts=lost)
        except StoreAway as away:
            self._log.warning("worker.not_mended", why=away.reason)
            return False
        return True

    def _adjust(self, group: asyncio.TaskGroup, workers: list[str]) -> None:
        mine = share(self._cells, workers, self._name)
        for cell in self._scribes.keys() - mine:
            self._scribes.pop(cell).cancel()
        for cell in sorted(mine - self._scribes.keys()):
            scribe = Scribe(cell, self._dial, self._databases.record, self.counts, self._log)
            self._scribes[cell] = group.create_task(scribe.run())

    async def _leave(self, connection: Connection) -> None:
        try:
            await leave(connection, self._name)
        except (Away, Refused):
            pass  # the lease ends by itself
        finally:
            connection.abort()
