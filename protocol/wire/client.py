"""Frames that clients send (SPEC 4, 5, 8, 9). Unknown fields are ignored, unknown frames refused.

Invariant: every state-changing frame carries `n` (1, 2, 3 … per device and conversation, or per agent device) and a
client-made `id`; sending the same frame again is always safe (SPEC 5).
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from protocol.wire.kinds import AgentContent, VisitorContent

Id = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:\-]+(?!\n)$")
]  # `$` alone lets a newline by
N = Annotated[int, Meta(ge=1, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
_NO_NUL = r"^[^\x00]*$"  # PostgreSQL keeps no text with one
Short = Annotated[str, Meta(max_length=64, pattern=_NO_NUL)]
TagText = Annotated[str, Meta(min_length=1, max_length=50, pattern=_NO_NUL)]
Secret = Annotated[str, Meta(min_length=16, max_length=128)]
Receipts = Annotated[list[Annotated[str, Meta(min_length=1, max_length=2_048)]], Meta(max_length=10)]


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
    """A JWT signed by the company (SPEC 3.4), and who its user was on this device before they logged in (SPEC 3.9)."""

    device_key: Secret
    token: Annotated[str, Meta(min_length=1, max_length=4096)]
    visitor: Id | None = None
    secrets: Annotated[list[Secret], Meta(max_length=2)] = []


class Device(Struct, frozen=True, omit_defaults=True):
    platform: Literal["ios", "android", "web", "react_native", "python", "other"]
    app_version: Short
    locale: Annotated[str, Meta(min_length=1, max_length=35, pattern=_NO_NUL)]
    sdk: Short = ""


class Hello(Frame, frozen=True, tag="hello"):
    """The first frame on the mobile socket (SPEC 3.1). `view`: the etag of the chatflow view held (SPEC 4.1).

    `preview`: a preview token, which stands for app and tag.
    """

    v: int
    app_key: Id
    tag: Annotated[str, Meta(min_length=1, max_length=64, pattern=_NO_NUL)]
    credential: Anonymous | Identified
    device: Device
    positions: Annotated[list[Position], Meta(max_length=32)] = []
    view: Annotated[str, Meta(max_length=64)] = ""
    preview: Annotated[str, Meta(max_length=128)] = ""


class AgentHello(Frame, frozen=True, tag="hello"):
    """The first frame on the agent socket (SPEC 3.6)."""

    v: int
    ticket: Secret
    device_key: Secret
    positions: Annotated[list[Position], Meta(max_length=256)] = []
    feeds: Annotated[list[FeedPosition], Meta(max_length=64)] = []


class Send(Numbered, frozen=True, tag="send"):
    """Say something. Text: 1–10,000 characters after NFC (SPEC 5.4). `content`: a choice or a form's values.

    `attachments`: the receipts of uploads (SPEC 5.9); then the text may be left out, which is no message otherwise.
    """

    conversation: Id
    text: Annotated[str, Meta(min_length=1, max_length=10_000)] = ""
    content: VisitorContent | None = None
    attachments: Receipts = []


class AgentSend(Numbered, frozen=True, tag="send"):
    """Say something (SPEC 8.7): `text`, or a ready reply by its id, or `content`, whose plain form is then made."""

    conversation: Id
    text: Annotated[str, Meta(max_length=10_000)] = ""
    content: AgentContent | None = None
    canned: Annotated[str, Meta(max_length=64)] = ""
    attachments: Receipts = []


class Answer(Numbered, frozen=True, tag="answer"):
    """Answer a step (SPEC 5.5): granted or declined, or for `email` the address.

    `communicate`: the box on the card of the consent to process; absent if it was not shown.
    """

    conversation: Id
    step: Literal["storage_consent", "consent_to_process", "consent_to_communicate", "email"]
    value: Annotated[str, Meta(min_length=1, max_length=254)]
    communicate: bool | None = None


class Survey(Numbered, frozen=True, tag="survey"):
    """What became of the survey `ask` (SPEC 5.7): it was seen, dismissed, scored, or a comment is added."""

    conversation: Id
    ask: Annotated[int, Meta(ge=1, le=2**31)]
    action: Literal["seen", "dismiss", "answer", "comment"]
    score: Annotated[int, Meta(ge=0, le=10)] | None = None
    text: Annotated[str, Meta(max_length=2_000, pattern=_NO_NUL)] = ""


class Close(Numbered, frozen=True, tag="close"):
    """End the conversation (SPEC 5.6)."""

    conversation: Id


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


class SetContext(Frame, frozen=True, tag="set_context"):
    """What the app knows of the visitor now (SPEC 9.5): merged into what was set, "" removes a property.

    Held back in the session while the consent to process is outstanding; at most 8 KiB. `device` properties are kept
    only with analytics consent.
    """

    screen: Annotated[str, Meta(max_length=200)] | None = None
    properties: Annotated[dict[Id, Annotated[str, Meta(max_length=500)]], Meta(max_length=50)] = {}
    device: Annotated[dict[Id, Annotated[str, Meta(max_length=200)]], Meta(max_length=20)] = {}
    breadcrumb: Annotated[str, Meta(max_length=200)] = ""


class SetAnalyticsConsent(Frame, frozen=True, tag="set_analytics_consent"):
    """The app's own answer about optional device properties (SPEC 4.6); answered by `done`."""

    ref: Id
    granted: bool


class Withdraw(Frame, frozen=True, tag="withdraw"):
    """Take a consent back (SPEC 4.7): of `process`, it closes what is open; answered by `done`."""

    ref: Id
    purpose: Literal["storage", "process", "communicate", "analytics"]


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


class Refresh(Frame, frozen=True, tag="refresh"):
    """A new token for the same subject on the same socket (SPEC 3.5)."""

    token: Annotated[str, Meta(min_length=1, max_length=4096)]


class Logout(Frame, frozen=True, tag="logout"):
    """Revoke this device on the server (SPEC 3.7)."""


class Ping(Frame, frozen=True, tag="ping"):
    """Answered by `pong` with the same `ref` (SPEC 2.6)."""

    ref: Id


MobileFrame = (
    Hello
    | Send
    | Answer
    | Survey
    | Close
    | SetContext
    | SetAnalyticsConsent
    | Withdraw
    | Upload
    | Download
    | Resume
    | Leave
    | History
    | Receipt
    | Typing
    | Refresh
    | Logout
    | Ping
)
AgentFrame = (
    AgentHello
    | AgentSend
    | AgentClose
    | AddNote
    | Tag
    | SetFields
    | SetPriority
    | Snooze
    | Redact
    | Block
    | SetTicket
    | WhoNext
    | SetState
    | Accept
    | Decline
    | Claim
    | Transfer
    | Upload
    | Download
    | Resume
    | Leave
    | History
    | Receipt
    | Typing
    | Ping
)
