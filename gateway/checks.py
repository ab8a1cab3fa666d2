"""The slow check: every position and every visitor's record against what is committed, because hints may be lost.

Invariant: however many hints were lost, a reader is behind for one period at most; after a lost subscription or a new
epoch it is looked at once. A phone that was logged out through another gateway is found out within a period, too.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

from gateway.cells import Cells
from gateway.roll import Present, Roll
from protocol.ids import CellName, ConversationId
from store.redis.connection import Away, Refused
from store.redis.keys import Keys

EVERY_S = 25.0
AT_ONCE = 256  # conversations per round trip, so that other work comes in between


class Checks:
    """Looks at cells when asked, and at all of them now and then."""

    def __init__(self, cells: Cells, roll: Roll) -> None:
        self._cells, self._roll = cells, roll
        self._asked: set[CellName] = set()
        self._woken = asyncio.Event()

    def soon(self, cell: CellName) -> None:
        """Look at `cell` now."""
        self._asked.add(cell)
        self._woken.set()

    async def run(self) -> None:
        """Look until cancelled; at everything every 25 s, however often something else was asked for."""
        loop = asyncio.get_running_loop()
        look_at_s = loop.time() + EVERY_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(look_at_s):
                    await self._woken.wait()
            self._woken.clear()
            cells, self._asked = self._asked, set()
            if loop.time() >= look_at_s:
                cells, look_at_s = set(self._cells.names), loop.time() + EVERY_S
            for cell in sorted(cells):
                await self._look(cell)

    async def _look(self, cell: CellName) -> None:
        readers: dict[ConversationId, list[Present]] = {}
        present = [each for each in self._roll if each.cell == cell]
        for each in present:
            for conversation in each.conversations:
                readers.setdefault(conversation, []).append(each)
        names = list(readers)
        try:
            for start in range(0, len(names), AT_ONCE):
                await self._compare(cell, names[start : start + AT_ONCE], readers)
            for start in range(0, len(present), AT_ONCE):
                await self._compare_records(cell, present[start : start + AT_ONCE])
        except (Away, Refused):
            self.soon(cell)
            await asyncio.sleep(1.0)
            return
        for each in present:
            each.look_around()

    async def _compare(
        self, cell: CellName, names: Iterable[ConversationId], readers: dict[ConversationId, list[Present]]
    ) -> None:
        keys, line = Keys(cell), self._cells.line(cell)
        epoch = line.send("HGET", keys.cell, "epoch")
        heads = [(name, line.send("HGET", keys.conversation(name), "q")) for name in names]
        now = int(await line.within(epoch, 5.0) or 0)
        for name, head in heads:
            seq = int(await head or 0)
            for reader in readers[name]:
                reader.checked(name, seq, now)

    async def _compare_records(self, cell: CellName, present: Sequence[Present]) -> None:
        keys, line = Keys(cell), self._cells.line(cell)
        sent = [(each, line.send("HGET", keys.visitor(each.visitor), "c")) for each in present if each.visitor]
        for each, answer in sent:
            each.record_at(int(await line.within(answer, 5.0) or 0))
