"""What processes use, by role: CPU, memory, files; and what that came to over time.

Invariant: read from the kernel's own accounts, in its ticks (10 ms): only differences over seconds mean anything.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psutil

from loadtests.chaos.installation import Installation
from loadtests.load import results

ROLES = ("gateway", "engine", "worker", "valkey")
DRIVER = "driver"
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of CPU since processes began, the bytes and files that they hold now, and how many they are."""

    cpu_s: float = 0.0
    rss_bytes: int = 0
    files: int = 0
    processes: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.cpu_s + other.cpu_s,
            self.rss_bytes + other.rss_bytes,
            self.files + other.files,
            self.processes + other.processes,
        )

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(
            self.cpu_s - other.cpu_s,
            self.rss_bytes - other.rss_bytes,
            self.files - other.files,
            self.processes - other.processes,
        )


class Watched:
    """Processes by role. A process that is gone keeps what it used."""

    def __init__(self, pids: Mapping[str, Sequence[int]]) -> None:
        self._roots = {role: [psutil.Process(pid) for pid in each] for role, each in pids.items()}
        self._all: dict[str, list[psutil.Process]] = {}
        self._last: dict[int, Usage] = {}
        self._gone = dict.fromkeys(pids, Usage())
        self.look_anew()

    def look_anew(self) -> None:
        """Find children that were started since, and let go of those that are gone."""
        for role, roots in self._roots.items():
            found = list(roots)
            for root in roots:
                with contextlib.suppress(psutil.NoSuchProcess):
                    found += root.children(recursive=True)
            for gone in set(self._all.get(role, ())).difference(found):
                self._gone[role] += Usage(self._last.get(gone.pid, Usage()).cpu_s)
            self._all[role] = found

    def used(self) -> dict[str, Usage]:
        """Return what each role uses now."""
        return {role: sum(map(self._one, each), self._gone[role]) for role, each in self._all.items()}

    def _one(self, process: psutil.Process) -> Usage:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied), process.oneshot():
            times = process.cpu_times()
            files = process.num_fds() if hasattr(process, "num_fds") else 0
            self._last[process.pid] = Usage(times.user + times.system, process.memory_info().rss, files, 1)
        return self._last.get(process.pid, Usage())


@dataclass(slots=True)
class Samples:
    """What each role used at one time after the other."""

    at_s: list[float] = field(default_factory=list)
    used: list[dict[str, Usage]] = field(default_factory=list)

    def take(self, at_s: float, used: dict[str, Usage]) -> None:
        """Take what is used at second `at_s` of the run."""
        self.at_s.append(at_s)
        self.used.append(used)

    def at(self, at_s: float) -> dict[str, Usage]:
        """Return the sample nearest to a second of the run."""
        nearest = min(range(len(self.at_s)), key=lambda number: abs(self.at_s[number] - at_s))
        return self.used[nearest]


def pids_of(installation: Installation) -> dict[str, list[int]]:
    """Return the processes of an installation by role."""
    return {
        role: [pid for name in installation.names(role) if (pid := installation.pid(name)) is not None]
        for role in ROLES
    }


def usage(pid: int) -> Usage:
    """Return what the process `pid` and its descendants use."""
    return Watched({"": [pid]}).used()[""]


def by_role(installation: Installation) -> dict[str, Usage]:
    """Return what the processes of each role of an installation use together."""
    return Watched(pids_of(installation)).used()


def since(before: dict[str, Usage], after: dict[str, Usage]) -> dict[str, Usage]:
    """Return what was used in between."""
    return {role: after[role] - before[role] for role in ROLES}


def usages(before: dict[str, Usage], after: dict[str, Usage], samples: Samples, messages: int) -> list[results.Usage]:
    """Return what each role used in between, for `messages` messages."""
    found = []
    for role, end in after.items():
        cpu_s = end.cpu_s - before[role].cpu_s
        peak = max([end.rss_bytes, *(used[role].rss_bytes for used in samples.used if role in used)])
        each = cpu_s * 1e6 / messages if messages else 0.0
        sizes = (before[role].rss_bytes / MIB, peak / MIB, end.rss_bytes / MIB)
        found.append(results.Usage(role, end.processes, cpu_s, each, *sizes))
    return found
