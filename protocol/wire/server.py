"""Frames that gateways send (SPEC 3–9). `Event` and `Hidden` live in content.py, since they are also what is stored.

Invariant: a client may ignore any frame or field it does not know; nothing here is needed twice to be understood.
"""

from typing import Any, Literal

from msgspec import Struct

from protocol.wire.content import Event, Hidden


class ServerFrame(Struct, frozen=True, tag_field="t", omit_defaults=True):
    """A frame from a gateway."""


class Limits(Struct, frozen=True):
    """The limits in force for this session (SPEC 2.5)."""

    max_frame_bytes: int
    max_text: int
    max_unresolved: int
    messages_per_minute: int
    message_burst: int


class ConsentStep(Struct, frozen=True):
    """The consent to process (SPEC 4.3). `outstanding`: nothing may be sent before it is granted."""

    mode: Literal["explicit", "legitimate_interest"]
    text: str
    text_hash: str
    outstanding: bool


class ChatflowView(Struct, frozen=True, omit_defaults=True):
    """What the phone shows of the chatflow it is served, in one locale (SPEC 4.1)."""

    id: str
    version: int
    name: str
    locale: str
    heading: str
    welcome: str | None = None
    consent: ConsentStep | None = None
    close_button: bool = True


class ConversationView(Struct, frozen=True, omit_defaults=True):
    """A conversation as its reader finds it at `ready` (SPEC 3.3). `next_n` is what this device sends next."""

    id: str
    status: Literal["new", "gated", "open", "closed"]
    seq: int
    event: str
    next_n: int
    delivered: int = 0
    read: int = 0


class Ready(ServerFrame, frozen=True, tag="ready"):
    """The answer to the visitor's `hello` (SPEC 3.3).

    `conversation` is the one to address under the served chatflow: one that goes on, or the id a first send starts.
    `secret` is given to anonymous visitors only and replaces the one presented. `epoch` is the cell's.
    """

    v: int
    session: str
    visitor: str
    device: str
    epoch: int
    at: int
    heartbeat_s: int
    limits: Limits
    chatflow: ChatflowView | None
    conversations: list[ConversationView]
    conversation: str | None = None
    reason: str = ""
    secret: str | None = None
    token_expires_at: int | None = None


class AgentView(Struct, frozen=True, omit_defaults=True):
    """An agent as colleagues see them."""

    id: str
    name: str
    state: str = "offline"
    capacity: int = 0
    load: int = 0


class AgentReady(ServerFrame, frozen=True, tag="ready"):
    """The answer to the agent's `hello` (SPEC 8.1)."""

    v: int
    session: str
    device: str
    epoch: int
    at: int
    heartbeat_s: int
    limits: Limits
    agent: AgentView
    colleagues: list[AgentView]
    inboxes: list[str]
    feeds: list[str]
    next_n: int


class FeedSnapshot(ServerFrame, frozen=True, tag="feed_snapshot"):
    """All rows of a feed at `seq`/`id`; replaces what the reader had (SPEC 8.3)."""

    feed: str
    seq: int
    id: str
    rows: list[dict[str, Any]]


class FeedChange(ServerFrame, frozen=True, tag="feed"):
    """One change of a feed: `row` replaces the row of the same `key`; None removes it (SPEC 8.3)."""

    feed: str
    seq: int
    id: str
    what: str
    key: str
    row: dict[str, Any] | None = None


class Ack(ServerFrame, frozen=True, tag="ack"):
    """Frame `n` took effect, durably (SPEC 5.2). `seq`/`event` name the log entry where there is one."""

    n: int
    id: str
    conversation: str = ""
    seq: int = 0
    event: str = ""


class Accepted(ServerFrame, frozen=True, tag="accepted"):
    """Frame `n` is durably queued and its outcome will follow (SPEC 5.2)."""

    n: int
    id: str
    conversation: str = ""


class Refused(ServerFrame, frozen=True, tag="refused"):
    """A frame did not take effect, and why (SPEC 10)."""

    code: str
    retryable: bool
    text: str
    n: int = 0
    id: str = ""
    ref: str = ""
    conversation: str = ""
    expected: int = 0
    retry_after_ms: int = 0
    instead: str = ""


class Resync(ServerFrame, frozen=True, tag="resync", rename={"from_seq": "from"}):
    """Forget what was read of this conversation: the log follows from `from` (SPEC 6.4)."""

    conversation: str
    from_seq: int = 1
    epoch: int = 0


class Caught(ServerFrame, frozen=True, tag="caught_up"):
    """Everything up to `seq` has been sent; what follows is live (SPEC 6.3)."""

    conversation: str
    seq: int
    id: str
    next_n: int = 0


class HistoryPage(ServerFrame, frozen=True, tag="history"):
    """Events before the asked seq, ascending; `more` if there are earlier ones (SPEC 6.5)."""

    ref: str
    conversation: str
    events: list[Event | Hidden]
    more: bool


class Receipts(ServerFrame, frozen=True, tag="receipts"):
    """How far the other side has got (SPEC 9.1)."""

    conversation: str
    who: Literal["visitor", "staff"]
    delivered: int
    read: int


class TypingNow(ServerFrame, frozen=True, tag="typing"):
    """Somebody else types, or stopped (SPEC 9.2)."""

    conversation: str
    who: Literal["visitor", "agent"]
    name: str
    on: bool


class Presence(ServerFrame, frozen=True, tag="presence"):
    """Whether the visitor is online; to staff only (SPEC 9.3)."""

    conversation: str
    online: bool


class Place(ServerFrame, frozen=True, tag="place"):
    """The place in the queue, 1 is next; rounded when not `exact` (SPEC 9.4)."""

    conversation: str
    place: int
    exact: bool = True


class TokenExpiring(ServerFrame, frozen=True, tag="token_expiring"):
    """Send `refresh` within `in_ms` or be closed with 4401 (SPEC 3.5)."""

    in_ms: int


class Refreshed(ServerFrame, frozen=True, tag="refreshed"):
    token_expires_at: int


class LoggedOut(ServerFrame, frozen=True, tag="logged_out"):
    """The device is revoked; forget every secret and message of this visitor (SPEC 3.7)."""


class Reconnect(ServerFrame, frozen=True, tag="reconnect"):
    """This gateway goes away: connect again after `after_ms` (SPEC 2.8)."""

    after_ms: int


class Pong(ServerFrame, frozen=True, tag="pong"):
    ref: str
    at: int


_Both = (
    Ack | Accepted | Refused | Resync | Caught | HistoryPage | Receipts | TypingNow | Reconnect | Pong | Event | Hidden
)
MobileServerFrame = Ready | Place | TokenExpiring | Refreshed | LoggedOut | _Both
AgentServerFrame = AgentReady | FeedSnapshot | FeedChange | Presence | _Both
