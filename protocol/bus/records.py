"""Values that more than one process reads: kept in Redis by the engine, copied to SQL by the scribe.

Invariant: only a cell's owner writes them. `SCHEMA` names the form of snapshots; of another one the log is replayed.
"""

import msgspec

from protocol.ids import (
    AccountId,
    AgentId,
    AppKey,
    ChatflowId,
    ConversationId,
    DeviceId,
    EventId,
    InboxId,
    VisitorId,
)

SCHEMA = 1


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A stored value."""


class DeviceRecord(Record, frozen=True):
    """A visitor's phone. `secret` is the hash it last presented, `pending` the one handed out since (b"": none)."""

    platform: str
    app_version: str
    locale: str
    seen_at_ms: int
    secret: bytes = b""
    pending: bytes = b""
    revoked: bool = False


class ConsentRecord(Record, frozen=True):
    """The visitor's standing answer for one purpose."""

    answer: str  # granted, declined, implied
    at_ms: int
    text_hash: str
    chatflow: ChatflowId
    version: int
    locale: str
    app_version: str


class CurrentConversation(Record, frozen=True):
    """The visitor's latest conversation under one chatflow."""

    conversation: ConversationId
    ordinal: int
    closed_at_ms: int | None
    reopen_window_s: int


class VisitorRecord(Record, frozen=True):
    """A visitor: devices, consents and the current conversation per chatflow (design: one writer for all of it)."""

    id: VisitorId
    account: AccountId
    app: AppKey
    identified: bool
    created_at_ms: int
    seen_at_ms: int
    devices: dict[DeviceId, DeviceRecord]
    consents: dict[str, ConsentRecord]
    current: dict[ChatflowId, CurrentConversation]


class Head(Record, frozen=True):
    """The part of a conversation's snapshot that gateways read: who may see it, and how far it is."""

    account: AccountId
    visitor: VisitorId
    inbox: InboxId
    chatflow: ChatflowId
    status: str  # gated, open, closed, parked
    phase: str  # the phase's class name, lower case
    seq: int
    event: EventId
    agent: AgentId | None


class Snapshot(Record, frozen=True):
    """A conversation as stored: its schema number, its head, and the engine's own bytes."""

    schema: int
    head: Head
    body: msgspec.Raw


class Outcome(Record, frozen=True):
    """What became of one numbered frame; remembered in the ledger and sent to the asker.

    `code` "" means done: `seq`/`event` name the log entry, 0/"" when there is none.
    """

    session: str
    device: DeviceId
    n: int
    id: str
    code: str = ""
    conversation: str = ""
    seq: int = 0
    event: str = ""
    expected: int = 0
    instead: str = ""
    text: str = ""


class LogRow(Record, frozen=True):
    """One log entry inside a commit. `visitor_frame` None: same as `frame`; b"": hidden from visitors."""

    conversation: ConversationId
    seq: int
    index: int
    frame: bytes
    visitor_frame: bytes | None
    device: str = ""
    n: int = 0
    id: str = ""


class StateRow(Record, frozen=True):
    """A snapshot inside a commit. `kind`: conversation, visitor, roster. `state` b"": evicted, kept in SQL."""

    kind: str
    id: str
    account: AccountId
    seq: int
    state: bytes


class LedgerRow(Record, frozen=True):
    """One remembered outcome: slot n mod 32 of `device` at `owner` (a conversation, or "desk" for agents' devices)."""

    owner: str
    device: DeviceId
    n: int
    outcome: bytes


class RosterRow(Record, frozen=True):
    """One event of an account's roster log."""

    account: AccountId
    seq: int
    event: bytes


class JobRow(Record, frozen=True):
    """Something the world must do; `id` is stable, so that doing it twice can be noticed."""

    id: str
    account: AccountId
    kind: str
    payload: bytes


class Commit(Record, frozen=True):
    """One batch of a cell, whole: what the outbox holds and the scribe copies."""

    epoch: int
    commit_no: int
    at_ms: int
    cursor: str
    log: list[LogRow] = []
    states: list[StateRow] = []
    ledger: list[LedgerRow] = []
    roster: list[RosterRow] = []
    jobs: list[JobRow] = []


class CellRecord(Record, frozen=True):
    """What a cell's own record says; the fields of the hash at `Keys.cell`."""

    owner: str
    run_id: str
    epoch: int
    commit_no: int
    cursor: str
    status: str  # ready, rebuilding
    stored: int  # the commit_no that the scribe read back from SQL
