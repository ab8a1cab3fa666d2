"""What is looked at once a second while a run lasts: processes, Redis, queues, and what the driver says of itself.

Invariant: looking costs next to nothing and is counted as the driver's; what could not be seen is left out, never
guessed.
"""

import asyncio
import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

import msgspec

from loadtests.load.house import House
from loadtests.load.link import Second
from loadtests.load.processes import DRIVER, Samples, Usage, Watched, pids_of
from loadtests.load.results import Series
from store.redis.faults import Away, Refused

EVERY_S = 1.0
SELDOM = 10
STREAM = "stream "  # before the kind of those whose entries are counted
MIB = 2**20


class Redis(msgspec.Struct, frozen=True):
    """Redis's own account, since it started."""

    commands: int = 0
    cpu_s: float = 0.0
    in_bytes: int = 0
    out_bytes: int = 0
    data_bytes: int = 0
    keys: int = 0
    calls: dict[str, int] = {}  # by command

    def __sub__(self, before: "Redis") -> "Redis":
        calls = {name: count - before.calls.get(name, 0) for name, count in self.calls.items()}
        return Redis(
            self.commands - before.commands, self.cpu_s - before.cpu_s, self.in_bytes - before.in_bytes,
            self.out_bytes - before.out_bytes, self.data_bytes - before.data_bytes, self.keys - before.keys, calls,
        )  # fmt: skip


def redis_from(info: Mapping[str, str]) -> Redis:
    """Return what an INFO says."""
    calls = {
        name.removeprefix("cmdstat_"): int(said.partition("calls=")[2].partition(",")[0])
        for name, said in info.items()
        if name.startswith("cmdstat_")
    }
    keys = int(info["db0"].partition("keys=")[2].partition(",")[0]) if "db0" in info else 0
    return Redis(
        int(info["total_commands_processed"]),
        float(info["used_cpu_sys"]) + float(info["used_cpu_user"]),
        int(info["total_net_input_bytes"]),
        int(info["total_net_output_bytes"]),
        int(info["used_memory"]),
        keys,
        calls,
    )


class Observer:
    """Looks at an installation of our own (None: somebody else's, of which nothing is seen) and at the driver."""

    def __init__(self, house: House | None, show: Callable[[float, dict[str, float]], None]) -> None:
        self._house, self._show = house, show
        self.began_s = time.monotonic()
        self.samples = Samples()
        self.redis: list[tuple[float, Redis]] = []
        self.live: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._watched = Watched({**(pids_of(house.installation) if house is not None else {}), DRIVER: [os.getpid()]})
        self._driver: dict[int, tuple[float, dict[str, float]]] = {}
        self._before: dict[str, float] = {}

    def now_s(self) -> float:
        """Return the seconds since the run began."""
        return time.monotonic() - self.began_s

    def heard(self, share: int, second: Second) -> None:
        """Take what a process of the driver says of its last second."""
        self._driver[share] = (self.now_s(), second.values)

    def used(self) -> dict[str, Usage]:
        """Return what every role uses now. The installation is no child of the driver, though it is one of ours."""
        self._watched.look_anew()
        used = self._watched.used()
        used[DRIVER] -= sum((used[role] for role in used if role != DRIVER), Usage())
        return used

    async def redis_now(self) -> Redis:
        """Return Redis's own account now; nothing of a server that is not ours."""
        return redis_from(await self._house.redis_info()) if self._house is not None else Redis()

    async def run(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S - self.now_s() % EVERY_S)
            at_s = self.now_s()
            self.samples.take(at_s, self.used())
            values = self._rates()
            with contextlib.suppress(Away, Refused):
                if self._house is not None:
                    values["queue"] = float(await self._house.waiting_commands())
                    self.redis.append((at_s, await self.redis_now()))
                    await self._look_closer(at_s)
            for name, value in values.items():
                self.live[name].append((at_s, value))
            self._show(at_s, values)

    async def _look_closer(self, at_s: float) -> None:
        """Look at what takes longer, now and then."""
        assert self._house is not None, "ours"
        if len(self.redis) % SELDOM:
            return
        for kind, held in (await self._house.stream_entries()).items():
            self.live[f"{STREAM}{kind}"].append((at_s, float(held)))
        self.live["database"].append((at_s, self._house.database_mib()))
        if (tasks := self._house.tasks()) is not None:
            self.live["tasks"].append((at_s, float(tasks)))

    def series(self) -> list[Series]:
        """Return what was seen over time, of what only looking can tell."""
        found: list[Series] = []
        for role in self.samples.used[0] if self.samples.used else ():
            found += self._of_role(role)
        for name, panel, title in (("queue", "queue", "packs of commands waiting"), ("sessions", "sessions", "held")):
            if self.live[name]:
                at_s, values = zip(*self.live[name], strict=True)
                found.append(Series(title, panel, "", list(at_s), list(values)))
        return found

    def _of_role(self, role: str) -> list[Series]:
        at_s, used = self.samples.at_s, [each[role] for each in self.samples.used]
        cpu: list[float | None] = [
            100 * (now.cpu_s - before.cpu_s) / (at - ago)
            for (ago, before), (at, now) in zip(
                zip(at_s, used, strict=True), zip(at_s[1:], used[1:], strict=True), strict=False
            )
        ]
        return [
            Series(role, "cpu", "% of a core", at_s[1:], cpu),
            Series(role, "memory", "MiB", at_s, [each.rss_bytes / MIB for each in used]),
        ]

    def _rates(self) -> dict[str, float]:
        """Return the driver's values, all shares together: what counts up as a rate, the rest as it is."""
        total: dict[str, float] = defaultdict(float)
        for _, values in self._driver.values():
            for name, value in values.items():
                total[name] += value
        found = dict(total)
        for name in ("rate", "acks"):
            if name in total:
                found[name] = max(0.0, total[name] - self._before.get(name, 0.0)) / EVERY_S
        self._before = dict(total)
        return found
