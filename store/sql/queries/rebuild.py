"""What a recovery reads to make a cell's hot state anew: first who is to be hot, by id, then each in pages.

Invariant: read under a fresh epoch (`cells.begin_epoch`), all of it is one consistent prefix: nobody writes between.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, or_, select, update

from protocol.bus.records import LedgerRow, VisitorRecord
from protocol.bus.topics import Hint
from protocol.ids import AccountId, CellName, ConversationId, DeviceId, VisitorId, event_id
from store.sql import tables

_VISITOR = msgspec.msgpack.Decoder(VisitorRecord)
DESK = "desk"  # the ledgers' owner of agents' devices


@dataclass(frozen=True, slots=True)
class StoredConversation:
    id: ConversationId
    account: AccountId
    seq: int
    commit_no: int
    state: bytes  # msgpack Snapshot


@dataclass(frozen=True, slots=True)
class StoredVisitor:
    id: VisitorId
    commit_no: int
    record: VisitorRecord


@dataclass(frozen=True, slots=True)
class StoredRoster:
    """A roster's last snapshot; its log goes on after `seq`. No snapshot yet: seq 0, state b""."""

    account: AccountId
    seq: int
    commit_no: int
    state: bytes


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A log entry with its place, as the log in Redis holds it."""

    conversation: ConversationId
    entry: Hint  # the full frame
    visitor_frame: bytes | None
    device: DeviceId
    n: int
    send_id: str


def forget_clean(connection: Connection, cell: CellName) -> None:
    """Forget that the cell was left clean: from now on Redis holds more than was left."""
    rows = tables.cell
    left = update(rows).where(rows.c.cell == cell, rows.c.clean_run_id.is_not(None))
    connection.execute(left.values(clean_run_id=None, clean_commit_no=None))


def alive(connection: Connection, cell: CellName, closed_since_ms: int, now_ms: int) -> dict[ConversationId, VisitorId]:
    """Return the conversations that are open, were closed since then or may still be rated, and their visitors."""
    rows = tables.conversation.c
    recent = or_(
        rows.status.not_in(("closed", "erased")), rows.closed_at_ms >= closed_since_ms, rows.survey_until_ms > now_ms
    )
    found = select(rows.id, rows.visitor).where(rows.cell == cell, recent)
    return {ConversationId(row.id): VisitorId(row.visitor) for row in connection.execute(found.order_by(rows.id))}


def changed(connection: Connection, cell: CellName, since_ms: int) -> list[VisitorId]:
    """Return the visitors who changed at or since `since_ms`."""
    rows = tables.visitor.c
    return list(connection.scalars(select(rows.id).where(rows.cell == cell, rows.changed_at_ms >= since_ms)))


def conversations(connection: Connection, of: Sequence[ConversationId]) -> list[StoredConversation]:
    """Return these conversations, ascending."""
    rows = tables.conversation.c
    found = select(rows.id, rows.account, rows.seq, rows.commit_no, rows.state).where(rows.id.in_(of))
    return [StoredConversation(*row) for row in connection.execute(found.order_by(rows.id))]


def visitors(connection: Connection, of: Sequence[VisitorId]) -> list[StoredVisitor]:
    """Return these visitors, ascending."""
    rows = tables.visitor.c
    found = select(rows.id, rows.commit_no, rows.state).where(rows.id.in_(of)).order_by(rows.id)
    return [StoredVisitor(row.id, row.commit_no, _VISITOR.decode(row.state)) for row in connection.execute(found)]


def desks(connection: Connection, cell: CellName, after: str, limit: int) -> list[LedgerRow]:
    """Return remembered outcomes of `limit` agents' devices, ids above `after`."""
    rows = tables.ledger.c
    devices = select(rows.device).distinct().where(rows.owner == DESK, rows.cell == cell, rows.device > after)
    page = list(connection.scalars(devices.order_by(rows.device).limit(limit)))
    found = select(rows.owner, rows.device, rows.n, rows.outcome).where(rows.owner == DESK, rows.device.in_(page))
    return [LedgerRow(*row) for row in connection.execute(found.order_by(rows.device, rows.n))]


def log_tails(connection: Connection, of: Sequence[ConversationId], last: int) -> list[StoredEntry]:
    """Return the last `last` log entries of each conversation, ascending."""
    rows, heads = tables.event.c, tables.conversation.c
    found = select(
        rows.conversation, rows.seq, rows.epoch, rows.commit_no, rows.idx,
        rows.frame, rows.visitor_frame, rows.device, rows.n, rows.send_id,
    )  # fmt: skip
    found = found.join(tables.conversation, heads.id == rows.conversation)
    found = found.where(heads.id.in_(of), rows.seq > heads.seq - last).order_by(rows.conversation, rows.seq)
    return [
        StoredEntry(
            row.conversation,
            Hint(row.seq, event_id(row.epoch, row.commit_no, row.idx), row.frame),
            row.visitor_frame,
            row.device,
            row.n,
            row.send_id,
        )
        for row in connection.execute(found)
    ]


def rosters(connection: Connection, cell: CellName) -> list[StoredRoster]:
    """Return the last snapshot of each account of the cell that has a roster."""
    rows = tables.roster.c
    found = select(rows.account, rows.seq, rows.commit_no, rows.state).where(rows.cell == cell)
    return [StoredRoster(*row) for row in connection.execute(found.order_by(rows.account))]


def roster_events(connection: Connection, account: AccountId, after_seq: int, limit: int) -> list[tuple[int, bytes]]:
    """Return (seq, event) of the roster's log above `after_seq`, ascending."""
    rows = tables.roster_event.c
    found = select(rows.seq, rows.event).where(rows.account == account, rows.seq > after_seq)
    return [(row.seq, row.event) for row in connection.execute(found.order_by(rows.seq).limit(limit))]
