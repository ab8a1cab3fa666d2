"""What stands in a log's stead where an entry was erased: tombstones, kept beside the log (SPEC 8.13).

Invariant: a reader finds the same seqs and event ids as before, and nothing of what was said.
"""

from collections.abc import Sequence

import msgspec

from gateway.core.actions import Audience
from protocol.bus.topics import Hint
from protocol.ids import CellName, ConversationId
from store.redis.connection import Connection
from store.redis.keys import Keys

_HINT = msgspec.msgpack.Decoder(Hint)


def holes(entries: Sequence[Hint], first_seq: int, last_seq: int) -> list[int]:
    """Return the seqs from `first_seq` to `last_seq` that `entries` lack."""
    there = {entry.seq for entry in entries}
    return [seq for seq in range(first_seq, last_seq + 1) if seq not in there]


async def tombstones(
    line: Connection, cell: CellName, conversation: ConversationId, seqs: Sequence[int], audience: Audience
) -> list[Hint]:
    """Return the tombstones there are at `seqs`. Raises Away or Refused."""
    marks = "xy" if audience == "visitor" else "x"
    fields = [f"{mark}:{seq}" for seq in seqs for mark in marks]
    stored = await line.call("HMGET", Keys(cell).conversation(conversation), *fields)
    each = len(marks)
    found = (stored[start : start + each] for start in range(0, len(stored), each))
    # The visitors' own, where it differs, stands behind the other.
    return [_HINT.decode(next(one for one in reversed(these) if one is not None)) for these in found if any(these)]


def filled(entries: Sequence[Hint], found: Sequence[Hint]) -> list[Hint]:
    """Return `entries` with the tombstones `found` in their places."""
    return sorted([*entries, *found], key=lambda entry: entry.seq)
