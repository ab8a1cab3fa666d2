"""The feeds of one agent's session: small tables kept current by their changes (SPEC 8.3).

Invariant: snapshot + changes = the present rows: changes of one feed are delivered contiguous in seq, or a snapshot
comes instead.
"""

import msgspec
from msgspec import Struct

from gateway.core.actions import Action, Forward, ReadFeed, Say
from protocol.ids import epoch_of
from protocol.wire.server import ServerFrame

MAX_WAITING = 1_000
_FIXMAP, _FIXMAP_FULL = 0x80, 0x8F  # the first byte of a msgpack map of up to 15 entries
_encode = msgspec.msgpack.Encoder().encode
_KEY = _encode("key")


class StoredSnapshot(ServerFrame, frozen=True, tag="feed_snapshot"):
    """protocol.wire.server.FeedSnapshot with its rows as stored."""

    feed: str
    seq: int
    id: str
    rows: list[msgspec.Raw]


class _Change(Struct, frozen=True):
    """As much of a FeedChange frame as says where it belongs."""

    seq: int
    id: str


class FeedRead(Struct, frozen=True):
    """What a feed had: `changes` after the asked position, or (None) its `rows`, at `seq`/`id`."""

    seq: int
    id: str
    changes: list[bytes] | None
    rows: dict[str, bytes] = {}


class _Feed:
    def __init__(self, seq: int, event: str) -> None:
        self.seq, self.id = seq, event
        self.reading = True
        self.waiting: list[bytes] = []


_CHANGE = msgspec.msgpack.Decoder(_Change)


class Feeds:
    """All feeds of one session."""

    def __init__(self) -> None:
        self._feeds: dict[str, _Feed] = {}

    @property
    def names(self) -> list[str]:
        return list(self._feeds)

    def open(self, feed: str, seq: int = 0, event: str = "") -> list[Action]:
        """Begin to send a feed, from the position that the client has."""
        self._feeds[feed] = _Feed(seq, event)
        return [ReadFeed(feed, seq, event)]

    def shut(self, feed: str) -> None:
        """Send it no more."""
        self._feeds.pop(feed, None)

    def changed(self, feed: str, frames: list[bytes]) -> list[Action]:
        """Take changes as they are published."""
        mine = self._feeds.get(feed)
        if mine is None:
            return []
        if mine.reading:
            mine.waiting = [*mine.waiting, *frames][-MAX_WAITING:]  # what falls out is a gap, and read again
            return []
        return self._deliver(feed, mine, frames)

    def read(self, feed: str, found: FeedRead) -> list[Action]:
        """Take what a ReadFeed asked for."""
        mine = self._feeds.get(feed)
        if mine is None or not mine.reading:
            return []
        actions: list[Action] = []
        if found.changes is None:
            rows = [_keyed(key, row) for key, row in sorted(found.rows.items())]
            actions.append(Say(StoredSnapshot(feed, found.seq, found.id, rows)))
        else:
            actions.append(Forward(found.changes))
        mine.seq, mine.id, mine.reading = found.seq, found.id, False
        waiting, mine.waiting = mine.waiting, []
        return [*actions, *self._deliver(feed, mine, waiting)]

    def check(self) -> list[Action]:
        """Look at every feed again: hints may have been lost."""
        return [action for feed, mine in self._feeds.items() if not mine.reading for action in self._again(feed, mine)]

    def _deliver(self, feed: str, mine: _Feed, frames: list[bytes]) -> list[Action]:
        fit: list[bytes] = []
        again: list[Action] = []
        for frame in frames:
            change = _CHANGE.decode(frame)
            epoch = epoch_of(mine.id)
            if change.seq == mine.seq + 1 and epoch_of(change.id) == (epoch or epoch_of(change.id)):
                mine.seq, mine.id = change.seq, change.id
                fit.append(frame)
            elif change.seq > mine.seq or epoch_of(change.id) > epoch:
                again = self._again(feed, mine)
                break
        return [*([Forward(fit)] if fit else []), *again]

    @staticmethod
    def _again(feed: str, mine: _Feed) -> list[Action]:
        mine.reading, mine.waiting = True, []
        return [ReadFeed(feed, mine.seq, mine.id)]


def _keyed(key: str, row: bytes) -> msgspec.Raw:
    """Return a stored row, a msgpack map, with its key before the rest; a console that comes has thousands of them."""
    if _FIXMAP <= row[0] < _FIXMAP_FULL:
        return msgspec.Raw(b"%c%b%b%b" % (row[0] + 1, _KEY, _encode(key), row[1:]))
    return msgspec.Raw(_encode({"key": key, **msgspec.msgpack.decode(row)}))
