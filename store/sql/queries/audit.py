"""Whole logs and states for operators and checkers: replay, explain, chaos. Never on the hot path.

Invariant: reads only, in ascending order.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from protocol.ids import AccountId, CellName, ConversationId, EventId, event_id
from store.sql import tables
from store.sql.queries.history import Audience


@dataclass(frozen=True, slots=True)
class StoredLog:
    """A conversation as SQL has it: whose it is, its last snapshot, and the full frame of every entry."""

    id: ConversationId
    cell: CellName
    account: AccountId
    visitor: str
    state: bytes
    entries: list["StoredEvent"]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One entry, with the frame that asked for it."""

    seq: int
    id: EventId
    kind: str
    frame: bytes
    visitor_frame: bytes | None  # None: the same; b"": hidden from visitors
    device: str
    n: int
    send_id: str

    @property
    def is_hidden(self) -> bool:
        return self.visitor_frame == b""

    def frame_for(self, audience: Audience) -> bytes:
        """Return what `audience` may see of it; b"": nothing."""
        return self.frame if audience == "staff" or self.visitor_frame is None else self.visitor_frame


def conversation_ids(connection: Connection) -> list[ConversationId]:
    """Return the ids of all conversations."""
    return list(connection.scalars(select(tables.conversation.c.id).order_by(tables.conversation.c.id)))


def conversations_of(connection: Connection, account: AccountId) -> list[ConversationId]:
    """Return the ids of an account's conversations."""
    rows = tables.conversation.c
    return list(connection.scalars(select(rows.id).where(rows.account == account).order_by(rows.id)))


def log_of(connection: Connection, conversation: ConversationId) -> StoredLog | None:
    """Return a conversation with its whole log, or None."""
    rows = tables.conversation.c
    found = select(rows.id, rows.cell, rows.account, rows.visitor, rows.state).where(rows.id == conversation)
    head = connection.execute(found).first()
    return None if head is None else StoredLog(*head, entries=list(_entries(connection, conversation)))


def roster_log(connection: Connection, account: AccountId) -> list[tuple[int, bytes]]:
    """Return (seq, event) of an account's whole roster log."""
    rows = tables.roster_event.c
    found = select(rows.seq, rows.event).where(rows.account == account).order_by(rows.seq)
    return [(row.seq, row.event) for row in connection.execute(found)]


def accounts_with_rosters(connection: Connection) -> list[AccountId]:
    """Return the accounts whose rosters have a log."""
    return list(connection.scalars(select(tables.roster_event.c.account).distinct().order_by("account")))


def size(connection: Connection) -> tuple[int, int]:
    """Return how many conversations and how many events the record holds."""
    conversations = connection.scalar(select(func.count()).select_from(tables.conversation)) or 0
    events = connection.scalar(select(func.count()).select_from(tables.event)) or 0
    return conversations, events


def _entries(connection: Connection, conversation: ConversationId) -> Iterator[StoredEvent]:
    rows = tables.event.c
    found = select(
        rows.seq, rows.epoch, rows.commit_no, rows.idx, rows.kind, rows.frame, rows.visitor_frame,
        rows.device, rows.n, rows.send_id,
    )  # fmt: skip
    for row in connection.execute(found.where(rows.conversation == conversation).order_by(rows.seq)):
        name = event_id(row.epoch, row.commit_no, row.idx)
        shown = row.visitor_frame
        yield StoredEvent(row.seq, name, row.kind, row.frame, shown, row.device, row.n, row.send_id)
