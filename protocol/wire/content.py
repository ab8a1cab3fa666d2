"""What a conversation's log holds, as every reader sees it (SPEC 7).

Invariant: a body is immutable and complete: replaying a log's bodies in `seq` order rebuilds the conversation.
`audience_of` says who may see a body; whoever may not gets `hidden` in its place, so that sequences stay whole.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from protocol.ids import AgentId, ChatflowId, ConversationId, EventId, InboxId, RuleId, VisitorId


class Body(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """One thing that happened in a conversation."""


class Role(StrEnum):
    VISITOR = "visitor"
    AGENT = "agent"
    SYSTEM = "system"


class Author(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did it. `name` is for showing, at most 100 characters; empty for visitors."""

    role: Role
    id: str
    name: str = ""


class Started(Body, frozen=True, tag="started"):
    """Seq 1: the conversation exists, with the welcome as it was shown, and the settings it will keep."""

    chatflow: ChatflowId
    version: int
    inbox: InboxId
    rule: RuleId | None  # None: assignment is off
    visitor: VisitorId
    ordinal: int
    locale: str
    welcome: str | None
    reopen_window_s: int
    gated_ttl_s: int


class ConsentAnswered(Body, frozen=True, tag="consent"):
    """A consent step was answered. `text_hash` is the hex SHA-256 of the text that was on the screen."""

    purpose: Literal["process"]
    answer: Literal["granted", "declined", "implied"]
    text_hash: str
    locale: str


class Message(Body, frozen=True, tag="message"):
    """Somebody said something: 1–10,000 characters of NFC text."""

    by: Author
    text: str


class Queued(Body, frozen=True, tag="queued"):
    """It waits for an agent. `reason`: started, returned, reopened, offer_failed, agent_lost, transfer_failed."""

    reason: str


class Unrouted(Body, frozen=True, tag="unrouted"):
    """Nobody is sought by the engine: assignment is off and any agent of the inbox may claim."""


class Assigned(Body, frozen=True, tag="assigned"):
    """`agent` has the conversation. `reason`: offer, auto, claim, transfer, last_agent."""

    agent: Author
    reason: str


class Unassigned(Body, frozen=True, tag="unassigned"):
    """`agent` has it no longer. `reason`: lost, transferred, closed_seat, parked."""

    agent: Author
    reason: str


class Transferred(Body, frozen=True, tag="transferred"):
    """An agent handed it on, with a note for colleagues: staff only."""

    by: Author
    to: AgentId
    note: str


class Closed(Body, frozen=True, tag="closed"):
    """It is over. `reason`: visitor, agent, gate_expired."""

    by: Author
    reason: str


class Reopened(Body, frozen=True, tag="reopened"):
    """A message within the reopen window brought it back."""

    by: Author


class Parked(Body, frozen=True, tag="parked"):
    """The conversation could not be decided and is set aside for an operator: staff only."""

    error: str


AnyBody = (
    Started
    | ConsentAnswered
    | Message
    | Queued
    | Unrouted
    | Assigned
    | Unassigned
    | Transferred
    | Closed
    | Reopened
    | Parked
)

STAFF_ONLY: tuple[type[Body], ...] = (Transferred, Parked)


def audience_of(body: Body) -> Literal["all", "staff"]:
    """Return who may see `body` (SPEC 7.3)."""
    return "staff" if isinstance(body, STAFF_ONLY) else "all"


class Event(msgspec.Struct, frozen=True, tag_field="t", tag="event"):
    """One log entry, as stored and as sent (SPEC 7.1). `at` is milliseconds since 1970 by the cell's clock."""

    conversation: ConversationId
    seq: int
    id: EventId
    at: int
    body: AnyBody


class Hidden(msgspec.Struct, frozen=True, tag_field="t", tag="hidden", rename={"from_seq": "from", "to_seq": "to"}):
    """Events `from`–`to` exist and are not for this reader; `id` is the event id at `to` (SPEC 7.4)."""

    conversation: ConversationId
    from_seq: int
    to_seq: int
    id: EventId
