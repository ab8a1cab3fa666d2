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


class StorageStep(Struct, frozen=True):
    """The consent to keep the secret on the phone (SPEC 4.4)."""

    ask: Literal["before_chat", "on_exit_intent"]
    text: str
    text_hash: str


class CommunicateStep(Struct, frozen=True):
    """The box on the consent card (SPEC 4.3), unticked."""

    subscription: str
    label: str
    text_hash: str


class ConsentStep(Struct, frozen=True, omit_defaults=True):
    """The consent to process (SPEC 4.3)."""

    mode: Literal["explicit", "legitimate_interest"]
    text: str
    text_hash: str
    communicate: CommunicateStep | None = None


class EmailStep(Struct, frozen=True):
    """The e-mail address that is asked before the chat (SPEC 4.5)."""

    text: str


class HeadingView(Struct, frozen=True, omit_defaults=True):
    """Who the visitor sees: a name and an image, or up to three people (SPEC 4.1)."""

    kind: Literal["custom", "users_and_teams", "assigned_agent", "contact_owner"]
    name: str = ""
    image: str = ""
    people: list["PersonView"] = []


class PersonView(Struct, frozen=True, omit_defaults=True):
    name: str
    picture: str = ""


class DisplayView(Struct, frozen=True):
    """What small and large screens show at first, and the colours (SPEC 4.1)."""

    small: Literal["launcher", "welcome_prompt", "open"]
    large: Literal["launcher", "welcome_prompt", "open"]
    accent: str
    on_accent: str


class ChatflowView(Struct, frozen=True, omit_defaults=True):
    """What the phone shows of the chatflow it is served, in one locale (SPEC 4.1). The same for every visitor.

    `etag` names exactly this view: a client that says it holds it is sent the view with nothing but `id`, `version`,
    `name`, `locale`, `heading` and `etag`.
    """

    id: str
    version: int
    name: str
    locale: str
    heading: HeadingView
    welcome: str | None = None
    storage: StorageStep | None = None
    consent: ConsentStep | None = None
    email: EmailStep | None = None
    close_button: bool = True
    display: DisplayView | None = None
    texts: dict[str, str] = {}
    etag: str = ""


class AvailabilityView(Struct, frozen=True, omit_defaults=True):
    """Whether somebody is there, and what to say if not (SPEC 4.8). `opens_at`: ms; `reply`: minutes, hour, day."""

    open: bool
    may_start: bool = True
    text: str = ""
    opens_at: int = 0
    reply: str = ""


class StepsView(Struct, frozen=True, omit_defaults=True):
    """What this visitor must still answer before the composer is enabled, in the order of the screen (SPEC 4.2)."""

    outstanding: list[Literal["storage_consent", "consent_to_process", "email"]] = []
    blocked: bool = False


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


class Done(ServerFrame, frozen=True, tag="done"):
    """What `ref` asked is so, durably (SPEC 5.8)."""

    ref: str


class UploadAllowed(ServerFrame, frozen=True, tag="upload"):
    """Where the file that `ref` asked about may be put, once (SPEC 5.9); `url` is relative to the server."""

    ref: str
    conversation: str
    attachment: str
    url: str
    expires_at: int


class DownloadAllowed(ServerFrame, frozen=True, tag="download"):
    """Where the attachment that `ref` asked about can be had (SPEC 6.7)."""

    ref: str
    conversation: str
    attachment: str
    url: str
    expires_at: int


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
    teams: list["TeamView"] = []
    canned: list["CannedView"] = []
    supervisor: bool = False


class TeamView(Struct, frozen=True):
    id: str
    name: str
    members: list[str]


class CannedView(Struct, frozen=True):
    """A ready reply: its text per locale, with its variables (SPEC 8.7)."""

    id: str
    text: dict[str, str]


class Candidate(Struct, frozen=True):
    """An agent who was considered, and why or why not."""

    agent: str
    reason: str


class NextAgent(ServerFrame, frozen=True, tag="who_next"):
    """Who would get a new conversation of the rule now (SPEC 8.16); `agent` None: nobody."""

    ref: str
    rule: str
    agent: str | None
    candidates: list[Candidate]
    counts: dict[str, int]


class ContextView(ServerFrame, frozen=True, tag="context"):
    """What is known of a conversation's visitor, now (SPEC 8.17). `past`: their other conversations, newest first."""

    conversation: str
    visitor: str
    identified: bool
    platform: str = ""
    app_version: str = ""
    locale: str = ""
    screen: str = ""
    properties: dict[str, str] = {}
    device: dict[str, str] = {}
    breadcrumbs: list["Breadcrumb"] = []
    contact: str = ""
    name: str = ""
    email: str = ""
    email_verified: bool = False
    blocked: bool = False
    past: list[str] = []


class Breadcrumb(Struct, frozen=True):
    at: int
    text: str


class Looking(ServerFrame, frozen=True, tag="looking"):
    """Another agent has the conversation before them, or no longer: staff only (SPEC 9.6)."""

    conversation: str
    agent: str
    name: str
    on: bool


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
    opens_at: int = 0


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


class Reconnect(ServerFrame, frozen=True, tag="reconnect"):
    """This gateway goes away: connect again after `after_ms` (SPEC 2.8)."""

    after_ms: int


class Pong(ServerFrame, frozen=True, tag="pong"):
    ref: str
    at: int


_Both = (
    Ack
    | Accepted
    | Refused
    | Resync
    | Caught
    | HistoryPage
    | Receipts
    | TypingNow
    | UploadAllowed
    | DownloadAllowed
    | Reconnect
    | Pong
    | Event
    | Hidden
)
MobileServerFrame = Ready | Serving | Done | Place | TokenExpiring | Refreshed | LoggedOut | _Both
AgentServerFrame = AgentReady | FeedSnapshot | FeedChange | Presence | NextAgent | ContextView | Looking | Done | _Both
