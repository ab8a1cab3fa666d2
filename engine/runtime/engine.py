"""An engine: a would-be owner per cell, one among any number of engines.

Invariant: an engine that dies at any instant leaves nothing that another cannot go on with; one that is stopped leaves
its cells free and says so.
"""

import asyncio

from engine.runtime.cell import CellOwner
from engine.runtime.shares import Shares
from engine.runtime.surroundings import Surroundings
from protocol.ids import CellName
from store.redis.connection import Away


class Engine:
    """One engine, in its surroundings."""

    def __init__(self, around: Surroundings) -> None:
        self._log = around.log
        self._shares = Shares(around, "eng_" + around.entropy(8).hex())
        self._owners = [CellOwner(around, cell, self._shares) for cell in around.settings.cells]
        self._stopping = asyncio.Event()

    @property
    def owned(self) -> list[CellName]:
        """The cells that are this engine's now, those taken first in front."""
        return self._shares.owned

    async def run(self) -> None:
        """Own cells until `stop`."""
        async with asyncio.TaskGroup() as tasks:
            counting = tasks.create_task(self._shares.keep())
            owners = [tasks.create_task(owner.run()) for owner in self._owners]
            await self._stopping.wait()
            for owner in self._owners:
                owner.stop()
            await asyncio.wait(owners)
            counting.cancel()
        try:
            await self._shares.leave()
        except Away:
            self._log.info("engine left without a word")

    def stop(self) -> None:
        """Ask `run` to end: what is under way is committed, every cell is released."""
        self._stopping.set()
