"""Which faults are done, in what order, until each has been done often enough.

Invariant: whatever is furthest behind what is wanted is done next, so that a run that ends early has tried everything;
the order within equals comes from the seed.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from loadtests.chaos import faults
from loadtests.chaos.installation import GATEWAY_LEASE_S, LEASE_S, Installation
from store.failpoints import NAMES

_PATIENCE_S, _TALK = 3.0, 20
_BUSY, _RARE = 0.05, 0.3  # shares with which what is passed often, and seldom, is met within a second or two


def _gateway() -> dict[str, faults.Fault]:
    gateway = faults.after_restart("gateway")
    return {
        "kill gateway": faults.kill("gateway"),
        "stop gateway past its lease": faults.pause("gateway", GATEWAY_LEASE_S + 1.5),
        "subscriptions cut": faults.cut_subscriptions,
        "gateway.after_xadd": faults.failpoint("gateway.after_xadd", gateway, _BUSY),
        "gateway.after_subscribe": faults.failpoint("gateway.after_subscribe", gateway, _RARE),
        "gateway.mid_resume": faults.failpoint("gateway.mid_resume", gateway, _RARE),
        "gateway.lease_lapsed": faults.failpoint("gateway.lease_lapsed", faults.lapse, 1.0),
    }


def _worker(publish: Callable[[int], None]) -> dict[str, faults.Fault]:
    worker = faults.after_restart("worker")
    return {
        "kill worker": faults.kill("worker"),
        "SQL stopped": faults.stop_sql,
        "scribe.before_sql": faults.failpoint("scribe.before_sql", worker, _RARE),
        "scribe.after_sql": faults.failpoint("scribe.after_sql", worker, _RARE),
        "scribe.before_trim": faults.failpoint("scribe.before_trim", worker, _RARE),
        "job.before_done": faults.failpoint("job.before_done", faults.publish(publish), 1.0),
    }


def _engine_and_valkey() -> dict[str, faults.Fault]:
    engine = faults.after_restart("engine")
    return {
        "kill engine": faults.kill("engine"),
        "stop engine past its lease": faults.pause("engine", LEASE_S + 1.5),
        "kill Valkey": faults.kill_valkey,
        "append-only tail cut": faults.cut_append_only_tail,
        "engine.after_read": faults.failpoint("engine.after_read", engine, _BUSY),
        "engine.before_commit": faults.failpoint("engine.before_commit", engine, _BUSY),
        "engine.after_commit": faults.failpoint("engine.after_commit", engine, _BUSY),
        "engine.after_takeover": faults.failpoint("engine.after_takeover", engine, 1.0),
        "recovery.after_epoch": faults.failpoint("recovery.after_epoch", faults.lose_data, 0.7),
        "recovery.mid_rebuild": faults.failpoint("recovery.mid_rebuild", faults.lose_data, 0.7),
    }


@dataclass(slots=True)
class Schedule:
    """Three series of faults at once: among gateways, among workers and SQL, among engines and Valkey.

    `hits`: how often each failpoint is wanted. `acked`: how many frames have been acknowledged so far, by which a
    series sees that people talk again before it goes on.
    """

    installation: Installation
    publish: Callable[[int], None]
    chance: random.Random
    hits: int
    acked: Callable[[], int]
    done: Counter[str] = field(default_factory=Counter)
    diary: list[str] = field(default_factory=list)
    began: float = 0.0

    async def run(self, seconds: float) -> None:
        """Do faults for `seconds`; on a slow machine up to twice as long, until each was done as often as wanted."""
        self.began = asyncio.get_running_loop().time()
        until = self.began + seconds
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._series(_gateway(), until))
            tasks.create_task(self._series(_worker(self.publish), until))
            tasks.create_task(self._series(_engine_and_valkey(), until))

    def wanted(self, name: str) -> int:
        """Return how often a fault is wanted: failpoints `hits` times, each kind of plain fault a third as often."""
        return self.hits if name in NAMES else max(1, self.hits // 3)

    def counts(self) -> Counter[str]:
        """Return how often each fault was done; for failpoints, how often each was hit."""
        plain = Counter({name: count for name, count in self.done.items() if name not in NAMES})
        return plain + self.installation.armed.hits()

    async def _series(self, series: dict[str, faults.Fault], until: float) -> None:
        loop = asyncio.get_running_loop()
        tried: Counter[str] = Counter()
        longest = until + (until - self.began)
        while loop.time() < until or (loop.time() < longest and self._is_behind(series)):
            name = self._next(series, tried)
            tried[name] += 1
            self.diary.append(f"{loop.time() - self.began:6.1f} s  {name}")
            if await series[name](self.installation, self.chance):
                self.done[name] += 1
            await self._until_people_talk()

    def _is_behind(self, series: dict[str, faults.Fault]) -> bool:
        counts = self.counts()
        return any(counts[name] < self.wanted(name) for name in series)

    def _next(self, series: dict[str, faults.Fault], tried: Counter[str]) -> str:
        counts = self.counts()
        share = {name: counts[name] / self.wanted(name) + tried[name] * 0.01 for name in series}
        least = min(share.values())
        return self.chance.choice([name for name in series if share[name] == least])

    async def _until_people_talk(self) -> None:
        before = self.acked()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while self.acked() < before + _TALK:
                    await asyncio.sleep(0.05)
