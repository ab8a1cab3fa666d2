"""Clients that do what none should: they must come to no harm, and nobody else may notice.

Invariant: each speaks the protocol to the letter, but for the one thing it stands for.
"""

import random
from itertools import chain, repeat

import samtale
from samtale.line import decode

from loadtests.load.personas.network import with_faults
from loadtests.load.personas.pipe import DOWN, Pipe
from loadtests.load.personas.visitor import Visitor, app_of
from loadtests.load.stage import Stage

_WINDOW_BYTES = 4_096  # of the phone's kernel
_LONG_ONES, _LONG_CHARS = 4, 8_000  # 64 KB in UTF-8: as much as fits into a page
_PAGES = 100  # more than a kernel keeps for one socket
_NEWEST, _EVERYTHING = 2**53, 100
_KNOCKS_S = 0.2
_QUICK = 20  # pings in one go: their answers fill the gateway's queue
_QUICK_ROUNDS = 22  # after which there are fewer: more would be a flood
_LATE = 0.5  # share of frames whose second copy comes later, often after the outcome of the first


async def duplicate_sender(stage: Stage) -> None:
    """Put each frame on the line twice."""
    chance = random.Random(stage.chance.random())

    async def connect(url: str) -> samtale.Line:
        return _Twice(await samtale.network()(url), chance)

    async with app_of(stage, connect) as visitor:
        while await visitor.has_more_to_say():
            visitor.say()


async def never_reading(stage: Stage) -> None:
    """From a moment on read nothing and go on asking; the server has to end the line."""
    await with_faults(stage, _ask_and_never_read, _WINDOW_BYTES)


class _Twice:
    """A line on which everything but the hello goes out twice: right behind itself, or behind what comes next."""

    def __init__(self, line: samtale.Line, chance: random.Random) -> None:
        self._line, self._chance = line, chance
        self._kept: list[bytes | str] = []

    async def send(self, raw: bytes | str) -> None:
        await self._line.send(raw)
        kept, self._kept = self._kept, []
        if decode(raw)["t"] != "hello":
            (self._kept if self._chance.random() < _LATE else kept).append(raw)
        for again in kept:
            await self._line.send(again)

    async def receive(self) -> bytes | str:
        return await self._line.receive()

    async def close(self, code: int = 1000) -> None:
        await self._line.close(code)


async def _ask_and_never_read(visitor: Visitor, pipe: Pipe) -> None:
    client, stage, before = visitor.client, visitor.stage, visitor.arrivals
    for _ in range(_LONG_ONES):
        client.send(stage.words().ljust(_LONG_CHARS, "·"))
    await stage.settled(client)
    stage.befalls("reads no more")
    ended = pipe.ended
    pipe.hold(DOWN)
    page = {"t": "history", "conversation": client.conversation, "before": _NEWEST, "limit": _EVERYTHING}
    for number in range(_PAGES):
        client.outlet.put({**page, "ref": f"page{number}"})
    knocks = chain(repeat(_QUICK, _QUICK_ROUNDS), repeat(1))
    while pipe.ended == ended and await stage.rest(_KNOCKS_S):
        for _ in range(next(knocks)):  # whoever does not read hears of the end when they write
            client.outlet.put({"t": "ping", "ref": "knock"})
    if pipe.ended > ended:
        stage.befalls("cut off for that")
    pipe.release()
    await visitor.until(lambda: visitor.arrivals > before)
