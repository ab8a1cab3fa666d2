"""What gateways say on the mobile socket alone: `ready`, what is served, the place in the queue, the token.

Invariant: nothing here names an agent but as the heading shows them.
"""

from typing import Literal

from msgspec import Struct

from protocol.wire.server.chatflow import AvailabilityView, ChatflowView, StepsView
from protocol.wire.server.frame import Limits, ServerFrame


class ConversationView(Struct, frozen=True, omit_defaults=True):
    """A conversation as its reader finds it at `ready` (SPEC 3.3). `next_n` is what this device sends next."""

    id: str
    status: Literal["new", "gated", "open", "snoozed", "closed"]
    seq: int
    event: str
    next_n: int
    chatflow: str = ""
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
    steps: StepsView = StepsView()
    availability: AvailabilityView | None = None
    reason: str = ""
    secret: str | None = None
    token_expires_at: int | None = None


class Serving(ServerFrame, frozen=True, tag="chatflow"):
    """What `ready` said of the chatflow has changed: published, switched, opened or closed (SPEC 4.9)."""

    chatflow: ChatflowView | None
    conversation: str | None = None
    steps: StepsView = StepsView()
    availability: AvailabilityView | None = None
    reason: str = ""


class Place(ServerFrame, frozen=True, tag="place"):
    """The place in the queue, 1 is next; rounded when not `exact` (SPEC 9.4). `wait_s`: expected, if known."""

    conversation: str
    place: int
    exact: bool = True
    wait_s: int | None = None


class TokenExpiring(ServerFrame, frozen=True, tag="token_expiring"):
    """Send `refresh` within `in_ms` or be closed with 4401 (SPEC 3.5)."""

    in_ms: int


class Refreshed(ServerFrame, frozen=True, tag="refreshed"):
    token_expires_at: int


class LoggedOut(ServerFrame, frozen=True, tag="logged_out"):
    """The device is revoked; forget every secret and message of this visitor (SPEC 3.7)."""
