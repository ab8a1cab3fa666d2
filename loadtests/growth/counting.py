"""What a word costs an engine in steps of the interpreter: the same on every machine, however busy it is.

Invariant: counted is what an owner does with a full batch of different people's words, all values at hand: read,
decide, plan the commit, remember. Redis is read and nothing is written.
"""

from collections.abc import Coroutine
from typing import Any

from engine.runtime.batch import Batch
from engine.runtime.commit import plan
from engine.runtime.deciding import Deciding
from engine.runtime.inbox import read_entry
from engine.runtime.memory import Memory
from engine.runtime.surroundings import EngineSettings
from engine.runtime.watchdog import Watchdog
from loadtests.bench.steps import steps_of
from loadtests.growth.site import Site
from protocol.bus.commands import COMMAND_ENCODER, VisitorSends
from routing.core.roster import RosterDecider
from store.redis.keys import cell_names
from store.redis.scripts import Fence

STEPS = "steps of the interpreter"
BATCH = EngineSettings([]).batch_commands
_FIRST, _SECOND = 1, 2  # words from now, in batches of their own: what a cell loads once is not counted


class _Desk:
    """An owner's work on one cell of a site, without the loop around it."""

    def __init__(self, site: Site, cell: int) -> None:
        name = cell_names(site.crowd.size.cells)[cell]
        self._site, self._cell, roster = site, cell, RosterDecider()
        self._fence = Fence(name, "growth", 1, "0-0:0", "1-0:0", 0, 1)
        self._memory = Memory(name, site.line, roster, EngineSettings([name]))
        self._deciding = Deciding(self._memory, roster, Watchdog())

    async def prefetch(self, words: list[VisitorSends]) -> None:
        await self._memory.prefetch(words)

    async def work(self, packed: bytes) -> None:
        """Do all of it for one entry of the inbox."""
        entry = read_entry(b"1-0", [b"p", packed])
        batch = Batch(1, 1)
        await self._deciding.decide(batch, [entry])
        self._memory.snapshot_rosters(batch)
        self._memory.advance(batch, plan(self._fence, batch, self._memory.heads(batch)))

    def words(self, ahead: int) -> list[VisitorSends]:
        """Return what people would say next, or after that."""
        crowd = self._site.crowd
        return [crowd.nth_word(who, crowd.said[who] + ahead) for who in crowd.some_of_cell(self._cell, BATCH)]


async def steps_of_a_word(site: Site, cell: int = 0) -> float:
    """Return the steps of one word of a batch in a cell of `site`."""
    desk = _Desk(site, cell)
    await desk.prefetch(desk.words(_FIRST))
    await desk.work(COMMAND_ENCODER.encode(desk.words(_FIRST)))
    words = desk.words(_SECOND)
    packed = COMMAND_ENCODER.encode(words)
    return steps_of(lambda: _at_once(desk.work(packed))) / len(words)


def _at_once(work: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise AssertionError("a value was not at hand")
