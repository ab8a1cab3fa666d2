"""What a session asks of the shell around it.

Invariant: values, done in the order given; nothing in a core performs one.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from protocol.bus.commands import AnyCommand
from protocol.bus.records import Outcome
from protocol.ids import ConversationId, InboxId, VisitorId
from protocol.wire import client
from protocol.wire.codes import CloseCode

Audience = Literal["visitor", "staff"]


class Action(Struct, frozen=True):
    """One thing the shell must do."""


class Say(Action, frozen=True):
    """Encode `frame` in the line's subprotocol and send it."""

    frame: object


class Forward(Action, frozen=True):
    """Send stored frames: msgpack bytes, transcoded only for lines that speak JSON."""

    frames: Sequence[bytes]


class Submit(Action, frozen=True):
    """Put `command` into the inbox of the session's cell; its outcome comes back by origin."""

    command: AnyCommand


class Follow(Action, frozen=True):
    """Hear a conversation's hints and ephemeral frames, from before the next ReadLog of it on."""

    conversation: ConversationId


class Unfollow(Action, frozen=True):
    conversation: ConversationId


class ReadLog(Action, frozen=True):
    """Read a page of the log, the entry `from_seq` included. `turn` comes back with the page; older turns are void."""

    conversation: ConversationId
    from_seq: int
    turn: int


class ReadPage(Action, frozen=True):
    """Read up to `limit` entries below `before`, for a `history` frame."""

    ref: str
    conversation: ConversationId
    before: int
    limit: int


class ReadFeed(Action, frozen=True):
    """Read what a feed has after `seq`, whose event id must be `id`; else its rows."""

    feed: str
    seq: int
    id: str


class LeaveFeed(Action, frozen=True):
    """Hear a feed no more."""

    feed: str


class ReadVisitor(Action, frozen=True):
    """Read the visitor's committed record."""

    visitor: VisitorId


class ReadContext(Action, frozen=True):
    """Read what is known of a conversation's visitor, and their conversations in `inboxes`; of none: they are known."""

    conversation: ConversationId
    visitor: VisitorId
    inboxes: list[InboxId]


class ReadEntry(Action, frozen=True):
    """Read one entry of a log as stored, for the frame `key` (n, id)."""

    conversation: ConversationId
    seq: int
    key: tuple[int, str]


class ReadOutcome(Action, frozen=True):
    """Look for what became of a frame in what SQL remembers of a conversation; `otherwise`, if it knows nothing."""

    conversation: ConversationId
    otherwise: Outcome


class CheckToken(Action, frozen=True):
    """Verify a token that came by `refresh`."""

    token: str


class AllowUpload(Action, frozen=True):
    """Say where the file may be put. `visitor`: whose conversation it is; `sender`: they or an agent."""

    frame: client.Upload
    visitor: VisitorId
    sender: str


class AllowDownload(Action, frozen=True):
    """Say where the attachment of a conversation of `visitor` can be had."""

    frame: client.Download
    visitor: VisitorId


class Tell(Action, frozen=True):
    """Publish an ephemeral frame to the others at a conversation; `audience` as in topics.Ephemeral."""

    conversation: ConversationId
    audience: str
    frame: bytes


class Mark(Action, frozen=True):
    """Raise the horizons of `who`: at most one write a second, the last one always."""

    conversation: ConversationId
    who: Audience
    delivered: int
    read: int


class Wake(Action, frozen=True):
    """Call the session again at `at_ms`, or up to `spread_ms` later: each session otherwise, when thousands ask it."""

    at_ms: int
    spread_ms: int = 0


class End(Action, frozen=True):
    """Close the line after what was sent."""

    code: CloseCode
    reason: str
