"""The curve of sessions: the memory of an idle phone, and what a word costs beside so many of them on one gateway.

Invariant: a session counts once it was admitted and has caught up, as a phone's does that shows the chat and says
nothing; those who talk beside them are among the sessions of the size.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from loadtests.bench.house import House, house
from loadtests.bench.pairs import Load, Pairs, pairs_in
from loadtests.chaos.installation import Size
from loadtests.checker.stories import Verdict
from loadtests.growth.curve import Curve, Spent, counted, figures, interleaved
from loadtests.growth.files import fits, raise_limit
from loadtests.growth.idlers import held
from loadtests.load import processes
from loadtests.load.files import SPARE
from loadtests.load.processes import ROLES, Usage

SIZES = (1_000, 5_000, 18_000)
PAIRS, IN_FLIGHT = 20, 8
WARM_UP, WARM_UP_FROM = 100, 90_000_000  # phones that come and go before memory is looked at
KIB = 1024
WORD = "server CPU per delivered message"
MEMORY, GATEWAY_MEMORY = "memory per idle session, all processes", "the gateway's"
IDLE, GATEWAY_IDLE = "CPU while nobody says anything", "the gateway's CPU then"


@dataclass(frozen=True, slots=True)
class Effort:
    """Rounds of so many words among the pairs, and seconds of idling: 25 hold one slow check of everything."""

    rounds: int = 5
    words: int = 8_000
    idle_s: float = 26.0


@dataclass(slots=True)
class Full:
    """A gateway with its sessions."""

    found: House
    ready: Pairs
    memory: Spent
    verdict: Verdict

    async def word(self, words: int) -> Spent:
        """Let the pairs talk until SQL has it all; return what a message costs, and of that each role's share."""
        before = processes.by_role(self.found.installation)
        result = await self.ready.measure("", "", Load(words, in_flight=IN_FLIGHT))
        used = processes.since(before, processes.by_role(self.found.installation))
        assert isinstance(result.verdict, Verdict), "pairs judge themselves"
        self.verdict = result.verdict
        shares = {share_of(role): used[role].cpu_s * 1e6 / words for role in ROLES}
        return {WORD: sum(shares.values()), **shares}

    async def idle(self, seconds: float) -> Spent:
        """Return what the processes use while nobody says anything."""
        before = processes.by_role(self.found.installation)
        await asyncio.sleep(seconds)
        used = processes.since(before, processes.by_role(self.found.installation))
        every = sum(used.values(), Usage())
        return {IDLE: every.cpu_s * 1e3 / seconds, GATEWAY_IDLE: used["gateway"].cpu_s * 1e3 / seconds}


async def measure(sizes: Sequence[int], effort: Effort, command: str) -> Curve:
    """Measure the curve at those of `sizes` that the machine's files allow."""
    allowed = raise_limit()
    held_here = [size for size in sizes if fits(size, allowed)]
    async with AsyncExitStack() as standing:
        full = [await standing.enter_async_context(_full(size)) for size in held_here]
        rounds = [partial(place.word, effort.words) for place in full]
        units = dict.fromkeys((WORD, *map(share_of, ROLES)), "µs")
        lines = figures(await interleaved(rounds, effort.rounds), units, judged=(WORD,))
        idle = await asyncio.gather(*(place.idle(effort.idle_s) for place in full))
    verdict = sum((place.verdict for place in full), Verdict())
    for name in (MEMORY, GATEWAY_MEMORY):
        lines.append(counted(name, "KiB", [place.memory[name] for place in full], judged=name == MEMORY))
    for name in (IDLE, GATEWAY_IDLE):
        lines.append(counted(name, "ms a second", [each[name] for each in idle], judged=False))
    about = f"1 gateway, 1 engine, 1 worker; idle phones, and {PAIRS} pairs with {IN_FLIGHT} messages in flight each"
    return Curve(
        "sessions", "Sessions of one gateway", "sessions", about, command, held_here, lines,
        str(verdict), not verdict.holds, _left_out(sizes, held_here, allowed),
    )  # fmt: skip


def share_of(role: str) -> str:
    """Return the name of a role's share of a message."""
    return f"the share of {role}"


@asynccontextmanager
async def _full(size: int) -> AsyncIterator[Full]:
    """Start an installation with `size` sessions on its gateway."""
    async with house(Size(1, 1, 1), agents=PAIRS) as found, pairs_in(found, PAIRS) as ready:
        url, idle = found.installation.gateway_urls[0], size - 2 * PAIRS
        async with held(url, WARM_UP_FROM, WARM_UP):
            pass
        await found.until_stored()
        before = processes.by_role(found.installation)
        async with held(url, 0, idle):
            await found.until_stored()
            used = processes.since(before, processes.by_role(found.installation))
            grown = {role: used[role].rss_bytes / idle / KIB for role in ROLES}
            yield Full(found, ready, {MEMORY: sum(grown.values()), GATEWAY_MEMORY: grown["gateway"]}, Verdict())


def _left_out(sizes: Sequence[int], held_here: Sequence[int], allowed: int) -> list[str]:
    left = [f"{size:,}" for size in sizes if size not in held_here]
    if not left:
        return []
    why = f"a process may open {allowed:,} files here, and {SPARE} of a gateway's are no phone's"
    return [f"{' and '.join(left)} sessions were left out: {why} (ulimit -n)"]
