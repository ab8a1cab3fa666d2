"""What a commit tells those who listen, in the order in which they should hear it: events, feeds, outcomes, places.

Invariant: only hints (protocol/bus/topics.py): whoever misses one finds the same in the logs. Each audience's bytes are
encoded once; gateways forward them.
"""

from collections.abc import Iterable, Iterator

import msgspec

from engine.runtime.batch import Batch
from protocol.bus import topics
from protocol.bus.effects import TellPlace
from protocol.bus.records import LogRow
from protocol.bus.topics import Ephemeral, Hint
from protocol.ids import CellName, ConversationId, DeviceId, event_id
from protocol.wire.server import FeedChange, Place
from store.redis.scripts import Write

_PACK = msgspec.msgpack.Encoder()


def publications(cell: CellName, batch: Batch, log: Iterable[LogRow], feeds: dict[str, list[bytes]]) -> Iterator[Write]:
    """Yield one SPUBLISH per channel that has something to hear. `feeds`: frames per feed."""
    yield from _events(cell, batch, log)
    for name, frames in feeds.items():
        yield "SPUBLISH", topics.feed(cell, name), _PACK.encode(frames)
    for gateway, outcomes in batch.replies.items():
        yield "SPUBLISH", topics.replies(cell, gateway), _PACK.encode(outcomes)
    for place in batch.places.values():
        yield "SPUBLISH", topics.ephemeral(cell, place.conversation), _place(place)


def feed_frame(feed: str, seq: int, event: str, change: tuple[str, str, dict[str, object] | None]) -> bytes:
    """Return the FeedChange that readers of `feed` get; `change` is what, key and row."""
    what, key, row = change
    return _PACK.encode(FeedChange(feed, seq, event, what, key, row))


def _events(cell: CellName, batch: Batch, log: Iterable[LogRow]) -> Iterator[Write]:
    heard: dict[ConversationId, tuple[list[Hint], list[Hint]]] = {}
    for row in log:
        visitors, staff = heard.setdefault(row.conversation, ([], []))
        event = event_id(batch.epoch, batch.commit_no, row.index)
        staff.append(Hint(row.seq, event, row.frame))
        visitors.append(staff[-1] if row.visitor_frame is None else Hint(row.seq, event, row.visitor_frame))
    for conversation, (visitors, staff) in heard.items():
        yield "SPUBLISH", topics.visitors(cell, conversation), _PACK.encode(visitors)
        yield "SPUBLISH", topics.staff(cell, conversation), _PACK.encode(staff)


def _place(place: TellPlace) -> bytes:
    frame = _PACK.encode(Place(place.conversation, place.place, place.exact, place.wait_s))
    return _PACK.encode(Ephemeral("visitor", DeviceId(""), frame))
