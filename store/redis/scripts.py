"""Everything that changes several keys at once: one typed function per file of lua/, which states the promise.

Invariant: keys and arguments are laid out here and nowhere else.
"""

import asyncio
import struct
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from protocol.bus import topics
from protocol.bus.records import CellRecord
from protocol.ids import AccountId, CellName, ConversationId, Incarnation
from store.redis.connection import Connection
from store.redis.keys import Keys
from store.redis.script import Script

LONGEST_REWRITTEN: Final = 10_000  # entries of a stream that are written anew at once: a tenth of a second

HashHead: TypeAlias = tuple[Literal["H"], str, str, str]  # key, field, value it must have ("": absent)
StreamEnd: TypeAlias = tuple[Literal["S"], str, str]  # key, id that its last entry must not be past ("": no entry)
Check: TypeAlias = HashHead | StreamEnd
Piece: TypeAlias = str | int | msgspec.Raw  # a part of a write; bytes as `text` makes them
# One of HSET HDEL HINCRBY XADD XDEL XTRIM ZADD ZREM RPUSH LTRIM SET DEL PEXPIRE SPUBLISH, its key, the rest.
Write: TypeAlias = Sequence[Piece]

MAX_WRITE_PARTS: Final = 4_000  # Lua unpacks at most about 8,000
ENDS_AT_ONCE: Final = 1_000
MAX_DUE: Final = 256
_PACK: Final = msgspec.msgpack.Encoder()
_STR_16: Final = struct.Struct(">BH").pack
_STR_32: Final = struct.Struct(">BI").pack


class Fence(NamedTuple):
    """Where a cell must stand for a commit to be taken, and where the commit leaves it. `status`: ready, rebuilding."""

    cell: CellName
    token: str
    epoch: int
    cursor: str
    next_cursor: str
    commit_no: int
    next_commit_no: int
    status: str = "ready"


class Taken(NamedTuple):
    """A cell just taken: its record as found, and the take-overs since its last commit, ours included."""

    record: CellRecord
    attempts: int


class Tick(NamedTuple):
    """`now_ms` of Redis TIME, and how many commands went into the inbox (-1: the clock is past what is believed)."""

    now_ms: int
    fired: int


class FeedRead(NamedTuple):
    """`changes` (frames after the reader's position) if the feed still has it, else `rows` as of `position`."""

    position: str
    changes: list[bytes] | None
    rows: dict[str, bytes]


def send_commit(
    connection: Connection, fence: Fence, checks: Sequence[Check], writes: Sequence[Write]
) -> asyncio.Future[str]:
    """Send one batch of a cell and return its answer to come (pipelined): see lua/commit.lua for the answers."""
    heads: list[str] = []
    keys: list[str] = []
    ids: list[str] = []
    for check in checks:
        if check[0] == "H":
            heads += check[1:]
        else:
            keys.append(check[1])
            ids.append(check[2] or "0-0")
    ends = [
        keys[start : start + ENDS_AT_ONCE] + ids[start : start + ENDS_AT_ONCE]
        for start in range(0, len(keys), ENDS_AT_ONCE)
    ]
    assert all(len(write) <= MAX_WRITE_PARTS for write in writes), "a write that Lua cannot unpack would fail half-way"
    batch = _PACK.encode((heads, ends, writes))
    return _COMMIT.send(connection, (Keys(fence.cell).cell,), (fence.token, fence.status, *fence[2:7], batch))


def text(value: bytes) -> msgspec.Raw:
    """Return `value` as a piece of a write: a msgpack string, for Redis's msgpack knows no other kind of bytes."""
    size = len(value)
    return msgspec.Raw((_STR_16(0xDA, size) if size < 65_536 else _STR_32(0xDB, size)) + value)


async def commit(
    connection: Connection, fence: Fence, checks: Sequence[Check], writes: Sequence[Write], *, timeout_s: float = 5.0
) -> str:
    """Write one batch of a cell, whole or not at all, and return "ok", "already" or why not."""
    answer: str = await connection.within(send_commit(connection, fence, checks, writes), timeout_s)
    return answer


async def take(connection: Connection, cell: CellName, token: str, lease_ms: int) -> Taken | None:
    """Become the cell's owner under `token`, which was never used before; None if another holds the lease."""
    keys = Keys(cell)
    return await _TAKE.call(connection, (keys.lease, keys.cell), (token, lease_ms))


async def renew(connection: Connection, cell: CellName, token: str, lease_ms: int) -> bool:
    """Keep the cell for another `lease_ms`; False if it is another's now."""
    keys = Keys(cell)
    return await _RENEW.call(connection, (keys.lease, keys.cell), (token, lease_ms))


async def release(connection: Connection, cell: CellName, token: str) -> bool:
    """Give the cell up with nothing under way; False if it is another's now."""
    keys = Keys(cell)
    return await _RELEASE.call(connection, (keys.lease, keys.cell), (token,))


async def vouch(connection: Connection, cell: CellName, token: str, epoch: int, run_id: str) -> bool:
    """Note that the cell's state is good under the server's life `run_id`; False if the cell is not ours so."""
    return await _VOUCH.call(connection, (Keys(cell).cell,), (token, epoch, run_id))


async def tick(
    connection: Connection, cell: CellName, token: str, *, latest_ms: int = 0, limit: int = MAX_DUE
) -> Tick | None:
    """Turn what is due into commands, unless Redis TIME is past `latest_ms` (0: any). None: not ours, or not ready."""
    keys = Keys(cell)
    places = (keys.cell, keys.timers, keys.gateways, keys.inbox)
    return await _TICK.call(connection, places, (token, latest_ms, min(limit, MAX_DUE)))


async def presence(
    connection: Connection, cell: CellName, gateway: Incarnation, lease_ms: int, *, first: bool = False
) -> bool:
    """Prolong a gateway incarnation's lease in the cell; False if it lapsed and must not come back."""
    return await _PRESENCE.call(connection, (Keys(cell).gateways,), (gateway, lease_ms, int(first)))


async def enlist(connection: Connection, kind: str, me: str, lease_ms: int) -> list[str]:
    """Say that `me` lives for `lease_ms` more (0: it leaves) and return who lives. `kind`: ENGINES or WORKERS."""
    return await _ENLIST.call(connection, (kind,), (me, lease_ms))


async def trying(connection: Connection, cell: CellName, token: str, place: str, tries: int) -> bool:
    """Name in the cell's record the command that is tried alone; False if the cell is another's now."""
    return await _TRYING.call(connection, (Keys(cell).cell,), (token, place, tries))


def receipts(
    connection: Connection,
    cell: CellName,
    conversation: ConversationId,
    horizon: tuple[str, int, int],
    payload: bytes,
) -> asyncio.Future[str | None]:
    """Move `horizon` (reader, delivered, read) forward and publish `payload`; "delivered:read", or None if unmoved."""
    keys = Keys(cell)
    channel = topics.ephemeral(cell, conversation)
    places = (keys.receipts(conversation), keys.conversation(conversation))
    return _RECEIPTS.send(connection, places, (*horizon, channel, payload))


async def feed(connection: Connection, cell: CellName, name: str, seq: int = 0, event: str = "") -> FeedRead:
    """Read the feed `name` after the reader's last change (`seq`, `event`; 0 and "": none), or its rows."""
    keys = Keys(cell)
    return await _FEED.call(connection, (keys.feed_rows(name), keys.feed(name)), (seq, event))


async def trim(connection: Connection, cell: CellName, epoch: int, stored: int) -> bool:
    """Let go of the outbox up to `stored`, read back from SQL; False if the cell is of another epoch or not so far."""
    keys = Keys(cell)
    return await _TRIM.call(connection, (keys.cell, keys.outbox(epoch)), (epoch, stored))


async def rebuild_begin(connection: Connection, cell: CellName, token: str, epoch: int, commit_no: int) -> bool:
    """Close the cell for rebuilding under `epoch`, from SQL's `commit_no`; False if it is not ours or came further."""
    return await _REBUILD_BEGIN.call(connection, (Keys(cell).cell,), (token, epoch, commit_no))


async def rebuild_done(connection: Connection, cell: CellName, token: str, epoch: int, run_id: str) -> bool:
    """Open the rebuilt cell; False if it is not ours or not being rebuilt under `epoch`."""
    return await _REBUILD_DONE.call(connection, (Keys(cell).cell,), (token, epoch, run_id))


class ConfigVersion(NamedTuple):
    """One published version of an account's configuration, and the pack (a PublishConfig) that tells its cell."""

    account: AccountId
    version: int
    content: bytes
    pack: bytes


async def publish_config(connection: Connection, cell: CellName, config: ConfigVersion) -> bool:
    """Bring a newer configuration into the cell; False if this version or a later one is there already."""
    keys = Keys(cell)
    args = (config.version, config.content, config.pack, topics.config(cell), config.account)
    return await _PUBLISH_CONFIG.call(connection, (keys.config(config.account), keys.inbox), args)


async def rewrite(connection: Connection, streams: Sequence[str]) -> bool:
    """Write streams anew, so that nothing is in them but their entries; False if one is too long for that."""
    return await _REWRITE.call(connection, streams, (LONGEST_REWRITTEN,))


def _taken(reply: list[bytes] | None) -> Taken | None:
    if reply is None:
        return None
    owner, run_id, epoch, commit_no, cursor, status, stored, attempts = (field.decode() for field in reply)
    record = CellRecord(owner, run_id, int(epoch or 0), int(commit_no or 0), cursor, status, int(stored or 0))
    return Taken(record, int(attempts))


def _tick(reply: list[int] | None) -> Tick | None:
    return None if reply is None else Tick(*reply)


def _horizons(reply: bytes | None) -> str | None:
    return None if reply is None else reply.decode()


def _feed(reply: list[Any]) -> FeedRead:
    kind, position, items = reply
    if kind == b"changes":
        return FeedRead(position.decode(), items, {})
    return FeedRead(
        position.decode(), None, {key.decode(): row for key, row in zip(items[::2], items[1::2], strict=True)}
    )


def _names(reply: list[bytes]) -> list[str]:
    return [name.decode() for name in reply]


_COMMIT: Final = Script("commit", bytes.decode)
_TAKE: Final = Script("take", _taken)
_RENEW: Final = Script("renew", bool)
_RELEASE: Final = Script("release", bool)
_VOUCH: Final = Script("vouch", bool)
_TICK: Final = Script("tick", _tick)
_PRESENCE: Final = Script("presence", bool)
_ENLIST: Final = Script("enlist", _names)
_TRYING: Final = Script("trying", bool)
_RECEIPTS: Final = Script("receipts", _horizons)
_FEED: Final = Script("feed", _feed)
_TRIM: Final = Script("trim", bool)
_REBUILD_BEGIN: Final = Script("rebuild_begin", bool)
_REBUILD_DONE: Final = Script("rebuild_done", bool)
_PUBLISH_CONFIG: Final = Script("publish_config", bool)
_REWRITE: Final = Script("rewrite", bool)

ALL: Final[tuple[Script[Any], ...]] = (
    _COMMIT, _TAKE, _RENEW, _RELEASE, _VOUCH, _TICK, _PRESENCE, _ENLIST, _TRYING,
    _RECEIPTS, _FEED, _TRIM, _REBUILD_BEGIN, _REBUILD_DONE, _PUBLISH_CONFIG, _REWRITE,
)  # fmt: skip
