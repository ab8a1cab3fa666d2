"""The doing of jobs, from one side of SQL, at least once each.

Invariant: a job is marked done only after it was done; a worker that dies in between leaves it to be done again. One
that fails comes back later and later, with its last error, and is never given up silently. None is begun that may be
another's before it is done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

from store import failpoints
from store.redis.faults import Away, Refused
from store.sql.database import Database, StoreAway
from store.sql.queries import jobs
from store.sql.queries.jobs import Side, TakenJob
from workers.backoff import pause_s
from workers.counts import Counts

Doing = Callable[[TakenJob], Awaitable[None]]
JOB_LIMIT_S = 30.0
_LEASE_MS = 60_000
_AT_ONCE = 16
_IDLE_S = 0.25
_RETRY_MAX_S = 600.0


class JobFailed(Exception):
    """The job was not done, for a reason that may pass."""


class Jobs:
    """Does the due jobs of one side, by kind."""

    def __init__(
        self,
        side: Side,
        database: Database,
        kinds: Mapping[str, Doing],
        now_ms: Callable[[], int],
        counts: Counts,
        log: Any,
    ) -> None:
        self._side: Side = side
        self._database = database
        self._kinds = kinds
        self._now_ms = now_ms
        self._counts = counts
        self._log = log

    async def run(self) -> NoReturn:
        """Do jobs for ever."""
        failures = 0
        while True:
            try:
                did = await self.do_due()
            except StoreAway as fault:
                failures += 1
                self._log.warning("jobs.away", side=self._side, why=fault.reason)
                await asyncio.sleep(pause_s(failures))
                continue
            failures = 0
            if not did:
                await asyncio.sleep(_IDLE_S)

    async def do_due(self) -> int:
        """Do what is due now, oldest first, and return how many were tried; raises StoreAway."""
        now_ms = self._now_ms()
        if not await self._database.read(lambda sql: jobs.is_any_due(sql, self._side, now_ms)):
            return 0
        due = await self._database.transact(
            lambda sql: jobs.take(sql, self._side, now_ms=now_ms, lease_ms=_LEASE_MS, limit=_AT_ONCE)
        )
        for tried, job in enumerate(due):
            if self._now_ms() + JOB_LIMIT_S * 1_000 > now_ms + _LEASE_MS:
                return tried  # the rest may be another's before we are done with it
            await self._try(job)
        return len(due)

    async def _try(self, job: TakenJob) -> None:
        error = await self._do(job)
        now_ms = self._now_ms()
        if error is None:
            failpoints.hit("job.before_done")
            await self._database.transact(lambda sql: jobs.done(sql, self._side, job.id, now_ms))
            self._counts.jobs[f"{job.kind} done"] += 1
            return
        due_ms = now_ms + int(1_000 * min(_RETRY_MAX_S, 0.25 * 2 ** min(job.attempts, 12)))
        await self._database.transact(lambda sql: jobs.failed(sql, self._side, job.id, due_ms=due_ms, error=error))
        self._counts.jobs[f"{job.kind} failed"] += 1
        self._log.warning("job.failed", job=job.id, kind=job.kind, attempts=job.attempts, why=error)

    async def _do(self, job: TakenJob) -> str | None:
        """Do the job; return why not, or None."""
        doing = self._kinds.get(job.kind)
        if doing is None:
            return f"this worker knows no job of kind {job.kind}"
        try:
            async with asyncio.timeout(JOB_LIMIT_S):
                await doing(job)
        except TimeoutError:
            return f"not done within {JOB_LIMIT_S:g} s"
        except (JobFailed, Away, Refused, StoreAway) as fault:
            return f"{type(fault).__name__}: {fault}"
        return None
