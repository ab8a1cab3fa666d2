"""Proof of who somebody is, as sessions ask for it: the `Credentials` port over JWTs and Redis.

Invariant: failed proof is a refusal and never a lesser identity.
"""

from gateway import tickets, tokens
from gateway.ports import Claims, Redis, Ticket
from protocol.bus.config import AccountConfig, App
from protocol.bus.decisions import Refusal
from protocol.bus.minting import keys_of
from protocol.ids import CellName


class Proofs:
    """Tokens and tickets of an installation with `cells`."""

    def __init__(self, cells: list[CellName]) -> None:
        self._cells = frozenset(cells)

    def verify_token(self, config: AccountConfig, app: App, token: str, now_s: int) -> Claims | Refusal:
        """Check a visitor's JWT (SPEC 3.4); refusals: TOKEN_INVALID, TOKEN_EXPIRED."""
        return tokens.verify(app, keys_of(config, app), token, now_s)

    async def redeem_ticket(self, redis: Redis, ticket: str) -> Ticket | Refusal:
        """Use up an agent's one-time ticket (SPEC 3.6); refusal: TICKET_INVALID. Raises Away."""
        return await tickets.redeem(redis, ticket, self._cells)
