"""Frames that clients send (SPEC 4, 5, 8, 9). Unknown fields are ignored, unknown frames refused.

Invariant: every state-changing frame carries `n` (1, 2, 3 … per device and conversation, or per agent device) and a
client-made `id`; sending the same frame again is always safe (SPEC 5).
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Id = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:\-]+(?!\n)$")
]  # `$` alone lets a newline by
N = Annotated[int, Meta(ge=1, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
Short = Annotated[str, Meta(max_length=64)]
Secret = Annotated[str, Meta(min_length=16, max_length=128)]


class Frame(Struct, frozen=True, tag_field="t", omit_defaults=True):
    """A frame from a client."""


class Numbered(Frame, frozen=True, kw_only=True):
    """A frame that changes state (SPEC 5.1)."""

    n: N
    id: Id


class Position(Struct, frozen=True):
    """How far a reader has read: the last `seq` and the event id found there; seq 0 with id "" for nothing."""

    conversation: Id
    seq: Seq
    id: Annotated[str, Meta(max_length=64)]


class FeedPosition(Struct, frozen=True):
    feed: Annotated[str, Meta(max_length=128)]
    seq: Seq
    id: Annotated[str, Meta(max_length=64)]


class Anonymous(Struct, frozen=True, tag_field="kind", tag="anonymous"):
    """No proof of who: a device and, after the first time, the visitor and the secrets it was given (newest first)."""

    device_key: Secret
    visitor: Id | None = None
    secrets: Annotated[list[Secret], Meta(max_length=2)] = []


class Identified(Struct, frozen=True, tag_field="kind", tag="identified"):
    """A JWT signed by the company (SPEC 3.4)."""

    device_key: Secret
    token: Annotated[str, Meta(min_length=1, max_length=4096)]


class Device(Struct, frozen=True):
    platform: Literal["ios", "android", "web", "react_native", "python", "other"]
    app_version: Short
    locale: Annotated[str, Meta(min_length=1, max_length=35)]


class Hello(Frame, frozen=True, tag="hello"):
    """The first frame on the mobile socket (SPEC 3.1)."""

    v: int
    app_key: Id
    tag: Annotated[str, Meta(min_length=1, max_length=64)]
    credential: Anonymous | Identified
    device: Device
    positions: Annotated[list[Position], Meta(max_length=32)] = []


class AgentHello(Frame, frozen=True, tag="hello"):
    """The first frame on the agent socket (SPEC 3.6)."""

    v: int
    ticket: Secret
    device_key: Secret
    positions: Annotated[list[Position], Meta(max_length=256)] = []
    feeds: Annotated[list[FeedPosition], Meta(max_length=64)] = []


class Send(Numbered, frozen=True, tag="send"):
    """Say something. Text: 1–10,000 characters after NFC (SPEC 5.4)."""

    conversation: Id
    text: Annotated[str, Meta(min_length=1, max_length=10_000)]


class Answer(Numbered, frozen=True, tag="answer"):
    """Answer an outstanding step (SPEC 5.5)."""

    conversation: Id
    step: Literal["consent_to_process"]
    value: Literal["granted", "declined"]


class Close(Numbered, frozen=True, tag="close"):
    """End the conversation (SPEC 5.6)."""

    conversation: Id


class SetState(Numbered, frozen=True, tag="set_state"):
    """An agent says whether new conversations may be offered (SPEC 8.2)."""

    state: Literal["available", "away"]


class Accept(Numbered, frozen=True, tag="accept"):
    offer: Id


class Decline(Numbered, frozen=True, tag="decline"):
    offer: Id


class Claim(Numbered, frozen=True, tag="claim"):
    """Take a conversation that nobody has (SPEC 8.5)."""

    conversation: Id


class Transfer(Numbered, frozen=True, tag="transfer"):
    """Hand a conversation to another agent, with a note for colleagues of at most 2,000 characters (SPEC 8.6)."""

    conversation: Id
    to: Id
    note: Annotated[str, Meta(max_length=2_000)] = ""


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


class Refresh(Frame, frozen=True, tag="refresh"):
    """A new token for the same subject on the same socket (SPEC 3.5)."""

    token: Annotated[str, Meta(min_length=1, max_length=4096)]


class Logout(Frame, frozen=True, tag="logout"):
    """Revoke this device on the server (SPEC 3.7)."""


class Ping(Frame, frozen=True, tag="ping"):
    """Answered by `pong` with the same `ref` (SPEC 2.6)."""

    ref: Id


MobileFrame = Hello | Send | Answer | Close | Resume | Leave | History | Receipt | Typing | Refresh | Logout | Ping
AgentFrame = (
    AgentHello
    | Send
    | Close
    | SetState
    | Accept
    | Decline
    | Claim
    | Transfer
    | Resume
    | Leave
    | History
    | Receipt
    | Typing
    | Ping
)
