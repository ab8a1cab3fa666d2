"""The way into a cell: all commands of one turn of the loop leave as one inbox entry.

Invariant: commands of one cell enter in the order they were put; nothing is written under a presence lease that may
have lapsed; an entry whose fate is unknown stays marked so, for `pending` to judge.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto

from msgspec import Struct

from gateway.cells import Cells
from protocol.bus.commands import COMMAND_ENCODER, Asked
from protocol.ids import CellName
from store.failpoints import hit
from store.redis.connection import Away
from store.redis.keys import Keys

MAX_PACK = 512  # commands per entry: an engine's batch is bounded by entries


class Fate(Enum):
    """Where a command is on its way in."""

    HELD = auto()  # not sent
    SENT = auto()  # sent, no answer yet
    STORED = auto()  # in the stream
    UNKNOWN = auto()  # sent, and the line was lost


class Entry(Struct):
    """One command on its way. `at`: its inbox entry, once stored, and its index there."""

    cell: CellName
    command: Asked
    epoch: int
    put_s: float
    fate: Fate = Fate.HELD
    at: str = ""
    index: int = 0


class Packs:
    """Collects entries and sends them. `may_write` says whether the presence lease surely holds in a cell."""

    def __init__(self, cells: Cells, may_write: Callable[[CellName], bool]) -> None:
        self._cells = cells
        self._may_write = may_write
        self._next: dict[CellName, list[Entry]] = {}
        self._scheduled = False

    def put(self, entry: Entry) -> None:
        """Send `entry` with the others of this turn."""
        entry.fate, entry.at = Fate.HELD, ""
        self._next.setdefault(entry.cell, []).append(entry)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Send what may be sent now; the rest waits for the lease or the line, and for the next call."""
        self._scheduled = False
        for cell in [cell for cell, entries in self._next.items() if entries and self._may_write(cell)]:
            entries = self._next.pop(cell)
            for start in range(0, len(entries), MAX_PACK):
                if not self._send(cell, entries[start : start + MAX_PACK]):
                    self._next[cell] = entries[start:]
                    break

    def forget(self, gone: list[Entry]) -> None:
        """Send those of `gone` that are held no more."""
        for cell in {entry.cell for entry in gone if entry.fate is Fate.HELD} & set(self._next):
            self._next[cell] = [entry for entry in self._next[cell] if not any(entry is each for each in gone)]

    def _send(self, cell: CellName, entries: list[Entry]) -> bool:
        pack = COMMAND_ENCODER.encode([entry.command for entry in entries])
        try:
            answer = self._cells.line(cell).send("XADD", Keys(cell).inbox, "*", "p", pack)
        except Away:
            return False  # it was not even sent
        now_s = asyncio.get_running_loop().time()
        for index, entry in enumerate(entries):
            entry.fate, entry.index, entry.put_s = Fate.SENT, index, now_s
        answer.add_done_callback(lambda done: self._sent(done, entries))
        return True

    @staticmethod
    def _sent(answer: "asyncio.Future[bytes]", entries: list[Entry]) -> None:
        if answer.cancelled() or answer.exception() is not None:
            for entry in entries:
                entry.fate = Fate.UNKNOWN
            return
        hit("gateway.after_xadd")
        at = answer.result().decode()
        for entry in entries:
            entry.fate, entry.at = Fate.STORED, at
