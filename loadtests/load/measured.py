"""From what was noted to what is told: figures, latencies and series of a run.

Invariant: what a phase used is divided by what was delivered in it; a latency belongs to the phase in which it was due.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from loadtests.load.link import Did
from loadtests.load.observing import Redis
from loadtests.load.outcome import Outcome
from loadtests.load.processes import DRIVER, ROLES, Usage
from loadtests.load.recorder import ACK, ASSIGNED, DELIVERED, NAMES, folded, latency
from loadtests.load.results import Figure, Latency, Series
from loadtests.load.scenario import AnyPhase, Cut, Hold, Send, Visit

LATE_MS = 5.0  # a driver that is further behind than that measures itself


@dataclass(frozen=True, slots=True)
class Done:
    """One phase as it went. Times are of the machine's clock; `behind_s`: SQL behind the log at its end."""

    phase: AnyPhase
    dids: list[Did]
    used: tuple[dict[str, Usage], dict[str, Usage]]  # before, and after
    redis: Redis
    behind_s: float

    @property
    def began_s(self) -> float:
        return min(did.began_s for did in self.dids)

    @property
    def ended_s(self) -> float:
        return max(did.ended_s for did in self.dids)

    @property
    def wall_s(self) -> float:
        return self.ended_s - self.began_s

    @property
    def delivered(self) -> int:
        return sum(did.delivered for did in self.dids)

    @property
    def delivered_per_s(self) -> float:
        return self.delivered / self.wall_s if self.wall_s else 0.0

    def cpu_s(self, role: str) -> float:
        """Return the seconds of CPU that a role used."""
        before, after = self.used
        return after[role].cpu_s - before[role].cpu_s if role in after else 0.0

    def fact(self, name: str) -> float:
        """Return the sum of what the shares say under that name."""
        return sum(did.facts.get(name, 0.0) for did in self.dids)


def latencies(found: Outcome, phases: Sequence[Done]) -> list[Latency]:
    """Return a histogram per latency, and per phase where several are measured."""
    told = []
    measured = [done for done in phases if not done.phase.warm_up]
    for name in NAMES:
        ended, took = found.times(name)
        if name in (ACK, DELIVERED):
            for done in measured:
                mine = _due_in(ended, took, done)
                if mine:
                    title = f"{name}, {done.phase.title()}" if len(measured) > 1 else name
                    told.append(latency(title, folded(mine)))
        elif took:
            told.append(latency(name, folded(took)))
    return told


def figures(phases: Sequence[Done]) -> list[Figure]:
    """Return the figures of every measured phase."""
    return [figure for done in phases if not done.phase.warm_up for figure in _of_phase(done)]


def _of_phase(done: Done) -> Iterable[Figure]:
    group, delivered = done.phase.title(), done.delivered
    if isinstance(done.phase, Hold) or (isinstance(done.phase, Cut) and not delivered):
        return
    yield Figure(
        "acknowledged" if isinstance(done.phase, Visit) else "delivered",
        done.delivered_per_s,
        "/s",
        f"{delivered:,} in {done.wall_s:.1f} s",
        group,
    )
    if isinstance(done.phase, Send):
        yield from _of_clock(done, group)
    if not delivered or done.used[1].keys() == {DRIVER}:
        return
    servers_s = sum(done.cpu_s(role) for role in ROLES)
    parts = ", ".join(f"{role} {done.cpu_s(role) * 1e6 / delivered:,.0f}" for role in ROLES)
    yield Figure("server CPU per delivered message", servers_s * 1e6 / delivered, "µs", parts, group)
    driver_s = sum(did.cpu_s for did in done.dids)
    share = driver_s / (servers_s + driver_s) if servers_s else 1.0
    yield Figure("driver CPU per message", driver_s * 1e6 / delivered, "µs", f"{share:.0%} of all CPU used", group)
    calls = sorted(done.redis.calls.items(), key=lambda call: -call[1])[:5]
    told = ", ".join(f"{name} {count / delivered:.2f}" for name, count in calls if count)
    yield Figure("Redis commands per message", done.redis.commands / delivered, "", told, group)
    moved = done.redis.in_bytes + done.redis.out_bytes
    note = f"{done.redis.in_bytes / delivered:,.0f} in, {done.redis.out_bytes / delivered:,.0f} out"
    yield Figure("Redis bytes per message", moved / delivered, "B", note, group)
    yield Figure("SQL behind the log at the end", done.behind_s, "s", "", group)


def _of_clock(done: Done, group: str) -> Iterable[Figure]:
    phase = done.phase
    assert isinstance(phase, Send), "an open loop"
    asked = sum(did.asked for did in done.dids) + int(done.fact("given up"))
    yield Figure("offered", asked / phase.seconds, "/s", f"{asked:,} by the clock", group)
    late_ms = max(did.late_p99_ms for did in done.dids)
    note = "the driver measures itself" if late_ms > LATE_MS else ""
    yield Figure("driver behind its clock, p99", late_ms, "ms", note, group)
    if phase.gives_up:
        yield Figure("given up unsaid", done.fact("given up"), "", "could not be put on a line before the end", group)


def over_time(found: Outcome, began_s: float, ended_s: float) -> list[Series]:
    """Return messages a second, and latencies second by second: of what was due then, so that a stall shows."""
    seconds = range(max(1, int(ended_s - began_s) + 1))
    at_s = [float(second) for second in seconds]
    told = [Series("due", "throughput", "messages/s", at_s, _per_second(found.sent_times(), began_s, len(seconds)))]
    for name, title in ((DELIVERED, "delivered"), (ACK, "acknowledged")):
        ended, took = found.times(name)
        if not took:
            continue
        told.append(Series(title, "throughput", "messages/s", at_s, _per_second(ended, began_s, len(seconds))))
        in_second: list[list[float]] = [[] for _ in seconds]
        for at, lasted in zip(ended, took, strict=True):
            second = int(at - lasted - began_s)
            if 0 <= second < len(in_second):
                in_second[second].append(lasted)
        for share in (0.5, 0.99):
            values = [_percentile(each, share) for each in in_second]
            told.append(Series(f"{name}, p{share * 100:g}", "latency", "ms", at_s, values))
    if found.facts:
        told.append(Series("visitors waiting", "queue", "", at_s, _waiting(found, began_s, len(seconds))))
    return told


def _waiting(found: Outcome, began_s: float, count: int) -> list[float | None]:
    """Return how many waited for an agent in each second, of those who got one."""
    waiting = [0] * (count + 1)
    ended, took = found.times(ASSIGNED)
    for at, lasted in zip(ended, took, strict=True):
        first, last = (max(0, min(count, int(each - began_s))) for each in (at - lasted, at))
        waiting[first] += 1
        waiting[last] -= 1
    return [float(each) for each in accumulate(waiting[:count])]


def _per_second(times: "array[float]", began_s: float, count: int) -> list[float | None]:
    counted = [0] * count
    for at in times:
        second = int(at - began_s)
        if 0 <= second < count:
            counted[second] += 1
    return [float(each) for each in counted]


def _percentile(values: list[float], share: float) -> float | None:
    if not values:
        return None
    values.sort()
    return values[min(len(values) - 1, int(len(values) * share))] * 1e3


def _due_in(ended: "array[float]", took: "array[float]", done: Done) -> "array[float]":
    """Return the latencies of what was due in a phase."""
    began_s, ended_s = done.began_s, done.ended_s
    return array("d", (lasted for at, lasted in zip(ended, took, strict=True) if began_s <= at - lasted <= ended_s))
