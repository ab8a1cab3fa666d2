"""Values that more than one process reads: kept in Redis by the engine, copied to SQL by the scribe.

Invariant: only a cell's owner writes them. `SCHEMA` names the form of snapshots; of another one the log is replayed.
"""

from typing import Literal

import msgspec

from protocol.bus.facts import AnyFact
from protocol.ids import (
    AccountId,
    AgentId,
    AppKey,
    ChatflowId,
    ContactId,
    ConversationId,
    DeviceId,
    ErasureId,
    EventId,
    InboxId,
    VisitorId,
)

SCHEMA = 2


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A stored value. None of them is part of a cycle: an owner holds millions, and no collection looks at them."""


class DeviceRecord(Record, frozen=True):
    """A visitor's phone. `secret` is the hash it last presented, `pending` the one handed out since (b"": none).

    `began_as`: the anonymous visitor who last logged in on it; "": nobody since the last logout.
    """

    platform: str
    app_version: str
    locale: str
    seen_at_ms: int
    secret: bytes = b""
    pending: bytes = b""
    revoked: bool = False
    began_as: VisitorId | Literal[""] = ""


class Profile(Record, frozen=True):
    """What the company says of a visitor, in a token: all of it vouched for. `subject`: its own id of them."""

    name: str = ""
    email: str = ""
    owner: AgentId | None = None  # the agent who looks after this contact
    subject: str = ""


class Breadcrumb(Record, frozen=True):
    at_ms: int
    text: str


class Context(Record, frozen=True):
    """What the app told of the visitor: the screen now, properties, and the last 20 breadcrumbs."""

    screen: str = ""
    properties: dict[str, str] = {}
    device: dict[str, str] = {}
    breadcrumbs: list[Breadcrumb] = []


class ContactRef(Record, frozen=True):
    """The contact that a visitor is known as. `verified`: the company vouched for the address."""

    id: ContactId
    email: str = ""
    verified: bool = False


class ConsentRecord(Record, frozen=True):
    """The visitor's standing answer for one purpose."""

    answer: str  # granted, declined, implied, withdrawn
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
    survey_until_ms: int = 0  # until then a survey of it may be answered


class VisitorRecord(Record, frozen=True):
    """A visitor: devices, consents and the current conversation per chatflow (design: one writer for all of it).

    `erased`: the erasure after which nothing was left of them but the names of their conversations; "": none.
    `merged`: who has all that was theirs, since they logged in; "": they are themselves.
    """

    id: VisitorId
    account: AccountId
    app: AppKey
    identified: bool
    created_at_ms: int
    seen_at_ms: int
    devices: dict[DeviceId, DeviceRecord]
    consents: dict[str, ConsentRecord]  # purpose → the standing answer
    current: dict[ChatflowId, CurrentConversation]
    contact: ContactRef | None = None
    profile: Profile | None = None
    context: Context = Context()
    blocked: bool = False
    erased: ErasureId | Literal[""] = ""
    merged: VisitorId | Literal[""] = ""


class Head(Record, frozen=True):
    """The part of a conversation's snapshot that gateways read: who may see it, and how far it is."""

    account: AccountId
    visitor: VisitorId
    inbox: InboxId
    chatflow: ChatflowId
    status: str  # gated, open, snoozed, closed, parked
    phase: str  # the phase's class name, lower case
    seq: int
    event: EventId
    agent: AgentId | None
    alias: str = ""  # what agents are called before the visitor; "": by their names
    email_required: bool = False  # the address that is asked before the chat is still to come
    survey_until_ms: int = 0
    silent: bool = False  # the visitor has said nothing here yet
    erased: bool = False  # nothing is left of what was said


class Snapshot(Record, frozen=True):
    """A conversation as stored: its schema number, its head, and the engine's own bytes."""

    schema: int
    head: Head
    body: msgspec.Raw


class NextInLine(Record, frozen=True):
    """Who would get a new conversation of a rule. `candidates`: (agent, why or why not), the first 20; `counts`: all
    agents of the rule by reason."""

    agent: AgentId | None
    candidates: list[tuple[AgentId, str]]
    counts: dict[str, int]


class Outcome(Record, frozen=True):
    """What became of one numbered frame; remembered in the ledger and sent to the asker.

    `code` "" means done: `seq`/`event` name the log entry, 0/"" when there is none. `next_in_line`: of AskWhoNext.
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
    opens_at_ms: int = 0
    next_in_line: NextInLine | None = None


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
    """One remembered outcome: slot n mod 32 of `device` at `owner` (a conversation, or "desk" for agents' devices).

    A commit has none for a visitor's words that were taken: their `LogRow` says it all.
    """

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
    """Something the world must do, `after_ms` of the commit; `id` is stable, so that doing it twice can be noticed."""

    id: str
    account: AccountId
    kind: str
    payload: bytes
    after_ms: int = 0


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
    facts: list[AnyFact] = []


class CellRecord(Record, frozen=True):
    """What a cell's own record says; the fields of the hash at `Keys.cell`."""

    owner: str
    run_id: str
    epoch: int
    commit_no: int
    cursor: str
    status: str  # ready, rebuilding
    stored: int  # the commit_no that the scribe read back from SQL
