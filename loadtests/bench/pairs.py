"""Pairs over the whole installation: phone → gateway → inbox → engine → commit → the other gateway → desk, and back.

Invariant: everything is on that is on for customers: routing, receipts once a second, append-only file each second,
copies to SQL. The driver runs in this process and its share of the CPU is told with every figure.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

from loadtests.bench import load, processes
from loadtests.bench.figures import Result, add_latency, percentile
from loadtests.bench.house import House, house
from loadtests.bench.load import Pair
from loadtests.bench.people import Desk, Phone
from loadtests.bench.processes import ROLES, Usage
from loadtests.bench.verdict import Verdict
from loadtests.chaos.installation import Size

SIZE = Size(gateways=2, engines=1, workers=1)
AT_ONCE = 20  # who comes in at the same time


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

    def __init__(self, found: House, pairs: list[Pair]) -> None:
        self._house, self._pairs = found, pairs

    async def measure(self, name: str, command: str, what: Load) -> Result:
        """Put `what` on the pairs and tell what came of it."""
        pairs = self._pairs
        result = Result(name, command, f"{len(pairs)} pairs, 2 gateways, 1 engine, 1 worker; {what.about}")
        first = len(pairs[0].phone.sent_s)
        late_s, taken = await self._under(what)
        delivered = sum(len(pair.desk.read_s) - first for pair in pairs)
        _add_costs(result, taken, max(delivered, 1))
        sent = [(pair, at) for pair in pairs for at in range(first, pair.settled)]
        add_latency(result, "send → ack", [pair.phone.acked_s[at] - pair.phone.sent_s[at] for pair, at in sent])
        add_latency(result, "send → delivered", [pair.desk.read_s[at] - pair.phone.sent_s[at] for pair, at in sent])
        if late_s:
            result.add("driver behind its clock, p99", percentile(sorted(late_s), 0.99) * 1e3, "ms")
        refusals = Counter(why for pair in pairs for why in (*pair.phone.refusals, *pair.desk.refusals))
        if refusals:
            result.add("refused", refusals.total(), "", ", ".join(f"{why} {n}" for why, n in refusals.most_common()))
        result.verdict = sum((pair.verdict() for pair in pairs), Verdict())
        return result

    async def _under(self, what: Load) -> tuple[list[float], Taken]:
        before, driver_s = processes.by_role(self._house.installation), time.process_time()
        late_s: list[float] = []
        if what.in_flight:
            wall_s = await load.closed(self._pairs, -(-what.messages // len(self._pairs)), what.in_flight)
        else:
            wall_s, late_s = await load.opened(self._pairs, what.messages, what.per_s)
        driver_s, ended_s = time.process_time() - driver_s, perf_counter()
        await self._house.until_stored()
        behind_s = perf_counter() - ended_s
        used = processes.since(before, processes.by_role(self._house.installation))
        return late_s, Taken(wall_s, used, driver_s, behind_s)


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
    desks_of: dict[str, Desk] = {}
    desks = [Desk(lambda desk, conversation: desks_of.update({conversation: desk})) for _ in range(count)]
    phones = [Phone() for _ in range(count)]
    first, *others = found.installation.gateway_urls
    second = others[0] if others else first
    some = asyncio.Semaphore(AT_ONCE)

    async def arrive(number: int) -> None:
        async with some:
            await desks[number].begin(second, await found.ticket(number), number)

    async def come(number: int) -> None:
        async with some:
            await phones[number].begin(first, number)
            phones[number].send()

    try:
        await asyncio.gather(*map(arrive, range(count)))
        await asyncio.gather(*map(come, range(count)))
        await asyncio.gather(*(desk.caught_up() for desk in desks))
        pairs = [Pair(phone, desks_of[phone.conversation]) for phone in phones]
        telling = asyncio.create_task(load.read_receipts(pairs))
        await load.closed(pairs, 5, 1)  # so that nothing is done for the first time when it counts
        yield Pairs(found, pairs)
        telling.cancel()
    finally:
        for party in (*phones, *desks):
            party.leave()


@asynccontextmanager
async def pairs(count: int) -> AsyncIterator[Pairs]:
    """Start an installation with `count` pairs in it."""
    async with house(SIZE, agents=count) as found, pairs_in(found, count) as ready:
        yield ready
