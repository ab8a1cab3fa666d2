"""Where the parts of a gateway meet: the socket shell, the hub of sessions and the credentials.

Invariant: a `Driver` never blocks and never raises at its line; a `Line` never blocks and never raises at its driver.
So the same session runs over a socket, over memory in the simulation, and over anything faster that comes.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from protocol.bus.config import AccountConfig, App, IdentityKey
from protocol.bus.decisions import Refusal
from protocol.bus.records import Profile
from protocol.ids import AccountId, AgentId, CellName
from protocol.wire.codes import CloseCode


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the far end of a line, as far as the transport knows. `origin` is the header; None if it was absent."""

    address: str
    origin: str | None = None


class Line(Protocol):
    """The way back to one client, message by message.

    `send` and `close` return at once; order is kept; after `close`, `send` does nothing. A line that cannot keep up
    closes itself (SPEC 11: 4001) and tells its driver `lost()`.
    """

    def send(self, *messages: bytes) -> None:
        """Send whole messages, in order: binary ones of msgpack, or text where the line speaks JSON in UTF-8."""

    async def flushed(self) -> None:
        """Return when all that was sent has left the line's own queue and more may, or the line is gone.

        It paces long resumes: whoever waits for it before each page is never cut for being slow.
        """

    def close(self, code: CloseCode, reason: str = "") -> None:
        """Send what was queued before, then the close frame. `reason`: at most 100 characters, for developers."""


class Driver(Protocol):
    """One session, as its line sees it."""

    @property
    def admitted(self) -> bool:
        """Whether a `hello` was accepted. Until then the line allows 5 s and 8 KiB (SPEC 2.5)."""

    def receive(self, raw: bytes | str) -> None:
        """Take one whole message, `bytes` if it was binary and `str` if it was text."""

    def reconnect(self, after_ms: int) -> None:
        """Tell the client to come again elsewhere (SPEC 2.8); the line is closed by whoever drains."""

    def lost(self) -> None:
        """The line is gone, by whomever. Called once; nothing is sent after it."""


class Sessions(Protocol):
    """What the socket shell needs of the hub. `subprotocol` is one of protocol.wire.limits.SUBPROTOCOL_*."""

    def open_mobile(self, line: Line, subprotocol: str, peer: Peer) -> Driver:
        """Return the driver of a visitor's new line."""

    def open_agent(self, line: Line, subprotocol: str, peer: Peer) -> Driver:
        """Return the driver of an agent's new line."""

    @property
    def ready(self) -> bool:
        """Whether a `hello` would be served now: Redis answers and the presence lease holds."""


class Redis(Protocol):
    """One pipelined connection per cell, dialled again when lost; never retries a command."""

    async def call(self, cell: CellName | None, *parts: Any) -> Any:
        """Return the reply; `cell` None for keys of no cell. Raises store.redis.connection.Away or Refused."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid visitor token says. `key`: the one it was proved by; once that is withdrawn it proves nothing.

    `profile`: what it vouches for.
    """

    subject: str
    expires_at_s: int
    key: IdentityKey
    profile: Profile | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whom a valid agent ticket lets in."""

    cell: CellName
    account: AccountId
    agent: AgentId


class Credentials(Protocol):
    """Proof of who somebody is. Failed proof is a Refusal and never a lesser identity."""

    def verify_token(self, config: AccountConfig, app: App, token: str, now_s: int) -> Claims | Refusal:
        """Check a visitor's JWT (SPEC 3.4); refusals: TOKEN_INVALID, TOKEN_EXPIRED."""

    async def redeem_ticket(self, redis: Redis, ticket: str) -> Ticket | Refusal:
        """Use up an agent's one-time ticket (SPEC 3.6); refusal: TICKET_INVALID. Raises Away."""
