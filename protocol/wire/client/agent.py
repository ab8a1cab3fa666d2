"""What an agent's client says on the agent socket (SPEC 3.6, 8).

Invariant: no frame says who sends it; the session knows.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from protocol.wire.client.both import Position
from protocol.wire.client.frame import Frame, Id, Numbered, Receipts, Secret, Seq, TagText
from protocol.wire.kinds import AgentContent


class FeedPosition(Struct, frozen=True):
    feed: Annotated[str, Meta(max_length=128)]
    seq: Seq
    id: Annotated[str, Meta(max_length=64)]


class AgentHello(Frame, frozen=True, tag="hello"):
    """The first frame on the agent socket (SPEC 3.6)."""

    v: int
    ticket: Secret
    device_key: Secret
    positions: Annotated[list[Position], Meta(max_length=256)] = []
    feeds: Annotated[list[FeedPosition], Meta(max_length=64)] = []


class AgentSend(Numbered, frozen=True, tag="send"):
    """Say something (SPEC 8.7): `text`, or a ready reply by its id, or `content`, whose plain form is then made."""

    conversation: Id
    text: Annotated[str, Meta(max_length=10_000)] = ""
    content: AgentContent | None = None
    canned: Annotated[str, Meta(max_length=64)] = ""
    attachments: Receipts = []


class AgentClose(Numbered, frozen=True, tag="close"):
    """End the conversation (SPEC 8.8). `spam`: no survey, and it is marked so. `close_ticket`: and its ticket."""

    conversation: Id
    spam: bool = False
    close_ticket: bool = False


class SetState(Numbered, frozen=True, tag="set_state"):
    """An agent says whether new conversations may be offered (SPEC 8.2). `agent`: another's, by a supervisor."""

    state: Literal["available", "away", "offline"]
    agent: Id | None = None


class Accept(Numbered, frozen=True, tag="accept"):
    offer: Id


class Decline(Numbered, frozen=True, tag="decline"):
    offer: Id


class Claim(Numbered, frozen=True, tag="claim"):
    """Take a conversation that nobody has (SPEC 8.5). `force`: above capacity, by a supervisor."""

    conversation: Id
    force: bool = False


class Transfer(Numbered, frozen=True, tag="transfer"):
    """Hand a conversation to another agent or to a team, with a note for colleagues (SPEC 8.6).

    A supervisor may also hand on what is another's or nobody's, and with `force` above capacity.
    """

    conversation: Id
    to: Annotated[str, Meta(max_length=64)] = ""
    team: Annotated[str, Meta(max_length=64)] = ""
    note: Annotated[str, Meta(max_length=2_000)] = ""
    force: bool = False


class AddNote(Numbered, frozen=True, tag="note"):
    """A word among colleagues (SPEC 8.9); `whisper`: a supervisor's, to whoever has the conversation."""

    conversation: Id
    text: Annotated[str, Meta(min_length=1, max_length=10_000)]
    mentions: Annotated[list[Id], Meta(max_length=20)] = []
    whisper: bool = False


class Tag(Numbered, frozen=True, tag="tag"):
    """Put tags on a conversation and take others off (SPEC 8.10); at most 50 in all, 1–50 characters each."""

    conversation: Id
    add: Annotated[list[TagText], Meta(max_length=50)] = []
    remove: Annotated[list[TagText], Meta(max_length=50)] = []


class SetFields(Numbered, frozen=True, tag="set_fields"):
    """Set custom fields of a conversation (SPEC 8.10); at most 50, "" removes one."""

    conversation: Id
    fields: Annotated[dict[Id, Annotated[str, Meta(max_length=500)]], Meta(min_length=1, max_length=50)]


class SetPriority(Numbered, frozen=True, tag="set_priority"):
    """Where a conversation stands in its queue (SPEC 8.11)."""

    conversation: Id
    priority: Literal["low", "normal", "high", "urgent"]


class Snooze(Numbered, frozen=True, tag="snooze"):
    """Put a conversation off until `until_ms`, or until the visitor speaks (SPEC 8.12); 0 wakes it."""

    conversation: Id
    until_ms: Annotated[int, Meta(ge=0, le=2**53)]


class Redact(Numbered, frozen=True, tag="redact"):
    """Remove the text of one message or note for good; its place stays (SPEC 8.13)."""

    conversation: Id
    seq: Annotated[int, Meta(ge=1, le=2**53)]


class Block(Numbered, frozen=True, tag="block"):
    """Let the visitor of a conversation write no more, or again (SPEC 8.14)."""

    conversation: Id
    on: bool = True


class SetTicket(Numbered, frozen=True, tag="set_ticket"):
    """Set the status of a conversation's ticket (SPEC 8.15)."""

    conversation: Id
    status: Literal["new", "waiting_us", "waiting_visitor", "closed"]


class WhoNext(Frame, frozen=True, tag="who_next"):
    """Ask who would get a new conversation of a rule now; nothing happens by it (SPEC 8.16)."""

    ref: Id
    rule: Id
