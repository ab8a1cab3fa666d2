"""What a commit tells those who listen, in the order in which they should hear it: events, feeds, outcomes, places.

Invariant: only hints (protocol/bus/topics.py): whoever misses one finds the same in the logs. Each audience's bytes are
encoded once; gateways forward them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from engine.runtime.batch import Batch
from protocol.bus import topics
from protocol.bus.effects import TellPlace
from protocol.bus.topics import Ephemeral, Hint, Hints
from protocol.ids import CellName, ConversationId, DeviceId
from protocol.wire.server import FeedChange, Place
from store.redis.scripts import Write, text

_PACK = msgspec.msgpack.Encoder()


class Events:
    """The events of one conversation in a commit, for all who read it. `key`: its log's."""

    __slots__ = ("hints", "key", "shown")

    def __init__(self, key: str) -> None:
        self.key = key
        self.hints: list[Hint] = []
        self.shown: list[Hint] | None = None  # what visitors see, once it differs

    def add(self, hint: Hint, visitor_frame: bytes | None) -> None:
        """Tell an event; `visitor_frame` None: visitors see the same."""
        if visitor_frame is not None and self.shown is None:
            self.shown = list(self.hints)
        self.hints.append(hint)
        if self.shown is not None:
            self.shown.append(hint if visitor_frame is None else Hint(hint.seq, hint.id, visitor_frame))

    @property
    def payload(self) -> bytes:
        return _PACK.encode(Hints(self.hints, self.shown))


@dataclass(slots=True)
class Told:
    """What listeners hear of beside the batch itself. `outcomes`: those that are remembered, encoded, by identity."""

    events: dict[ConversationId, Events] = field(default_factory=dict)
    feeds: dict[str, list[bytes]] = field(default_factory=dict)  # frames by feed
    outcomes: dict[int, msgspec.Raw] = field(default_factory=dict)


def publications(cell: CellName, batch: Batch, told: Told) -> Iterator[Write]:
    """Yield one SPUBLISH per channel that has something to hear."""
    for conversation, events in told.events.items():
        yield "SPUBLISH", topics.events(cell, conversation), text(events.payload)
    for name, frames in told.feeds.items():
        yield "SPUBLISH", topics.feed(cell, name), text(_PACK.encode(frames))
    for gateway, outcomes in batch.replies.items():
        encoded = [told.outcomes.get(id(outcome)) or outcome for outcome in outcomes]
        yield "SPUBLISH", topics.replies(cell, gateway), text(_PACK.encode(encoded))
    for place in batch.places.values():
        yield "SPUBLISH", topics.ephemeral(cell, place.conversation), text(_place(place))


def feed_frame(feed: str, seq: int, event: str, change: tuple[str, str, dict[str, object] | None]) -> bytes:
    """Return the FeedChange that readers of `feed` get; `change` is what, key and row."""
    what, key, row = change
    return _PACK.encode(FeedChange(feed, seq, event, what, key, row))


def _place(place: TellPlace) -> bytes:
    frame = _PACK.encode(Place(place.conversation, place.place, place.exact, place.wait_s))
    return _PACK.encode(Ephemeral("visitor", DeviceId(""), frame))
