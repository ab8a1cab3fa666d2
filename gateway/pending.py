"""Every command of this gateway whose outcome is awaited.

Invariant: a command stays until its outcome came or its session is gone. One that may never have reached the engine,
or whose outcome may have been lost, is put in again as it was; its ledger makes that safe (SPEC 5.1), and what has none
is not put in again. One that surely waits in the stream is left there.
"""

import asyncio
from collections.abc import Iterator

from gateway.cells import Cells
from gateway.core.flow import is_past
from gateway.packs import Ask, Asker, Fate, Packs
from protocol.bus.commands import AgentLeaves, Asked, CompanySends, LogOut
from protocol.bus.records import Outcome
from protocol.ids import CellName, SessionId
from store.redis.connection import Away, Refused
from store.redis.keys import Keys

TELL_AFTER_S = 1.0  # SPEC 5.2: accepted
AGAIN_AFTER_S = 3.0
SWEEP_S = 0.25


class Pending:
    """What is under way, by session and frame id."""

    def __init__(self, cells: Cells, packs: Packs) -> None:
        self._cells, self._packs = cells, packs
        self._waiting: dict[str, dict[str, list[Ask]]] = {}
        self.put_again = 0  # ever: none while nothing fails
        self.idle = asyncio.Event()  # nothing is awaited
        self.idle.set()

    def __len__(self) -> int:
        return sum(1 for _ in self._all())

    def ask(self, cell: CellName, command: Asked, asker: Asker | None) -> None:
        """Put `command` into its cell and wait for its outcome; `asker` None: nobody is told."""
        ask, origin = Ask(command, asker), command.origin
        ids = self._waiting.get(origin.session)
        if ids is None:
            self.idle.clear()
            ids = self._waiting[origin.session] = {}
        asks = ids.get(origin.id)
        if asks is None:
            ids[origin.id] = [ask]
        else:
            asks.append(ask)
        self._packs.put(cell, ask)

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
            ids = self._waiting.get(outcome.session)
            asks = ids.get(outcome.id) if ids is not None else None
            if ids is None or asks is None:
                continue  # told before, or its session is gone
            if outcome.expected:  # a numbering refusal, which is about one n; others are about the id, whatever its n
                self._keep(outcome.session, outcome.id, [each for each in asks if each.n != outcome.n])
                asks = [each for each in asks if each.n == outcome.n]
            else:
                del ids[outcome.id]
                if not ids:
                    self._over(outcome.session)
            if asks and (asker := asks[0].asker) is not None:
                asker.outcome(outcome, asks[0].command)

    def forget(self, session: SessionId) -> None:
        """The session is gone: what it still has to say must be said, what it asked is asked again by its client."""
        for frame_id, asks in list(self._waiting.get(session, {}).items()):
            kept = [each for each in asks if isinstance(each.command, AgentLeaves | LogOut)]
            self._packs.forget([each for each in asks if each not in kept])
            self._keep(session, frame_id, kept)
            for each in kept:
                each.asker = None

    def clear(self) -> None:
        """Forget everything: the incarnation that asked is over."""
        self._packs.forget(list(self._all()))
        for each in list(self._all()):
            if isinstance(each.asker, _Once):
                each.asker.fail()
        self._waiting.clear()
        self.idle.set()

    def look_again(self, cell: CellName) -> None:
        """Outcomes of `cell` may have been missed: judge at the next sweep what was put before now."""
        for pack in {each.pack for each in self._all()}:
            if pack.cell == cell:
                pack.put_s -= AGAIN_AFTER_S

    async def run(self) -> None:
        """Tell who waits long, and put in again what may be lost, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            late = self._tell_and_collect()
            await asyncio.gather(*(self._judge(cell, asks) for cell, asks in late.items()))

    def _tell_and_collect(self) -> dict[CellName, list[Ask]]:
        now_s = asyncio.get_running_loop().time()
        late: dict[CellName, list[Ask]] = {}
        for ask in list(self._all()):
            pack = ask.pack
            if not ask.told and pack.fate is Fate.STORED and now_s - pack.opened_s >= TELL_AFTER_S:
                ask.told = True
                if ask.asker is not None:
                    ask.asker.accepted(ask.command)
            is_late = now_s - pack.put_s >= AGAIN_AFTER_S and pack.fate in (Fate.STORED, Fate.UNKNOWN)
            if is_late and not isinstance(ask.command, CompanySends):  # no ledger counts it
                late.setdefault(pack.cell, []).append(ask)
        return late

    async def _judge(self, cell: CellName, asks: list[Ask]) -> None:
        """Put in again those of `asks` that no longer wait in the stream."""
        try:
            lost = await self._lost(cell, asks)
        except (Away, Refused):
            return
        now_s = asyncio.get_running_loop().time()
        for ask in asks:
            ask.pack.put_s = now_s
        awaited = {id(each) for each in self._all()}
        for ask in lost:
            if id(ask) in awaited:
                self.put_again += 1
                self._packs.put(cell, ask)

    async def _lost(self, cell: CellName, asks: list[Ask]) -> list[Ask]:
        keys, line = Keys(cell), self._cells.line(cell)
        found = await line.call("HMGET", keys.cell, "epoch", "cursor")
        epoch, cursor = int(found[0] or 0), (found[1] or b"0-0:0").decode()
        # A Redis that came back with an older file may have lost the entry itself.
        places = sorted({ask.pack.at for ask in asks if ask.pack.fate is Fate.STORED})
        there = {at for at in places if await line.call("XRANGE", keys.inbox, at, at)}
        return [
            ask
            for ask in asks
            if (pack := ask.pack).at not in there or pack.epoch != epoch or is_past(cursor, pack.at, ask.index)
        ]

    def _all(self) -> Iterator[Ask]:
        return (each for ids in self._waiting.values() for asks in ids.values() for each in asks)

    def _drop(self, session: str, frame_id: str) -> None:
        self._packs.forget(self._waiting.get(session, {}).get(frame_id, []))
        self._keep(session, frame_id, [])

    def _keep(self, session: str, frame_id: str, asks: list[Ask]) -> None:
        ids = self._waiting.get(session)
        if ids is None:
            return
        if asks:
            ids[frame_id] = asks
            return
        ids.pop(frame_id, None)
        if not ids:
            self._over(session)

    def _over(self, session: str) -> None:
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
