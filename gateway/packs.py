"""The way into a cell: all commands of one turn of the loop leave as one inbox entry.

Invariant: commands of one cell enter in the order they were put; nothing is written under a presence lease that may
have lapsed; an entry whose fate is unknown stays marked so, for `pending` to judge.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from gateway.cells import Cells
from protocol.bus.commands import COMMAND_ENCODER, Asked
from protocol.bus.records import Outcome
from protocol.ids import CellName
from store.failpoints import hit
from store.redis.connection import Away
from store.redis.keys import Keys

MAX_PACK = 512  # commands per entry: an engine's batch is bounded by entries


class Fate(Enum):
    """Where a pack is on its way in."""

    HELD = auto()  # not sent
    SENT = auto()  # sent, no answer yet
    STORED = auto()  # in the stream
    UNKNOWN = auto()  # sent, and the line was lost


class Asker(Protocol):
    """Who waits for an outcome."""

    def outcome(self, outcome: Outcome, command: Asked) -> None: ...

    def accepted(self, command: Asked) -> None: ...


class Pack:
    """One inbox entry: `at` is its name there, once stored. `asks` are those in it, until it is sent.

    `epoch`: the cell's, as known when it was sent. `put_s`: when it was opened, sent, or judged last.
    """

    __slots__ = ("asks", "at", "cell", "epoch", "fate", "opened_s", "put_s")

    def __init__(self, cell: CellName, opened_s: float) -> None:
        self.cell, self.opened_s, self.put_s = cell, opened_s, opened_s
        self.asks: list[Ask] = []
        self.fate, self.at, self.epoch = Fate.HELD, "", 0


class Ask:
    """One command, and who is told its outcome (None: nobody). `index`: its place in the pack."""

    __slots__ = ("asker", "command", "index", "pack", "told")

    pack: Pack
    index: int

    def __init__(self, command: Asked, asker: Asker | None) -> None:
        self.command, self.asker, self.told = command, asker, False

    @property
    def n(self) -> int:
        """The number of the frame that it came from."""
        return self.command.origin.n


class Packs:
    """Collects asks and sends them. `may_write` says whether the presence lease surely holds in a cell."""

    def __init__(
        self, cells: Cells, may_write: Callable[[CellName], bool], epoch_of: Callable[[CellName], int]
    ) -> None:
        self._cells, self._may_write, self._epoch_of = cells, may_write, epoch_of
        self._held: dict[CellName, list[Pack]] = {}
        self._loop = asyncio.get_running_loop()
        self._scheduled = False

    def put(self, cell: CellName, ask: Ask) -> None:
        """Send `ask` with the others of this turn."""
        packs = self._held.get(cell)
        if packs is None:
            packs = self._held[cell] = []
        if not packs or len(packs[-1].asks) >= MAX_PACK:
            packs.append(Pack(cell, self._loop.time()))
        pack = packs[-1]
        ask.pack, ask.index = pack, len(pack.asks)
        pack.asks.append(ask)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what may be sent now; the rest waits for the lease or the line, and for the next call."""
        self._scheduled = False
        for cell, packs in self._held.items():
            while packs and self._may_write(cell) and self._send(packs[0]):
                del packs[0]

    def forget(self, gone: list[Ask]) -> None:
        """Send those of `gone` that are held no more."""
        forgotten = {id(ask) for ask in gone if ask.pack.fate is Fate.HELD}
        for packs in self._held.values() if forgotten else ():
            for pack in packs:
                pack.asks = [ask for ask in pack.asks if id(ask) not in forgotten]
                for index, ask in enumerate(pack.asks):
                    ask.index = index

    def _send(self, pack: Pack) -> bool:
        """Send it, unless there is no line; one from which all were taken is sent by doing nothing."""
        if not pack.asks:
            return True
        commands = COMMAND_ENCODER.encode([ask.command for ask in pack.asks])
        try:
            answer = self._cells.line(pack.cell).send("XADD", Keys(pack.cell).inbox, "*", "p", commands)
        except Away:
            return False  # it was not even sent
        pack.fate, pack.epoch, pack.put_s = Fate.SENT, self._epoch_of(pack.cell), self._loop.time()
        pack.asks = []
        answer.add_done_callback(lambda done: self._sent(done, pack))
        return True

    @staticmethod
    def _sent(answer: "asyncio.Future[bytes]", pack: Pack) -> None:
        if answer.cancelled() or answer.exception() is not None:
            pack.fate = Fate.UNKNOWN
            return
        hit("gateway.after_xadd")
        pack.fate, pack.at = Fate.STORED, answer.result().decode()
