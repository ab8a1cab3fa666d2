"""What a client tells the app that uses it.

Invariant: `LogEvent`s of one conversation come in `seq` order without gap or repeat, `Resynced` aside (SPEC 6).
"""

from dataclasses import dataclass, field
from typing import Any

from samtale.body import Body


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened."""


@dataclass(frozen=True, slots=True)
class Consent:
    """The consent to process (SPEC 4.3)."""

    mode: str
    text: str
    text_hash: str
    outstanding: bool


@dataclass(frozen=True, slots=True)
class Chatflow:
    """What to show of the chat (SPEC 4.1)."""

    id: str
    version: int
    name: str
    locale: str
    heading: str
    welcome: str | None = None
    consent: Consent | None = None
    close_button: bool = True


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent, oneself included."""

    id: str
    name: str
    state: str = "offline"
    capacity: int = 0
    load: int = 0


@dataclass(frozen=True, slots=True)
class Connected(Event):
    """The server said `ready`. Visitors get `chatflow` and `conversation`, agents `colleagues` and `inboxes`."""

    who: str
    device: str
    epoch: int
    chatflow: Chatflow | None = None
    conversation: str | None = None
    reason: str = ""
    colleagues: list[Colleague] = field(default_factory=list)
    inboxes: list[str] = field(default_factory=list)


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
    """The place in the queue; 1 is next."""

    conversation: str
    place: int
    exact: bool = True


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
class Forgotten(Event):
    """The server does not know this visitor any more, or the device was logged out: drop everything shown."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Earlier events, ascending; `more` says whether there are earlier ones still."""

    events: list[LogEvent]
    more: bool
