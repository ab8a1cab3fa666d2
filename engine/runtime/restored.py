"""Rows of SQL as the writes that make them hot again.

Invariant: pure; what is written equals what the commits had written, but for feeds, which begin anew, for the parts of
logs that only SQL keeps, and for which session once asked for what is remembered.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from engine.core.conversation import Conversation
from engine.core.evolve import replay
from engine.core.ledger import DESK, slot_of
from engine.core.ports import Roster, RosterPort
from engine.core.snapshot import freeze
from engine.runtime.commit import log_entry
from engine.runtime.publish import feed_frame
from protocol.bus.commands import COMMAND_ENCODER
from protocol.bus.effects import SetTimer
from protocol.bus.records import LedgerRow
from protocol.ids import AccountId, ConversationId
from protocol.wire.content import Event
from store.redis.keys import Keys
from store.redis.scripts import Piece, Write, text
from store.sql.queries.rebuild import StoredConversation, StoredEntry, StoredVisitor

_PACK = msgspec.msgpack.Encoder()
_EVENT = msgspec.msgpack.Decoder(Event)


def visitor(keys: Keys, found: StoredVisitor, now_ms: int) -> list[Write]:
    """Return the writes of a visitor."""
    record = text(_PACK.encode(found.record))
    return [
        ("HSET", keys.visitor(found.id), "s", record, "c", found.commit_no),
        ("ZADD", keys.active, now_ms, f"visitor:{found.id}"),
    ]


def conversation(keys: Keys, found: StoredConversation, state: Conversation, now_ms: int) -> list[Write]:
    """Return the writes of a conversation's snapshot."""
    return [
        ("HSET", keys.conversation(found.id), "s", text(freeze(state)), "q", found.seq, "c", found.commit_no),
        ("ZADD", keys.active, now_ms, f"conversation:{found.id}"),
    ]


def replayed(account: AccountId, log: Iterable[StoredEntry]) -> Conversation:
    """Return the conversation that a whole log tells of."""
    state = replay(account, (_EVENT.decode(stored.entry.frame) for stored in log))
    assert state is not None, "a stored conversation has a log"
    return state


def outcome(keys: Keys, row: LedgerRow) -> Write:
    """Return the write of one remembered outcome."""
    slot = slot_of(row.n)
    if row.owner == DESK:
        return ("HSET", keys.desk(row.device), f"o:{slot}", text(row.outcome))
    return ("HSET", keys.conversation(ConversationId(row.owner)), f"o:{row.device}:{slot}", text(row.outcome))


def log_entry_of(keys: Keys, found: StoredEntry) -> Write:
    """Return the write of one log entry."""
    return log_entry(keys.log(found.conversation), found.entry, found.visitor_frame)


def timers(keys: Keys, pending: Iterable[SetTimer]) -> list[Write]:
    """Return the writes that set timers again."""
    return [("ZADD", keys.timers, timer.due_ms, text(COMMAND_ENCODER.encode(timer.command))) for timer in pending]


def roster(keys: Keys, port: RosterPort, account: AccountId, found: Roster, commit_no: int) -> list[Write]:
    """Return the writes of a roster, as one whole snapshot, and of its timers."""
    return [
        ("HSET", keys.roster(account), "s", text(port.freeze(found)), "q", port.seq(found), "c", commit_no),
        ("HSET", keys.rosters, account, commit_no),
        *timers(keys, port.deadlines(found)),
    ]


def feed(keys: Keys, name: str, rows: dict[str, dict[str, Any]], event: str) -> list[Write]:
    """Return the writes of a feed's present rows, at a position that no reader can already hold."""
    fields: list[Piece] = [part for key, row in rows.items() for part in (key, text(_PACK.encode(row)))]
    frame = feed_frame(name, 1, event, ("rebuilt", "", None))
    return [
        ("HSET", keys.feed_rows(name), "#", f"1 {event}"),
        *_in_parts("HSET", keys.feed_rows(name), fields),
        ("XADD", keys.feed(name), "1-0", "f", text(frame), "i", event),
    ]


def _in_parts(command: str, key: str, fields: Sequence[Piece], most: int = 1_000) -> Iterable[Write]:
    return ((command, key, *fields[start : start + most]) for start in range(0, len(fields), most))
