"""The subscriber against real servers: what is wanted stays subscribed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from protocol.bus import topics
from protocol.ids import CellName, ConversationId
from store.redis import scripts
from store.redis.cluster import Dialler
from store.redis.connection import Away, Connection
from store.redis.scripts import text
from store.redis.server import EmbeddedValkey
from store.redis.subscriber import Subscriber
from tests.kit.cells import CELL, KEYS, fence, open_cell

CHANNEL = topics.events(CELL, ConversationId("1"))


class Ears:
    """Remembers what a subscriber hears; `restored` counts."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.restored: asyncio.Queue[None] = asyncio.Queue()
        self.dials = 0

    async def heard(self) -> tuple[str, bytes]:
        async with asyncio.timeout(60):
            return await self.messages.get()

    async def is_restored(self) -> None:
        async with asyncio.timeout(60):
            await self.restored.get()


@asynccontextmanager
async def subscribed(server: EmbeddedValkey, *, faults: int = 0) -> AsyncIterator[tuple[Subscriber, Ears]]:
    """A running subscriber whose first `faults` dials fail."""
    ears, to = Ears(), Dialler(server.address)

    async def dial(cell: CellName | None) -> Connection:
        ears.dials += 1
        if ears.dials <= faults:
            raise Away("nobody there")
        return await to(cell)

    def hear(channel: str, payload: bytes) -> None:
        ears.messages.put_nowait((channel, payload))

    subscriber = Subscriber(dial, CELL, hear, lambda: ears.restored.put_nowait(None))
    running = asyncio.create_task(subscriber.run())
    try:
        await ears.is_restored()
        yield subscriber, ears
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert not subscriber.connected


async def kill_subscribers(line: Connection) -> None:
    assert await line.call("CLIENT", "KILL", "TYPE", "PUBSUB") > 0


async def test_a_commit_is_heard_by_those_subscribed(line: Connection, any_redis: EmbeddedValkey) -> None:
    """After `subscribe` returned, what a commit publishes arrives, bytes and all."""
    await open_cell(line)
    async with subscribed(any_redis) as (subscriber, ears):
        await subscriber.subscribe(CHANNEL)
        await scripts.commit(line, fence(), [], [("SPUBLISH", CHANNEL, text(b"\x00\xffhint"))])
        assert await ears.heard() == (CHANNEL, b"\x00\xffhint")


async def test_receipts_and_configurations_are_heard(line: Connection, any_redis: EmbeddedValkey) -> None:
    """The scripts that publish do so on the channels of topics.py."""
    conversation, account = ConversationId("1"), scripts.AccountId("nordvik")
    await line.call("HSET", KEYS.conversation(conversation), "q", 9)
    async with subscribed(any_redis) as (subscriber, ears):
        await subscriber.subscribe(topics.ephemeral(CELL, conversation))
        await subscriber.subscribe(topics.config(CELL))
        await scripts.receipts(line, CELL, conversation, ("staff", 3, 2), b"receipt")
        await scripts.publish_config(line, CELL, scripts.ConfigVersion(account, 1, b"bytes", b"pack"))
        assert await ears.heard() == (topics.ephemeral(CELL, conversation), b"receipt")
        assert await ears.heard() == (topics.config(CELL), b"nordvik")


async def test_a_cut_line_comes_back_with_everything(line: Connection, any_redis: EmbeddedValkey) -> None:
    """After a loss all channels are subscribed again, thousands too, and only then is it said."""
    async with subscribed(any_redis) as (subscriber, ears):
        channels = [topics.events(CELL, ConversationId(f"{n}")) for n in range(2_500)]
        await asyncio.gather(*(subscriber.subscribe(channel, timeout_s=60) for channel in channels))
        await kill_subscribers(line)
        await ears.is_restored()
        assert subscriber.connected
        for channel in (channels[0], channels[-1]):
            await line.call("SPUBLISH", channel, "hint")
            assert await ears.heard() == (channel, b"hint")


async def test_a_left_channel_is_not_heard_nor_restored(line: Connection, any_redis: EmbeddedValkey) -> None:
    """What was unsubscribed stays so, over a loss of the line too."""
    other = topics.ephemeral(CELL, ConversationId("1"))
    async with subscribed(any_redis) as (subscriber, ears):
        await subscriber.subscribe(CHANNEL)
        await subscriber.subscribe(other)
        subscriber.unsubscribe(CHANNEL)
        await kill_subscribers(line)
        await ears.is_restored()
        assert await line.call("SPUBLISH", CHANNEL, "left") == 0
        await line.call("SPUBLISH", other, "kept")
        assert await ears.heard() == (other, b"kept")


async def test_leaving_and_coming_back_at_once_is_subscribed(line: Connection, any_redis: EmbeddedValkey) -> None:
    """However fast a channel is left and wanted again, `subscribe` returns when it is truly heard."""
    async with subscribed(any_redis) as (subscriber, ears):
        for n in range(50):
            waiting = asyncio.create_task(subscriber.subscribe(CHANNEL))
            await asyncio.sleep(0)
            subscriber.unsubscribe(CHANNEL)
            waiting.cancel()
            await subscriber.subscribe(CHANNEL)
            assert await line.call("SPUBLISH", CHANNEL, f"{n}") == 1
            assert await ears.heard() == (CHANNEL, f"{n}".encode())
            subscriber.unsubscribe(CHANNEL)


async def test_a_subscription_asked_for_while_away_is_made(valkey: EmbeddedValkey) -> None:
    """A channel wanted before the line stands is confirmed once it does."""
    async with subscribed(valkey, faults=2) as (subscriber, ears):
        await subscriber.subscribe(CHANNEL)
        assert ears.dials == 3


async def test_a_subscription_that_never_comes_is_away() -> None:
    """Without a line `subscribe` ends at its deadline, and the channel is wanted no more."""

    async def nowhere(_cell: CellName | None) -> Connection:
        raise Away("nobody there")

    subscriber = Subscriber(nowhere, CELL, lambda _channel, _payload: None, lambda: None)
    running = asyncio.create_task(subscriber.run())
    for _ in range(2):
        with pytest.raises(Away, match="no subscription"):
            await subscriber.subscribe(CHANNEL, timeout_s=0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_silent_line_is_given_up(
    line: Connection, any_redis: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that answers no ping for a while is taken for lost, and dialled again when it can answer."""
    monkeypatch.setattr("store.redis.subscriber.PING_EVERY_S", 0.3)
    async with subscribed(any_redis) as (subscriber, ears):
        await subscriber.subscribe(CHANNEL)
        await line.call("CLIENT", "PAUSE", 1_500, "ALL")
        await ears.is_restored()
        while not await line.call("SPUBLISH", CHANNEL, "hint"):
            pass  # a busy machine may have been silent once more
        assert await ears.heard() == (CHANNEL, b"hint")
        assert ears.dials > 1
