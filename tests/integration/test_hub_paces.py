"""How much of what a client asks for is in memory at once: a few pages, and no more before its line has room."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.reads import AT_ONCE
from protocol.wire.limits import SUBPROTOCOL_MSGPACK
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import CELL, bench
from tests.kit.hubs import DEVICE_KEY, PEER, Gateway, House, MemoryLine, house, says_hello
from tests.kit.workplace import ANN


class FullLine(MemoryLine):
    """A line whose peer reads nothing until it is told to; `waiting` counts those who wait for that."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = asyncio.Event()
        self.waiting = 0

    async def flushed(self) -> None:
        self.waiting += 1
        await self.reads.wait()
        self.waiting -= 1


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    async with bench(valkey, sqlite_databases) as cell, house(cell) as made:
        yield made


@pytest.fixture
async def gateway(home: House) -> AsyncIterator[Gateway]:
    async with home.gateway() as made:
        yield made


def of(line: MemoryLine, kind: str) -> int:
    return sum(frame["t"] == kind for frame in line.frames)


async def test_pages_of_history_wait_for_those_before_them(home: House, gateway: Gateway) -> None:
    """A client that asks for ten and reads none costs as much as one that asks for a few."""
    line = FullLine()
    line.driver = gateway.hub.open_mobile(line, SUBPROTOCOL_MSGPACK, PEER)
    line.put(**says_hello())
    chat = (await line.get("ready"))["conversation"]
    await line.get("caught_up")
    assert (await line.ask(t="send", n=1, id="a", conversation=chat, text="hi"))["t"] == "ack"
    for ref in range(10):
        line.put(t="history", ref=f"r{ref}", conversation=chat, before=2)
    await home.cell.until(lambda: line.waiting == AT_ONCE)
    assert of(line, "history") == AT_ONCE
    line.reads.set()
    await line.get("history", ref="r9")
    assert of(line, "history") == 10


async def test_a_feed_is_not_said_before_there_is_room_for_it(home: House, gateway: Gateway) -> None:
    """Snapshots may be as large as what is kept for who reads slowly: they come one by one."""
    line = FullLine()
    line.driver = gateway.hub.open_agent(line, SUBPROTOCOL_MSGPACK, PEER)
    line.put(t="hello", v=1, ticket=f"a-good-ticket-of-{ANN}", device_key=DEVICE_KEY)
    ready = await line.get("ready")
    await home.cell.until(lambda: line.waiting == 1)
    assert of(line, "feed_snapshot") == 0
    line.reads.set()
    for _ in ready["feeds"]:
        await line.get("feed_snapshot")


async def test_hellos_of_a_storm_take_turns(home: House, gateway: Gateway) -> None:
    """Whoever comes while as many are let in as a cell's line carries waits, and is let in after them."""
    turns = gateway.hub.services.turns[CELL]
    while not turns.locked():
        await turns.acquire()
    first, second = gateway.mobile(), gateway.mobile()
    for line in (first, second):
        line.put(**says_hello())
    await gateway.agent(ANN)  # a console does not wait: the cell was asked, and answered, meanwhile
    assert of(first, "ready") == of(second, "ready") == 0
    turns.release()
    await first.get("ready")
    await second.get("ready")
