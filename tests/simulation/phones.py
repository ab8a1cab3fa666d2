"""Lines in memory between an SDK client and a gateway's session, with latency, and cut by chance.

Invariant: each direction keeps its order; a cut line loses what is under way, on both sides, without telling either
what arrived.
"""

import asyncio
from collections import deque
from contextvars import Context
from typing import Any

import samtale

from gateway.ports import Driver, Peer
from protocol.wire.codes import CloseCode
from protocol.wire.limits import SUBPROTOCOL_MSGPACK
from tests.simulation.loop import SimulatedLoop

LATENCY_S = (0.001, 0.03)
ABNORMAL = 1006


class Line:
    """One line; the client's side is a `samtale.Line`, the gateway's a `gateway.ports.Line`."""

    def __init__(self, loop: SimulatedLoop, cut: float, outside: Context, inside: Context) -> None:
        self._loop, self._cut_chance = loop, cut
        self._outside, self._inside = outside, inside  # the gateway hears inside, frozen when it is
        self._driver: Driver | None = None
        self._received: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._code: int | None = None  # as the client learns it
        self._over = False  # the gateway sends no more
        self._free_at = {"up": 0.0, "down": 0.0}

    def attach(self, driver: Driver) -> None:
        """Give the line its session."""
        self._driver = driver

    # The client's side.

    async def send_up(self, raw: bytes | str) -> None:
        if self._code is not None:
            raise samtale.LineLost(self._code)
        self._carry("up", self._deliver_up, raw)

    async def receive(self) -> bytes | str:
        while not self._received:
            if self._code is not None:
                raise samtale.LineLost(self._code)
            self._arrived.clear()
            await self._arrived.wait()
        return self._received.popleft()

    # The gateway's side.

    def send(self, *messages: bytes) -> None:
        for message in () if self._over else messages:
            self._carry("down", self._deliver_down, message)

    async def flushed(self) -> None:
        """Memory has room for everything."""

    def close(self, code: CloseCode, reason: str = "") -> None:
        if not self._over:
            self._over = True
            self._carry("down", self._end, int(code))

    # The way between.

    def cut(self) -> None:
        """Break the line now."""
        self._end(ABNORMAL)

    def _carry(self, way: str, deliver: Any, what: Any) -> None:
        if self._loop.chance.random() < self._cut_chance:
            self._loop.call_later(self._loop.chance.uniform(*LATENCY_S), self.cut, context=self._outside)
        at = max(self._loop.time() + self._loop.chance.uniform(*LATENCY_S), self._free_at[way])
        self._free_at[way] = at + 1e-7
        self._loop.call_at(at, deliver, what, context=self._inside if way == "up" else self._outside)

    def _deliver_up(self, raw: bytes | str) -> None:
        if self._driver is not None and self._code is None:
            self._driver.receive(raw)

    def _deliver_down(self, data: bytes) -> None:
        if self._code is None:
            self._received.append(data)
            self._arrived.set()

    def _end(self, code: int) -> None:
        if self._code is None:
            self._code, self._over = code, True
            self._arrived.set()
            if self._driver is not None:
                self._loop.call_soon(self._driver.lost, context=self._inside)


class Phone:
    """What the SDK holds of a line."""

    def __init__(self, line: Line) -> None:
        self.line = line

    async def send(self, raw: bytes | str) -> None:
        await self.line.send_up(raw)

    async def receive(self) -> bytes | str:
        return await self.line.receive()

    async def close(self, code: int = 1000) -> None:
        self.line.cut()


SUBPROTOCOL = SUBPROTOCOL_MSGPACK
PEER = Peer("127.0.0.1")
