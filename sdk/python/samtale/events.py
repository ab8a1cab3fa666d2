"""What a client tells the app that uses it.

Invariant: `LogEvent`s of one conversation come in `seq` order without gap or repeat, `Resynced` aside (SPEC 6).
"""

from dataclasses import dataclass, field
from typing import Any

from samtale.body import Body
from samtale.desk import Breadcrumb, Canned, Colleague, Team
from samtale.served import Availability, Chatflow, Conversation, Steps


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened."""


@dataclass(frozen=True, slots=True)
class Connected(Event):
    """The server said `ready`. Visitors get from `chatflow` to `conversations`, agents the rest."""

    who: str
    device: str
    epoch: int
    chatflow: Chatflow | None = None
    conversation: str | None = None
    reason: str = ""
    steps: Steps = field(default_factory=Steps)
    availability: Availability | None = None
    conversations: list[Conversation] = field(default_factory=list)
    colleagues: list[Colleague] = field(default_factory=list)
    inboxes: list[str] = field(default_factory=list)
    agent: Colleague | None = None
    teams: list[Team] = field(default_factory=list)
    canned: list[Canned] = field(default_factory=list)
    supervisor: bool = False


@dataclass(frozen=True, slots=True)
class Serving(Event):
    """What `Connected` said of the chatflow has changed: published, switched, opened or closed (SPEC 4.9)."""

    chatflow: Chatflow | None
    conversation: str | None = None
    steps: Steps = field(default_factory=Steps)
    availability: Availability | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Disconnected(Event):
    """The line ended. `again_in_s` None: the client does not come back by itself (SPEC 11)."""

    code: int
    reason: str
    again_in_s: float | None


@dataclass(frozen=True, slots=True)
class LogEvent(Event):
    """The next entry of a conversation's log."""

    conversation: str
    seq: int
    id: str
    at_ms: int
    body: Body


@dataclass(frozen=True, slots=True)
class Resynced(Event):
    """Drop what was shown of the conversation from `from_seq` on; it follows anew."""

    conversation: str
    from_seq: int
    epoch: int


@dataclass(frozen=True, slots=True)
class CaughtUp(Event):
    """What follows is live."""

    conversation: str
    seq: int


@dataclass(frozen=True, slots=True)
class Acked(Event):
    """What was asked under `id` took effect and is stored; `seq` is the log entry it made, or 0."""

    id: str
    conversation: str = ""
    seq: int = 0
    event: str = ""


@dataclass(frozen=True, slots=True)
class Accepted(Event):
    """It takes a while, but nothing is lost: the outcome follows."""

    id: str


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """What was asked will not be done (SPEC 10). `id` or `ref` say what; to try again is to ask anew."""

    code: str
    text: str
    retryable: bool = False
    id: str = ""
    ref: str = ""
    conversation: str = ""
    retry_after_ms: int = 0
    opens_at: int = 0


@dataclass(frozen=True, slots=True)
class Moved(Event):
    """`conversation` is over for good; what was said goes on in `to`."""

    conversation: str
    to: str


@dataclass(frozen=True, slots=True)
class Receipts(Event):
    """How far the other side has got: `who` is `visitor` or `staff`."""

    conversation: str
    who: str
    delivered: int
    read: int


@dataclass(frozen=True, slots=True)
class Typing(Event):
    """Somebody else types; forget it after 6 s."""

    conversation: str
    who: str
    name: str
    on: bool


@dataclass(frozen=True, slots=True)
class Presence(Event):
    conversation: str
    online: bool


@dataclass(frozen=True, slots=True)
class Place(Event):
    """The place in the queue; 1 is next. `wait_s`: the wait to expect, if that is known."""

    conversation: str
    place: int
    exact: bool = True
    wait_s: int | None = None


@dataclass(frozen=True, slots=True)
class Looking(Event):
    """Another agent has the conversation before them, or no longer."""

    conversation: str
    agent: str
    name: str
    on: bool


@dataclass(frozen=True, slots=True)
class Context(Event):
    """What is known of a conversation's visitor, now. `past`: their other conversations, newest first."""

    conversation: str
    visitor: str
    identified: bool
    platform: str = ""
    app_version: str = ""
    locale: str = ""
    screen: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    device: dict[str, str] = field(default_factory=dict)
    breadcrumbs: list[Breadcrumb] = field(default_factory=list)
    contact: str = ""
    name: str = ""
    email: str = ""
    email_verified: bool = False
    blocked: bool = False
    past: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FeedReset(Event):
    """A feed's whole table, by key."""

    feed: str
    rows: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class FeedChanged(Event):
    """One row of a feed is new, changed or (None) gone."""

    feed: str
    what: str
    key: str
    row: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class TokenExpiring(Event):
    """The token is about to expire; the token hook has been asked for a new one."""

    in_ms: int


@dataclass(frozen=True, slots=True)
class Done(Event):
    """What was asked under `ref` is so, durably: analytics consent, withdrawal."""

    ref: str


@dataclass(frozen=True, slots=True)
class Unread(Event):
    """How many messages of others in a conversation this person has not seen."""

    conversation: str
    count: int


@dataclass(frozen=True, slots=True)
class ClosePressed(Event):
    """The user pressed the X. Nothing is closed by it: the app decides what its screen does."""

    conversation: str


@dataclass(frozen=True, slots=True)
class StorageAsked(Event):
    """The user is about to leave, and may be asked whether this phone may remember them; see `answer_storage`."""

    text: str
    text_hash: str


@dataclass(frozen=True, slots=True)
class Forgotten(Event):
    """The server does not know this visitor any more, or the device was logged out: drop everything shown."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Earlier events, ascending; `more` says whether there are earlier ones still."""

    events: list[LogEvent]
    more: bool
