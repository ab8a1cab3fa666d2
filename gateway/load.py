"""Whether a cell can take more just now, looked at each second.

Invariant: what is refused for load is refused before it enters a stream; a cell that did not answer for a while, or is
being rebuilt, takes nothing new.
"""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from gateway.cells import Cells
from gateway.core.flow import No
from protocol.ids import CellName
from protocol.wire.codes import Code
from store.redis.admin import memory_share, parse_info
from store.redis.connection import Away, Refused
from store.redis.keys import Keys

EVERY_S = 1.0
MAX_LAG_MS = 2_000
MAX_MEMORY = 0.9
SILENT_S = 3.0
RETRY_MS = 2_000
MEMORY_EACH = 5  # looks at a cell per look at its server's memory


class CellLoad(Struct):
    """What the last look at a cell found. `was_answered`: it found something at all."""

    seen_s: float = -1e9
    epoch: int = 0
    status: str = ""
    lag_ms: int = 0
    memory: float = 0.0
    was_answered: bool = False


class Load:
    """The last look at every cell. `on_epoch` is called when a cell's epoch rose and it is ready again."""

    def __init__(self, cells: Cells, on_epoch: Callable[[CellName], None]) -> None:
        self._cells = cells
        self._on_epoch = on_epoch
        self._seen = {cell: CellLoad() for cell in cells.names}
        self._now_s = asyncio.get_running_loop().time

    def epoch(self, cell: CellName) -> int:
        return self._seen[cell].epoch

    def answers(self, cell: CellName) -> bool:
        """Whether the cell answered lately and is not being rebuilt.

        A look that is long ago was answered if it is this gateway that is slow: it has much to do, or the machine has.
        """
        seen = self._seen[cell]
        return seen.status == "ready" and (seen.was_answered or self._now_s() - seen.seen_s <= SILENT_S)

    def trouble(self, cell: CellName) -> No | None:
        """Return why the cell takes nothing now; None if it does."""
        seen = self._seen[cell]
        if not self.answers(cell):
            return No(Code.UNAVAILABLE, 0, RETRY_MS)
        if seen.lag_ms > MAX_LAG_MS or seen.memory > MAX_MEMORY:
            return No(Code.OVERLOADED, 0, RETRY_MS)
        return None

    async def run(self) -> None:
        """Look at every cell each second, until cancelled."""
        looks = 0
        while True:
            await asyncio.gather(*(self._look(cell, memory=looks % MEMORY_EACH == 0) for cell in self._cells.names))
            looks += 1
            await asyncio.sleep(EVERY_S if all(seen.status for seen in self._seen.values()) else EVERY_S / 10)

    async def _look(self, cell: CellName, *, memory: bool) -> None:
        seen, keys = self._seen[cell], Keys(cell)
        try:
            line = self._cells.line(cell)
            epoch, cursor, status = await line.call("HMGET", keys.cell, "epoch", "cursor", "status", timeout_s=2.0)
            at = (cursor or b"0-0:0").decode().rpartition(":")[0] or "0-0"
            time = line.send("TIME")
            waiting = await line.call("XRANGE", keys.inbox, f"({at}", "+", "COUNT", 1, timeout_s=2.0)
            now_ms = int((await time)[0]) * 1000 + int((await time)[1]) // 1000
            if memory:
                seen.memory = memory_share(parse_info(await line.call("INFO", "memory", timeout_s=2.0)))
        except Refused as refused:
            seen.was_answered = False
            if refused.code == "MOVED":
                self._cells.line(cell).abort("the cell moved to another node")
            return
        except Away:
            seen.was_answered = False
            return
        rose = seen.epoch and int(epoch or 0) > seen.epoch
        ready = (status or b"").decode() == "ready"
        seen.seen_s, seen.was_answered = self._now_s(), True
        seen.status = (status or b"").decode()
        seen.lag_ms = now_ms - int(waiting[0][0].partition(b"-")[0]) if waiting else 0
        if ready:
            seen.epoch = int(epoch or 0)
            if rose:
                self._on_epoch(cell)
