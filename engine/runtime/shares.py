"""How many cells an engine should own, so that all engines own about as many.

Invariant: the fair share times the engines that live is at least the number of cells, so no cell is left unowned.
"""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from engine.runtime import metrics
from engine.runtime.surroundings import Surroundings
from protocol.ids import CellName
from store.redis import scripts
from store.redis.connection import Away, Refused
from store.redis.keys import ENGINES


class Shares:
    """This engine among the others."""

    def __init__(self, around: Surroundings, engine: str) -> None:
        self.fair = 0  # nothing is taken before it is known who else lives
        self._around, self._engine = around, engine
        self._owned: dict[CellName, Callable[[], None]] = {}

    @property
    def owned(self) -> list[CellName]:
        """The cells counted, in the order in which they were taken."""
        return list(self._owned)

    def wants_more(self) -> bool:
        """Whether another cell may be taken."""
        return len(self._owned) < self.fair

    def taken(self, cell: CellName, give_up: Callable[[], None]) -> None:
        """Count `cell`; `give_up` asks its tenure to end."""
        self._owned[cell] = give_up
        metrics.OWNED.set(len(self._owned))

    def given_up(self, cell: CellName) -> None:
        """Count `cell` no longer."""
        self._owned.pop(cell, None)
        metrics.OWNED.set(len(self._owned))

    async def keep(self) -> NoReturn:
        """Say again and again that this engine lives, and give up what is more than its share."""
        lease_s = self._around.settings.lease_s
        while True:
            try:
                await self._enlist(round(lease_s * 1000))
            except (Away, Refused) as fault:
                self._around.log.warning("engines cannot be counted", fault=type(fault).__name__)
                await asyncio.sleep(lease_s / 8)

    async def leave(self) -> None:
        """Say that this engine is gone, so that the others take its cells at once."""
        line = await self._around.dial(None)
        await scripts.enlist(line, ENGINES, self._engine, 0)
        await line.close()

    async def _enlist(self, lease_ms: int) -> NoReturn:
        line = await self._around.dial(None)
        try:
            while True:
                living = len(await scripts.enlist(line, ENGINES, self._engine, lease_ms))
                self.fair = -(-len(self._around.settings.cells) // max(1, living))
                for give_up in list(self._owned.values())[self.fair :]:
                    give_up()
                await asyncio.sleep(lease_ms / 6000)  # a death must show soon: shares follow from it
        finally:
            await line.close()
