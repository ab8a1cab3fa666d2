"""What gateways say to visitors and agents alike: outcomes, the log, receipts, typing, files.

Invariant: each means the same on both sockets.
"""

from typing import Literal

from protocol.wire.content import Event, Hidden
from protocol.wire.server.frame import ServerFrame


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


class Reconnect(ServerFrame, frozen=True, tag="reconnect"):
    """This gateway goes away: connect again after `after_ms` (SPEC 2.8)."""

    after_ms: int


class Pong(ServerFrame, frozen=True, tag="pong"):
    ref: str
    at: int
