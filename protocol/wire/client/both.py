"""What visitors and agents say alike: reading, receipts, typing, files.

Invariant: none of these makes an entry of the log, so none is numbered.
"""

from typing import Annotated

from msgspec import Meta, Struct

from protocol.wire.client.frame import Frame, Id, Seq


class Position(Struct, frozen=True):
    """How far a reader has read: the last `seq` and the event id found there; seq 0 with id "" for nothing."""

    conversation: Id
    seq: Seq
    id: Annotated[str, Meta(max_length=64)]


class Upload(Frame, frozen=True, tag="upload"):
    """Ask where a file may be put that is to be sent in a conversation (SPEC 5.9); `type`: its media type."""

    ref: Id
    conversation: Id
    name: Annotated[str, Meta(min_length=1, max_length=255)]
    type: Annotated[str, Meta(max_length=127, pattern=r"^[a-z0-9][a-z0-9.+\-]*/[a-z0-9][a-z0-9.+\-]*(?!\n)$")]
    size: Annotated[int, Meta(ge=1, le=2**53)]


class Download(Frame, frozen=True, tag="download"):
    """Ask where an attachment of a conversation can be had (SPEC 6.7)."""

    ref: Id
    conversation: Id
    attachment: Id


class Resume(Frame, frozen=True, tag="resume"):
    """Attach to a conversation and get every event after `position` (SPEC 6)."""

    position: Position


class Leave(Frame, frozen=True, tag="leave"):
    """Stop receiving a conversation (SPEC 6.6)."""

    conversation: Id


class History(Frame, frozen=True, tag="history"):
    """Read up to `limit` events before `before` (SPEC 6.5)."""

    ref: Id
    conversation: Id
    before: Annotated[int, Meta(ge=1, le=2**53)]
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class Receipt(Frame, frozen=True, tag="receipt"):
    """Horizons: everything up to `delivered` arrived, up to `read` was seen (SPEC 9.1)."""

    conversation: Id
    delivered: Seq
    read: Seq = 0


class Typing(Frame, frozen=True, tag="typing"):
    """Ephemeral (SPEC 9.2). Repeat every 3 s while it lasts; a reader forgets it after 6 s."""

    conversation: Id
    on: bool


class Ping(Frame, frozen=True, tag="ping"):
    """Answered by `pong` with the same `ref` (SPEC 2.6)."""

    ref: Id
