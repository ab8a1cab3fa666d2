"""The channels this gateway hears: each once, however many sessions listen.

Invariant: after `follow` returned, every message of the channel reaches the sink until `unfollow`, except while the
subscription is lost; then `on_restored` says that positions must be checked.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from gateway.cells import Cells
from protocol.bus.records import Outcome
from protocol.bus.topics import Ephemeral, Hints
from protocol.ids import CellName
from store.failpoints import hit
from store.redis.connection import Dial
from store.redis.subscriber import Subscriber

Sink = Callable[[Any], None]
Wanted = tuple[str, Sink, "msgspec.msgpack.Decoder[Any] | None"]  # channel, who hears it, how it reads
HINTS = msgspec.msgpack.Decoder(Hints)
OUTCOMES = msgspec.msgpack.Decoder(list[Outcome])
EPHEMERAL = msgspec.msgpack.Decoder(Ephemeral)
FEED_CHANGES = msgspec.msgpack.Decoder(list[bytes])


class _Channel:
    __slots__ = ("decoder", "sinks")

    def __init__(self, decoder: "msgspec.msgpack.Decoder[Any] | None") -> None:
        self.decoder = decoder
        self.sinks: list[Sink] = []


class Subscriptions:
    """All channels by cell and name."""

    def __init__(self, dial: Dial, cells: Cells, on_restored: Callable[[CellName], None]) -> None:
        self._channels: dict[str, _Channel] = {}
        self._subscribers = {
            cell: Subscriber(dial, cell, self._heard, partial(on_restored, cell)) for cell in cells.names
        }

    def all_connected(self) -> bool:
        return all(subscriber.connected for subscriber in self._subscribers.values())

    async def run(self) -> None:
        """Keep every subscription until cancelled."""
        async with asyncio.TaskGroup() as group:
            for subscriber in self._subscribers.values():
                group.create_task(subscriber.run())

    async def follow(
        self, cell: CellName, name: str, sink: Sink, decoder: "msgspec.msgpack.Decoder[Any] | None" = None
    ) -> None:
        """Hear a channel, decoded once for all who listen; Away (and not heard) if that cannot be confirmed."""
        await self.follow_all(cell, [(name, sink, decoder)])

    async def follow_all(self, cell: CellName, wanted: Sequence[Wanted]) -> None:
        """Hear several channels, asked for at once; Away (and none heard) if one cannot be confirmed."""
        for name, sink, decoder in wanted:
            channel = self._channels.get(name)
            if channel is None:
                channel = self._channels[name] = _Channel(decoder)
            channel.sinks.append(sink)
        try:
            await self._subscribers[cell].subscribe(*[name for name, _, _ in wanted])
        except BaseException:
            for name, sink, _ in wanted:
                self.unfollow(cell, name, sink)
            raise
        hit("gateway.after_subscribe")

    def unfollow(self, cell: CellName, name: str, sink: Sink) -> None:
        """Hear a channel no more on behalf of `sink`."""
        channel = self._channels.get(name)
        if channel is None or sink not in channel.sinks:
            return
        channel.sinks.remove(sink)
        if not channel.sinks:
            del self._channels[name]
            self._subscribers[cell].unsubscribe(name)

    def _heard(self, name: str, payload: bytes) -> None:
        channel = self._channels.get(name)
        if channel is None:
            return
        message = payload if channel.decoder is None else channel.decoder.decode(payload)
        for sink in list(channel.sinks):
            sink(message)
