"""What processes cost: CPU time and memory of each, with those that it started.

Invariant: read from the kernel's own accounts, in its ticks (10 ms): only differences over seconds mean anything.
"""

import contextlib
from dataclasses import dataclass

import psutil

from loadtests.chaos.installation import Installation

ROLES = ("gateway", "engine", "worker", "valkey")


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of CPU since a process began, and the bytes it holds now."""

    cpu_s: float = 0.0
    rss_bytes: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu_s + other.cpu_s, self.rss_bytes + other.rss_bytes)

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu_s - other.cpu_s, self.rss_bytes - other.rss_bytes)


def usage(pid: int) -> Usage:
    """Return what the process `pid` and its descendants use."""
    process = psutil.Process(pid)
    total = Usage()
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += Usage(times.user + times.system, each.memory_info().rss)
    return total


def by_role(installation: Installation) -> dict[str, Usage]:
    """Return what the processes of each role use together."""
    used = dict.fromkeys(ROLES, Usage())
    for role in ROLES:
        for name in installation.names(role):
            if (pid := installation.pid(name)) is not None:
                used[role] += usage(pid)
    return used


def since(before: dict[str, Usage], after: dict[str, Usage]) -> dict[str, Usage]:
    """Return what was used in between."""
    return {role: after[role] - before[role] for role in ROLES}
