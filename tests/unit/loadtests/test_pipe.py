"""What a network that goes bad does to what is on its way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import samtale
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from loadtests.load.personas.pipe import DOWN, UP, Pipe


@dataclass
class Far:
    """A server that notes what it hears and says what it is told to."""

    url: str = ""
    heard: "asyncio.Queue[str | bytes]" = field(default_factory=asyncio.Queue)
    lines: "asyncio.Queue[ServerConnection]" = field(default_factory=asyncio.Queue)

    async def serve(self, line: ServerConnection) -> None:
        self.lines.put_nowait(line)
        try:
            async for message in line:
                self.heard.put_nowait(message)
        except ConnectionClosed:
            pass


@asynccontextmanager
async def ends() -> AsyncIterator[tuple[Far, Pipe]]:
    far = Far()
    async with (
        serve(far.serve, "127.0.0.1", 0, subprotocols=[samtale.MSGPACK], close_timeout=0.1) as server,
        Pipe() as pipe,
    ):
        far.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield far, pipe


async def test_what_is_held_comes_late_whole_and_in_order() -> None:
    """The other direction goes on meanwhile."""
    async with ends() as (far, pipe):
        near = await pipe.connect(far.url)
        line = await far.lines.get()
        pipe.hold(UP)
        for word in ("one", "two"):
            await near.send(word)
        await line.send("still here")
        assert await near.receive() == "still here"
        assert far.heard.empty()
        pipe.release()
        assert [await far.heard.get(), await far.heard.get()] == ["one", "two"]
        await near.close()


async def test_a_line_that_is_cut_takes_what_was_held_with_it() -> None:
    """The next line is a new one."""
    async with ends() as (far, pipe):
        near = await pipe.connect(far.url)
        pipe.hold(UP)
        await near.send("lost")
        pipe.cut()
        with pytest.raises(samtale.LineLost):
            await near.receive()
        again = await pipe.connect(far.url)
        await again.send("after")
        assert await far.heard.get() == "after"
        await again.close()


async def test_what_is_held_on_the_way_down_waits_as_well() -> None:
    """The server may say what it likes: the phone hears it when its network does."""
    async with ends() as (far, pipe):
        near = await pipe.connect(far.url)
        line = await far.lines.get()
        pipe.hold(DOWN)
        await line.send("hello")
        await near.send("question")
        assert await far.heard.get() == "question"
        hearing = asyncio.create_task(near.receive())
        pipe.release()
        assert await hearing == "hello"
        await near.close()


async def test_of_a_stranded_line_the_server_is_told_nothing() -> None:
    """The phone's end is gone; the server's takes whatever is said, until the server itself ends it."""
    async with ends() as (far, pipe):
        near = await pipe.connect(far.url)
        line = await far.lines.get()
        pipe.strand()
        with pytest.raises(samtale.LineLost):
            await near.receive()
        again = await pipe.connect(far.url)
        await again.send("from another network")
        assert await far.heard.get() == "from another network"
        await line.send("anybody there?")
        assert pipe.ended == 0
        await line.close()
        assert line.close_code == 1006  # nobody answered
        await again.close()


async def test_without_a_network_nothing_connects() -> None:
    """As in an aeroplane."""
    async with ends() as (far, pipe):
        pipe.is_off = True
        with pytest.raises(samtale.LineLost):
            await pipe.connect(far.url)
