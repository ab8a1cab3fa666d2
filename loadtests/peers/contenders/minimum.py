"""The hand-written minimum as a contender: two gateways and an engine of `loadtests.peers.minimum`.

Invariant: a message is byte for byte one that Samtale would take; only what becomes of it differs.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from loadtests.lean.frames import TEXT_CHARS, Form
from loadtests.lean.line import Line, connect
from loadtests.peers.contenders.children import Children, children
from loadtests.peers.contenders.standing import Standing
from loadtests.peers.talk import Pair

READY_S = 30.0
AT, UP_TO = -TEXT_CHARS, 8 - TEXT_CHARS  # where the number stands in a message: its text ends it


class Heard(msgspec.Struct, frozen=True):
    """What a visitor is told."""

    t: str
    n: int = 0


_decode = msgspec.msgpack.Decoder(Heard).decode


class MinimumPair(Pair):
    """A pair that names its conversation at both ends, then talks."""

    def __init__(self, conversation: str) -> None:
        super().__init__()
        self._conversation = conversation
        self._form = Form(conversation)
        self._lines: list[Line] = []
        self._entered: asyncio.Event = asyncio.Event()
        self._leaving = False
        self.say = self._say

    async def enter(self, first: str, second: str) -> None:
        """Connect the agent, then the visitor."""
        await self._connect(second, "/v1/agent", self._delivered)
        await self._connect(first, "/v1/mobile", self._told)

    def leave(self) -> None:
        """Hang up at both ends."""
        self._leaving = True
        for line in self._lines:
            line.end()

    async def _connect(self, url: str, path: str, on_message: Callable[[bytes], None]) -> None:
        self._entered.clear()
        line = await connect(url, path, on_message, self._ended)
        self._lines.append(line)
        line.send(self._conversation.encode())
        async with asyncio.timeout(READY_S):
            await self._entered.wait()

    def _say(self, number: int) -> None:
        self._lines[1].send(self._form.filled(number))

    def _told(self, message: bytes) -> None:
        if self._entered.is_set():
            self.acked(_decode(message).n)
        else:
            self._entered.set()

    def _delivered(self, message: bytes) -> None:
        if self._entered.is_set():
            self.read(int(message[AT:UP_TO]))
        else:
            self._entered.set()

    def _ended(self, why: str) -> None:
        if not self._leaving:
            self.troubles.append(why)


async def _gateway(found: Children, name: str) -> str:
    port = await found.start(name, [*_PROGRAM, "gateway", found.valkey.url, name])
    return f"http://127.0.0.1:{port}"


_PROGRAM = [sys.executable, "-m", "loadtests.peers.minimum"]


@asynccontextmanager
async def minimum(count: int) -> AsyncIterator[Standing]:
    """Start two gateways, an engine and `count` pairs."""
    async with children() as found:
        await found.start("engine", [*_PROGRAM, "engine", found.valkey.url])
        first, second = [await _gateway(found, name) for name in ("gateway-1", "gateway-2")]
        pairs = [MinimumPair(f"c00_{number:022d}") for number in range(count)]
        try:
            for pair in pairs:
                await pair.enter(first, second)
            yield Standing(list(pairs), found.used)
        finally:
            for pair in pairs:
                pair.leave()
