"""Where the parts of a gateway meet: the hub of sessions, the credentials and what they ask of Redis.

Invariant: failed proof of who somebody is is a value; only machinery that is away raises. The port between a socket
and a session is in line.py.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from gateway.line import Driver, Line, Peer
from protocol.bus.config import AccountConfig, App
from protocol.bus.decisions import Refusal
from protocol.ids import AccountId, AgentId, CellName


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

    async def call(self, cell: CellName, *parts: Any) -> Any:
        """Return the reply. Raises store.redis.connection.Away or Refused."""


class Configs(Protocol):
    """The published configuration of accounts, as this gateway knows it."""

    async def of_account(self, cell: CellName, account: AccountId) -> AccountConfig | None:
        """Return the newest known configuration, or None if the account is none."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid visitor token says."""

    subject: str
    expires_at_s: int


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
