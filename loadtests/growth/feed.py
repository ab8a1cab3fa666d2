"""One cell of a site: packs go into its inbox, commits come out of it.

Invariant: every commit is read once, in order, before it is let go of, as a scribe does.
"""

import asyncio
import time
from typing import Any

import msgspec

from app.stores import now_ms
from engine.runtime.inbox import parse_cursor
from loadtests.growth.listener import Listener
from protocol.bus.commands import COMMAND_ENCODER, AnyCommand
from protocol.bus.records import Commit
from protocol.ids import CellName
from store.redis import scripts
from store.redis.connection import Connection
from store.redis.keys import Keys

AHEAD = 1_024  # packs that may wait in the inbox before more are put
COMMITS_AT_ONCE = 100
POLL_S = 0.01
STALLED_S = 60.0  # without a step forward
_COMMIT = msgspec.msgpack.Decoder(Commit)


class Stalled(Exception):
    """The engines decide nothing any more; the text names the cell and where it stands."""


class Feed:
    """The inbox and the outbox of a cell, over a line that others use too."""

    def __init__(self, cell: CellName, line: Connection, listener: Listener) -> None:
        self.keys = Keys(cell)
        self._line, self._listener = line, listener
        self._last: asyncio.Future[Any] | None = None  # the id of the newest entry
        self._last_size = 0
        self._read = "0-0"

    def put(self, pack: list[AnyCommand]) -> None:
        """Put a pack into the inbox."""
        self._last = self._line.send("XADD", self.keys.inbox, "*", "p", COMMAND_ENCODER.encode(pack))
        self._last_size = len(pack)

    async def open(self) -> None:
        """Wait until an engine serves the cell."""
        async with asyncio.timeout(STALLED_S):
            while await self._line.call("HGET", self.keys.cell, "status") != b"ready":
                await asyncio.sleep(POLL_S)

    async def room(self) -> None:
        """Wait until the inbox is not too long; what was committed leaves meanwhile."""
        while await self._line.call("XLEN", self.keys.inbox) > AHEAD:
            await self.copy()
            await asyncio.sleep(POLL_S)

    async def decided(self) -> None:
        """Wait until all that was put is decided and committed; raises Stalled."""
        if self._last is None:
            return
        wanted, at, since_s = _order((await self._last).decode(), self._last_size), "", time.monotonic()
        while True:
            before, at = at, (await self._line.call("HGET", self.keys.cell, "cursor") or b"0-0:0").decode()
            cursor = parse_cursor(at)
            if _order(cursor.entry, cursor.index) >= wanted:
                return
            if at != before:
                since_s = time.monotonic()
            elif time.monotonic() - since_s > STALLED_S:
                raise Stalled(f"{self.keys.name} stands at {at}, and {wanted} was put")
            await asyncio.sleep(POLL_S)

    async def unseen(self, silent_s: float) -> int:
        """Return how many values have been idle for so long, and the engine has not looked at them since."""
        return int(await self._line.call("ZCOUNT", self.keys.active, "-inf", now_ms() - round(silent_s * 1000)))

    async def copy(self) -> None:
        """Read the commits that are there, and let go of them."""
        epoch = int(await self._line.call("HGET", self.keys.cell, "epoch"))
        outbox = self.keys.outbox(epoch)
        while found := await self._line.call("XRANGE", outbox, f"({self._read}", "+", "COUNT", COMMITS_AT_ONCE):
            for _, fields in found:
                self._listener.hear(_COMMIT.decode(fields[1]))
            self._read = found[-1][0].decode()
        await scripts.trim(self._line, self.keys.name, epoch, int(self._read.partition("-")[0]))


def _order(entry: str, index: int) -> tuple[int, int, int]:
    at_ms, _, number = entry.partition("-")
    return int(at_ms), int(number), index
