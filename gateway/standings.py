"""How conversations stand for one device: heads, numbering and receipts, in one pipelined round trip.

Invariant: what is not in Redis reads as not existing; only conversations that must be there are asked for.
"""

from collections.abc import Iterable, Sequence

import msgspec

from gateway.core.views import Standing
from protocol.bus.records import Outcome, Snapshot
from protocol.ids import CellName, ConversationId, DeviceId
from protocol.wire.limits import REMEMBERED_OUTCOMES
from store.redis.connection import Connection
from store.redis.keys import Keys

SNAPSHOT = msgspec.msgpack.Decoder(Snapshot)
_OUTCOME = msgspec.msgpack.Decoder(Outcome)
_SLOTS = [str(slot) for slot in range(REMEMBERED_OUTCOMES)]


def ledger_fields(device: DeviceId) -> list[str]:
    """Return the fields of a conversation's hash that hold the outcomes of a device's frames."""
    prefix = f"o:{device}:"
    return [prefix + slot for slot in _SLOTS]


def next_n(outcomes: Iterable[bytes | None]) -> int:
    """Return the n after the last of stored outcomes."""
    return max((_OUTCOME.decode(outcome).n for outcome in outcomes if outcome), default=0) + 1


def horizons(stored: bytes | None) -> tuple[int, int]:
    """Return stored "delivered:read" as numbers."""
    delivered, _, read = (stored or b"0:0").partition(b":")
    return int(delivered), int(read)


async def read_standings(
    line: Connection, cell: CellName, device: DeviceId, conversations: Sequence[ConversationId]
) -> dict[ConversationId, Standing]:
    """Return how `conversations` stand for `device`. Raises Away or Refused."""
    keys, fields = Keys(cell), ledger_fields(device)
    sent = [
        (line.send("HMGET", keys.conversation(each), "s", *fields), line.send("HGET", keys.receipts(each), "staff"))
        for each in conversations
    ]
    standings: dict[ConversationId, Standing] = {}
    for each, (state, receipts) in zip(conversations, sent, strict=True):
        snapshot, *outcomes = await line.within(state, 5.0)
        head = SNAPSHOT.decode(snapshot).head if snapshot is not None else None
        standings[each] = Standing(head, next_n(outcomes), *horizons(await receipts))
    return standings
