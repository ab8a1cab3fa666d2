"""The curves of a word: against open conversations, those of one account, history, accounts, cells and engines.

Invariant: all sizes of a curve stand at once and take their rounds in turn, and one thing differs between them.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from engine.runtime.surroundings import EngineSettings
from loadtests.checker.stories import Verdict
from loadtests.growth import talking
from loadtests.growth.counting import STEPS, steps_of_a_word
from loadtests.growth.crowd import Size
from loadtests.growth.curve import Curve, Figure, Spent, counted, figures, interleaved
from loadtests.growth.site import Site, site
from loadtests.growth.talking import BEGUN, UNITS, in_turn

MOST_STEPS = 1.15  # times those of the least size: what a word needs does not depend on what else there is
ENTRIES_FIRST = 4  # of a log, once its visitor has said a first word
FEW = 1_000
LATE_S = EngineSettings([]).late_s
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Words:
    """One curve: what stands at each size, and who speaks there. `first`: words that each says before it counts."""

    name: str
    title: str
    size: str
    about: str
    sizes: Sequence[int]
    stands: Callable[[int], Size]
    few: int = 0  # so many of them talk in rounds of their own, too, while the others are silent
    first: Callable[[int], int] = lambda _: 0
    idles: bool = False  # whether it tells what nothing costs, too


def of_history(entries: int) -> Size:
    """Return what stands for a history: few who have said much, or many who have said little, never below a batch."""
    return Size(max(64, min(6_400, 64_000 // entries)))


CURVES = {
    each.name: each
    for each in (
        Words(
            "conversations", "A word, as open conversations grow", "open conversations",
            "8 cells of one account each, 1 engine",
            (1_000, 10_000, 100_000), lambda size: Size(size, accounts=8, cells=8, agents=160), few=FEW,
        ),
        Words(
            "one-account", "A word, as one account grows", "open conversations of the account",
            "1 account with 20 agents in 1 cell, 1 engine",
            (1_000, 10_000, 40_000), Size, few=FEW,
        ),
        Words(
            "history", "A word, as the conversation grows", "entries in the log of each conversation",
            "1 account in 1 cell, 1 engine; as many conversations as make 64,000 entries, between 64 and 6,400",
            (10, 100, 1_000, 5_000), of_history, first=lambda entries: max(0, entries - ENTRIES_FIRST),
        ),
        Words(
            "accounts", "A word, as accounts grow", "accounts in the cell",
            "1,000 open conversations in 1 cell, 1 engine",
            (1, 100, 1_000), lambda size: Size(1_000, accounts=size),
        ),
        Words(
            "cells", "A word, as cells grow", "cells of the engine",
            "1,600 open conversations of 16 accounts, 1 engine",
            (1, 4, 16), lambda size: Size(1_600, accounts=16, cells=size), idles=True,
        ),
        Words(
            "engines", "A word, as engines grow", "engines",
            "1,600 open conversations of 8 accounts in 8 cells",
            (1, 2), lambda size: Size(1_600, accounts=8, cells=8, engines=size), idles=True,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: rounds of so many words each, and seconds of idling.

    Whoever is patient waits, before only a few speak, until the engines have looked at all who fell silent.
    """

    rounds: int = 5
    words: int = 16_000
    idle_s: float = 3.0
    is_patient: bool = True


async def measure(what: Words, sizes: Sequence[int], effort: Effort, command: str) -> Curve:
    """Measure a curve at `sizes`."""
    async with AsyncExitStack() as standing:
        sites = [await standing.enter_async_context(site(what.stands(size))) for size in sizes]
        found = [await _prepared(place, what.first(size)) for place, size in zip(sites, sizes, strict=True)]
        lines = await _of_few(what, sites, effort) if what.few else []
        lines = await _talked(sites, effort, [place.crowd.size.conversations for place in sites]) + lines
        if what.idles:
            lines += await _idling(sites, effort)
        steps = [await steps_of_a_word(place) for place in sites]
        verdict = sum((place.verdict() for place in sites), Verdict())
    lines.append(counted(STEPS, "", steps, most=MOST_STEPS))
    lines += _beside(found)
    return Curve(what.name, what.title, what.size, what.about, command, list(sizes), lines, str(verdict),
                 is_broken=not verdict.holds)  # fmt: skip


async def _talked(sites: Sequence[Site], effort: Effort, people: Sequence[int]) -> list[Figure]:
    """Let so many of each site speak in turn."""
    speakers = [in_turn(count, effort.words) for count in people]
    rounds = [partial(talking.spent, place, who) for place, who in zip(sites, speakers, strict=True)]
    return figures(await interleaved(rounds, effort.rounds), UNITS, judged=(talking.TOTAL,))


async def _of_few(what: Words, sites: Sequence[Site], effort: Effort) -> list[Figure]:
    """Let the same few speak at every size, while all others are silent and have been for a while."""
    few = [min(what.few, place.crowd.size.conversations) for place in sites]
    if effort.is_patient:
        for place, count in zip(sites, few, strict=True):
            await _all_seen(place, count, effort)
    found = await _talked(sites, effort, few)
    for each in found:
        each.name = f"{each.name}, only {what.few:,} talk"
    return found


async def _all_seen(place: Site, few: int, effort: Effort) -> None:
    """Wait until the engines have looked at all who fell silent, which they do once, a minute later.

    An engine looks ten times as often while it is at work, so it is given some.
    """
    speakers = in_turn(few, effort.words)
    while await place.unseen() > few:
        if await place.unseen(LATE_S):
            await talking.spent(place, speakers)
        else:
            await asyncio.sleep(1.0)


async def _prepared(place: Site, words: int) -> Spent:
    """Let everybody say `words` more; return what the way here took and takes."""
    people = place.crowd.size.conversations
    spent = {f"{role} CPU": used.cpu_s * 1e6 / people for role, used in place.begun.items()}
    await place.put(place.crowd.words(at % people for at in range(people * words)))
    await place.settled()
    await place.steady()
    return {
        BEGUN: sum(spent.values()),
        "engine memory": place.used()["engine"].rss_bytes / MIB,
        "Valkey memory": await place.valkey_bytes() / MIB,
    }


async def _idling(sites: Sequence[Site], effort: Effort) -> list[Figure]:
    async def once(place: Site) -> Spent:
        return {"idle": await talking.idle_ms(place, effort.idle_s)}

    taken = await interleaved([partial(once, place) for place in sites], 1)
    return figures(taken, {"idle": "ms of CPU a second"}, judged=(), drawn=False)


def _beside(found: Sequence[Spent]) -> list[Figure]:
    units = {BEGUN: "µs", "engine memory": "MiB", "Valkey memory": "MiB"}
    return [counted(name, unit, [each[name] for each in found], judged=False) for name, unit in units.items()]
