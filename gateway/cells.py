"""This gateway's lines to Redis: one per cell for commands, dialled again whenever it is lost.

Invariant: nothing is retried here; a command that found no line was not sent.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from protocol.ids import CellName
from store.redis.connection import Away, Connection, Dial, Part, Refused

SHORTEST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0


class Cells:
    """The lines by cell; `None` is the one to the keys of no cell."""

    def __init__(self, dial: Dial, names: Sequence[CellName]) -> None:
        self.names = list(names)
        self._dial = dial
        self._lines: dict[CellName | None, Connection] = {}

    def line(self, cell: CellName | None) -> Connection:
        """Return the open line, or raise Away."""
        line = self._lines.get(cell)
        if line is None or not line.is_open:
            raise Away(f"no line to {cell or 'the keys of no cell'}")
        return line

    async def call(self, cell: CellName | None, *parts: Part) -> Any:
        """Send one command and return its reply; raises Away or Refused."""
        return await self.line(cell).call(*parts)

    def all_open(self) -> bool:
        """Whether every line is there."""
        return all((line := self._lines.get(cell)) is not None and line.is_open for cell in [None, *self.names])

    async def run(self, on_open: Callable[[], None]) -> None:
        """Keep every line until cancelled; `on_open` hears of each new one."""
        try:
            async with asyncio.TaskGroup() as group:
                for cell in [None, *self.names]:
                    group.create_task(self._keep(cell, on_open))
        finally:
            for line in self._lines.values():
                line.abort("this gateway stops")

    async def _keep(self, cell: CellName | None, on_open: Callable[[], None]) -> None:
        pause_s = SHORTEST_PAUSE_S
        while True:
            try:
                line = await self._dial(cell)
            except (Away, Refused):
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            self._lines[cell] = line
            pause_s = SHORTEST_PAUSE_S
            on_open()
            await line.lost()
            await asyncio.sleep(pause_s)
