"""What a word costs in CPU of the engines and of Valkey, while their inboxes are never empty.

Invariant: it is the whole of the processes' CPU, whatever they did meanwhile.
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Iterable

from loadtests.growth.curve import Spent
from loadtests.growth.site import Site

TOTAL, ENGINE, VALKEY = "engine and Valkey CPU", "engine CPU", "Valkey CPU"
BEGUN = "a visitor admitted and a first word said, on the way here"
UNITS = {TOTAL: "µs", ENGINE: "µs", VALKEY: "µs"}

Speakers = Callable[[], Iterable[int]]


def in_turn(conversations: int, words: int) -> Speakers:
    """Return who speaks in a round: everybody in one order drawn by lot, going on in the next round.

    So a batch meets nobody twice, however few they are, and nobody speaks again before all others have.
    """
    order = list(range(conversations))
    random.Random(conversations).shuffle(order)
    turn = itertools.cycle(order)
    return lambda: itertools.islice(turn, words)


async def spent(site: Site, speakers: Speakers) -> Spent:
    """Let `speakers` speak, and return the CPU of each word in µs."""
    who = list(speakers())
    before = site.used()
    await site.put(site.crowd.words(who))
    await site.decided()
    after = site.used()
    await site.settled()
    engine, valkey = ((after[role] - before[role]).cpu_s * 1e6 / len(who) for role in ("engine", "valkey"))
    return {TOTAL: engine + valkey, ENGINE: engine, VALKEY: valkey}


async def idle_ms(site: Site, seconds: float) -> float:
    """Return the CPU that engines and Valkey use in a second in which nobody says anything, in ms."""
    before = site.used()
    await asyncio.sleep(seconds)
    after = site.used()
    return sum((after[role] - before[role]).cpu_s for role in after) * 1e3 / seconds
