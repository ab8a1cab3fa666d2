"""Every command of this gateway whose outcome is awaited.

Invariant: a command stays until its outcome came or its session is gone. One that may never have reached the engine,
or whose outcome may have been lost, is put in again as it was; its ledger makes that safe (SPEC 5.1), and what has none
is not put in again. One that surely waits in the stream is left there.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol

from gateway.cells import Cells
from gateway.core.flow import is_past
from gateway.packs import Entry, Fate, Packs
from protocol.bus.commands import AgentLeaves, Asked, CompanySends, LogOut
from protocol.bus.records import Outcome
from protocol.ids import CellName, SessionId
from store.redis.connection import Away, Refused
from store.redis.keys import Keys

TELL_AFTER_S = 1.0  # SPEC 5.2: accepted
AGAIN_AFTER_S = 3.0
SWEEP_S = 0.25


class Asker(Protocol):
    """Who waits for an outcome."""

    def outcome(self, outcome: Outcome, command: Asked) -> None: ...

    def accepted(self, command: Asked) -> None: ...


class _Waiting:
    __slots__ = ("asker", "entry", "since_s", "told")

    def __init__(self, entry: Entry, asker: Asker | None) -> None:
        self.entry, self.asker, self.since_s, self.told = entry, asker, entry.put_s, False


class Pending:
    """What is under way, by session and frame id."""

    def __init__(self, cells: Cells, packs: Packs, epoch_of: Callable[[CellName], int]) -> None:
        self._cells, self._packs, self._epoch_of = cells, packs, epoch_of
        self._waiting: dict[SessionId, dict[str, list[_Waiting]]] = {}
        self.put_again = 0  # ever: none while nothing fails
        self.idle = asyncio.Event()  # nothing is awaited
        self.idle.set()

    def __len__(self) -> int:
        return sum(1 for _ in self._all())

    def ask(self, cell: CellName, command: Asked, asker: Asker | None) -> None:
        """Put `command` into its cell and wait for its outcome; `asker` None: nobody is told."""
        entry = Entry(cell, command, self._epoch_of(cell), asyncio.get_running_loop().time())
        origin = command.origin
        self.idle.clear()
        self._waiting.setdefault(origin.session, {}).setdefault(origin.id, []).append(_Waiting(entry, asker))
        self._packs.put(entry)

    async def answer(self, cell: CellName, command: Asked, timeout_s: float) -> Outcome:
        """Put `command` into its cell and return its outcome; Away if there is none in time."""
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.ask(cell, command, _Once(told))
        try:
            async with asyncio.timeout(timeout_s):
                return await told
        except TimeoutError:
            raise Away(f"no outcome within {timeout_s:g} s") from None
        finally:
            self._drop(command.origin.session, command.origin.id)

    def resolve(self, outcomes: list[Outcome]) -> None:
        """Take outcomes as they are published."""
        for outcome in outcomes:
            session = SessionId(outcome.session)
            waiting = self._waiting.get(session, {}).get(outcome.id)
            if waiting is None:
                continue  # told before, or its session is gone
            # A numbering refusal is about one n; any other outcome is about the id, whatever its n.
            mine = [each for each in waiting if not outcome.expected or each.entry.command.origin.n == outcome.n]
            self._keep(session, outcome.id, [each for each in waiting if each not in mine])
            if mine and (asker := mine[0].asker) is not None:
                asker.outcome(outcome, mine[0].entry.command)

    def forget(self, session: SessionId) -> None:
        """The session is gone: what it still has to say must be said, what it asked is asked again by its client."""
        for frame_id, waiting in list(self._waiting.get(session, {}).items()):
            kept = [each for each in waiting if isinstance(each.entry.command, AgentLeaves | LogOut)]
            self._packs.forget([each.entry for each in waiting if each not in kept])
            self._keep(session, frame_id, kept)
            for each in kept:
                each.asker = None

    def clear(self) -> None:
        """Forget everything: the incarnation that asked is over."""
        self._packs.forget([each.entry for each in self._all()])
        for each in list(self._all()):
            if isinstance(each.asker, _Once):
                each.asker.fail()
        self._waiting.clear()
        self.idle.set()

    def look_again(self, cell: CellName) -> None:
        """Outcomes of `cell` may have been missed: judge at the next sweep what was put before now."""
        for each in self._all():
            if each.entry.cell == cell:
                each.entry.put_s -= AGAIN_AFTER_S

    async def run(self) -> None:
        """Tell who waits long, and put in again what may be lost, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            late = self._tell_and_collect()
            await asyncio.gather(*(self._judge(cell, entries) for cell, entries in late.items()))

    def _tell_and_collect(self) -> dict[CellName, list[Entry]]:
        now_s = asyncio.get_running_loop().time()
        late: dict[CellName, list[Entry]] = {}
        for waiting in list(self._all()):
            entry = waiting.entry
            if not waiting.told and entry.fate is Fate.STORED and now_s - waiting.since_s >= TELL_AFTER_S:
                waiting.told = True
                if waiting.asker is not None:
                    waiting.asker.accepted(entry.command)
            is_late = now_s - entry.put_s >= AGAIN_AFTER_S and entry.fate in (Fate.STORED, Fate.UNKNOWN)
            if is_late and not isinstance(entry.command, CompanySends):  # no ledger counts it
                late.setdefault(entry.cell, []).append(entry)
        return late

    async def _judge(self, cell: CellName, entries: list[Entry]) -> None:
        """Put in again those of `entries` that no longer wait in the stream."""
        try:
            lost, epoch = await self._lost(cell, entries)
        except (Away, Refused):
            return
        now_s = asyncio.get_running_loop().time()
        for entry in entries:
            entry.put_s = now_s
        awaited = {id(each.entry) for each in self._all()}
        for entry in lost:
            if id(entry) in awaited:
                entry.epoch = epoch
                self.put_again += 1
                self._packs.put(entry)

    async def _lost(self, cell: CellName, entries: list[Entry]) -> tuple[list[Entry], int]:
        keys, line = Keys(cell), self._cells.line(cell)
        found = await line.call("HMGET", keys.cell, "epoch", "cursor")
        epoch, cursor = int(found[0] or 0), (found[1] or b"0-0:0").decode()
        # A Redis that came back with an older file may have lost the entry itself.
        places = sorted({entry.at for entry in entries if entry.fate is Fate.STORED})
        there = {at for at in places if await line.call("XRANGE", keys.inbox, at, at)}
        lost = [
            entry
            for entry in entries
            if entry.at not in there or entry.epoch != epoch or is_past(cursor, entry.at, entry.index)
        ]
        return lost, epoch

    def _all(self) -> Iterator[_Waiting]:
        return (each for ids in self._waiting.values() for waiting in ids.values() for each in waiting)

    def _drop(self, session: SessionId, frame_id: str) -> None:
        waiting = self._waiting.get(session, {}).get(frame_id, [])
        self._packs.forget([each.entry for each in waiting])
        self._keep(session, frame_id, [])

    def _keep(self, session: SessionId, frame_id: str, waiting: list[_Waiting]) -> None:
        ids = self._waiting.get(session)
        if ids is None:
            return
        if waiting:
            ids[frame_id] = waiting
            return
        ids.pop(frame_id, None)
        if not ids:
            del self._waiting[session]
        if not self._waiting:
            self.idle.set()


class _Once:
    """An asker that is one future."""

    def __init__(self, told: "asyncio.Future[Outcome]") -> None:
        self._told = told

    def outcome(self, outcome: Outcome, _command: Asked) -> None:
        if not self._told.done():
            self._told.set_result(outcome)

    def accepted(self, command: Asked) -> None:
        """Nobody needs to know."""

    def fail(self) -> None:
        if not self._told.done():
            self._told.set_exception(Away("the gateway lost its lease"))
