"""Receipts on their way beside the log: at most one write a second per reader, the last one always.

Invariant: horizons only rise (lua/receipts.lua merges them); losing one delays it until the next.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import msgspec
from msgspec import Struct

from gateway.cells import Cells
from gateway.core.actions import Mark
from protocol.bus.topics import Ephemeral
from protocol.ids import CellName, DeviceId
from protocol.wire.server import Receipts as ReceiptsFrame
from store.redis import scripts
from store.redis.connection import Away, Connection, Refused

EVERY_S = 1.0
ANSWER_S = 5.0
_encode = msgspec.msgpack.Encoder().encode


class _Reader(Struct, frozen=True):
    cell: CellName
    device: DeviceId
    conversation: str
    who: str


class Receipts:
    """The horizons that wait to be written."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._due: dict[_Reader, Mark] = {}
        self._ready = asyncio.Event()

    def mark(self, cell: CellName, device: DeviceId, mark: Mark) -> None:
        """Raise a reader's horizons with the next write."""
        reader = _Reader(cell, device, mark.conversation, mark.who)
        known = self._due.get(reader, mark)
        highest = max(known.delivered, mark.delivered), max(known.read, mark.read)
        self._due[reader] = Mark(mark.conversation, mark.who, *highest)
        self._ready.set()

    async def run(self) -> None:
        """Write what is due, once a second, until cancelled."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            due, self._due = self._due, {}
            cells = {reader.cell for reader in due}
            await asyncio.gather(*(self._write(cell, due) for cell in sorted(cells)))
            await asyncio.sleep(EVERY_S)

    async def _write(self, cell: CellName, due: Mapping[_Reader, Mark]) -> None:
        with suppress(Away, Refused):
            line = self._cells.line(cell)
            written = [self._written(line, reader, mark) for reader, mark in due.items() if reader.cell == cell]
            await line.within_all(written, ANSWER_S)

    @staticmethod
    def _written(line: Connection, reader: _Reader, mark: Mark) -> "asyncio.Future[str | None]":
        frame = _encode(ReceiptsFrame(mark.conversation, mark.who, mark.delivered, mark.read))
        other = "staff" if mark.who == "visitor" else "visitor"
        payload = _encode(Ephemeral(other, reader.device, frame))
        horizon = (mark.who, mark.delivered, mark.read)
        return scripts.receipts(line, reader.cell, mark.conversation, horizon, payload)
