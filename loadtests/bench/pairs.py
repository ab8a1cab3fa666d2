"""Pairs over the whole installation: phone → gateway → inbox → engine → commit → the other gateway → desk, and back.

Invariant: everything is on that is on for customers: routing, receipts once a second, append-only file each second,
copies to SQL. The driver runs in this process and its share of the CPU is told with every figure.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from loadtests.bench.account import APP, TAG
from loadtests.bench.figures import Result, add_latency, percentile
from loadtests.bench.house import House, house
from loadtests.chaos.installation import Size
from loadtests.checker.stories import Reader, Verdict
from loadtests.lean import talks
from loadtests.lean.party import Party
from loadtests.lean.people import Desk, Phone
from loadtests.lean.talks import Talk
from loadtests.lean.thread import Thread
from loadtests.load import processes
from loadtests.load.arrivals import even
from loadtests.load.processes import ROLES, Usage

SIZE = Size(gateways=2, engines=1, workers=1)
AT_ONCE = 20  # who comes in at the same time
ASSIGNED_S = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """`messages` altogether: `in_flight` at a time per pair, or (0) `per_s` by the clock."""

    messages: int
    in_flight: int = 0
    per_s: float = 0.0

    @property
    def about(self) -> str:
        how = f"{self.in_flight} in flight each" if self.in_flight else f"{self.per_s:,.0f} a second by the clock"
        return f"{self.messages:,} messages, {how}"


@dataclass(frozen=True, slots=True)
class Taken:
    """What was used while a load went on: by each role, by the driver, and until SQL had it all."""

    wall_s: float
    roles: dict[str, Usage]
    driver_s: float
    behind_s: float


class Pairs:
    """So many pairs, ready to talk."""

    def __init__(self, found: House, pairs: list[Talk], desks: list[Desk]) -> None:
        self._house, self._pairs, self._desks = found, pairs, desks

    async def measure(self, name: str, command: str, what: Load) -> Result:
        """Put `what` on the pairs and tell what came of it."""
        pairs = self._pairs
        result = Result(name, command, f"{len(pairs)} pairs, 2 gateways, 1 engine, 1 worker; {what.about}")
        first = [pair.asked for pair in pairs]
        late_s, taken = await self._under(what)
        times = [times for pair, began in zip(pairs, first, strict=True) for times in _times(pair, began)]
        _add_costs(result, taken, max(len(times), 1))
        add_latency(result, "send → ack", [acked_s - due_s for due_s, acked_s, _ in times])
        add_latency(result, "send → delivered", [read_s - due_s for due_s, _, read_s in times])
        if late_s:
            result.add("driver behind its clock, p99", percentile(sorted(late_s), 0.99) * 1e3, "ms")
        refusals = Counter(why for party in self._parties() for why in complaints(party))
        if refusals:
            result.add("refused", refusals.total(), "", ", ".join(f"{why} {n}" for why, n in refusals.most_common()))
        result.verdict = sum((verdict(pair) for pair in pairs), Verdict(refused=refusals.total()))
        return result

    async def _under(self, what: Load) -> tuple[list[float], Taken]:
        before, driver_s = processes.by_role(self._house.installation), time.process_time()
        late_s: list[float] = []
        began_s = perf_counter()
        if what.in_flight:
            await talks.closed(self._pairs, what.messages, what.in_flight)
        else:
            each = enumerate(even(what.per_s, what.per_s, what.messages / what.per_s))
            late_s = await talks.opened(self._pairs, each, began_s)
            await talks.settled(self._pairs)
        driver_s, ended_s = time.process_time() - driver_s, perf_counter()
        await self._house.until_stored()
        behind_s = perf_counter() - ended_s
        used = processes.since(before, processes.by_role(self._house.installation))
        return late_s, Taken(ended_s - began_s, used, driver_s, behind_s)

    def _parties(self) -> list[Party]:
        return [*(pair.phone for pair in self._pairs), *self._desks]


def complaints(party: Party) -> list[str]:
    """Return what was refused to `party`, and how lines of it ended that had to live."""
    return [*party.refusals.elements(), *party.troubles]


def verdict(pair: Talk) -> Verdict:
    """Judge both readers of this pair's messages; what was never acknowledged counts as lost."""
    asked = pair.asked
    told = pair.phone.thread.visitor.verdict(asked) + Verdict(lost=max(0, asked - pair.phone.series.done))
    return told + (pair.thread.visitor if pair.thread is not None else Reader()).verdict(asked)


def _times(pair: Talk, first: int) -> Iterator[tuple[float, float, float]]:
    """Yield of each message from the `first` on when it was due, acknowledged and read."""
    read_s = pair.thread.read_s if pair.thread is not None else []
    yield from list(zip(pair.phone.series.due_s, pair.phone.series.acked_s, read_s, strict=False))[first:]


def _add_costs(result: Result, taken: Taken, delivered: int) -> None:
    servers_s = sum(used.cpu_s for used in taken.roles.values())
    result.add("delivered", delivered / taken.wall_s, "/s", f"in {taken.wall_s:.1f} s")
    parts = ", ".join(f"{role} {taken.roles[role].cpu_s * 1e6 / delivered:,.0f}" for role in ROLES)
    result.add("server CPU per delivered message", servers_s * 1e6 / delivered, "µs", parts)
    share = taken.driver_s / (servers_s + taken.driver_s) if servers_s else 1.0
    result.add("driver CPU per message", taken.driver_s * 1e6 / delivered, "µs", f"{share:.0%} of all CPU used")
    result.add("SQL behind the log at the end", taken.behind_s, "s")


@asynccontextmanager
async def pairs_in(found: House, count: int) -> AsyncIterator[Pairs]:
    """Bring in `count` phones on the first gateway and desks on the second; each pair has said its first word."""
    taken: dict[str, tuple[Desk, Thread]] = {}

    def desk(number: int) -> Desk:
        key = f"bench-desk-key-{number:08d}"
        made = Desk(
            partial(found.ticket, number), key, lambda thread: taken.update({thread.conversation: (made, thread)})
        )
        return made

    desks = [desk(number) for number in range(count)]
    phones = [Phone(APP, TAG, f"bench-device-key-{number:08d}") for number in range(count)]
    first, *others = found.installation.gateway_urls
    some = asyncio.Semaphore(AT_ONCE)

    async def come(party: Phone | Desk) -> None:
        async with some:
            await party.begin((others or [first])[0] if isinstance(party, Desk) else first)
            if isinstance(party, Phone):
                party.send(perf_counter())

    try:
        await asyncio.gather(*map(come, desks))
        await asyncio.gather(*map(come, phones))
        async with asyncio.timeout(ASSIGNED_S):
            while len(taken) < count:
                await asyncio.sleep(0.02)
        pairs = [Talk(phone, *taken[phone.conversation]) for phone in phones]
        await talks.settled(pairs)
        telling = asyncio.create_task(talks.read_receipts([*phones, *desks]))
        await talks.closed(pairs, 5 * count, 1)  # so that nothing is done for the first time when it counts
        yield Pairs(found, pairs, desks)
        telling.cancel()
    finally:
        for party in (*phones, *desks):
            party.leave()


@asynccontextmanager
async def pairs(count: int) -> AsyncIterator[Pairs]:
    """Start an installation with `count` pairs in it."""
    async with house(SIZE, agents=count) as found, pairs_in(found, count) as ready:
        yield ready
