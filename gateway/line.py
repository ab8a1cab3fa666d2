"""The port between a socket and a session: what each may ask of the other.

Invariant: nothing here knows what kind of socket it is, so that a simulation may use a line in memory and a faster
socket may be fitted. Every method returns at once and may be called at any time; after `lost` nothing is called.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from protocol.wire.codes import CloseCode


class Peer(NamedTuple):
    """Who is at the other end: the address that limits count, and the Origin header (None outside browsers)."""

    address: str
    origin: str | None = None


class Line(Protocol):
    """One open socket, as a session sees it."""

    @property
    def is_text(self) -> bool:
        """Whether frames go as text messages (the JSON subprotocol)."""

    @property
    def is_congested(self) -> bool:
        """Whether the peer lags: who has more than a page to send awaits `room` first, or the line may be cut (4001)."""

    def send(self, data: bytes) -> None:
        """Put one encoded frame behind those before it; a closed line drops it."""

    def close(self, code: CloseCode, reason: str = "") -> None:
        """End the line with `code`, after what was sent; the driver hears `lost` when it is gone."""

    def admit(self) -> None:
        """The hello was accepted: lift the deadline and the 8 KiB of unauthenticated sockets (SPEC 2.5)."""

    async def room(self) -> None:
        """Return when the line is no longer congested, or gone."""


class Driver(Protocol):
    """One session, as its socket sees it."""

    def receive(self, raw: bytes | str) -> None:
        """Take one message: str from text messages, bytes from binary ones."""

    def lost(self) -> None:
        """The line is gone; called once, last."""


Open = Callable[[Line, str, Peer], Driver]  # the subprotocol is in the middle
