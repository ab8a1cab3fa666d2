"""Agents' socket tickets: 256 random bit, good once, for 30 s, from an authenticated login (SPEC 3.6).

Invariant: only the hash of a ticket is stored, and reading it removes it, so that it opens one socket at most.
"""

import base64
import re
from collections.abc import Callable

import msgspec

from gateway.ports import Redis, Ticket
from protocol.bus.decisions import Refusal
from protocol.ids import CellName, secret_hash
from protocol.wire.codes import Code
from store.redis.keys import Keys

LIFE_MS = 30_000
_FORM = re.compile(r"(c\d{2,4})\.[A-Za-z0-9_-]{43}")
_DECODER = msgspec.msgpack.Decoder(Ticket)


async def issue(redis: Redis, whom: Ticket, entropy: Callable[[int], bytes]) -> str:
    """Return a new ticket for `whom`. Raises Away, or Refused when Redis is full."""
    secret = base64.urlsafe_b64encode(entropy(32)).rstrip(b"=").decode()
    ticket = f"{whom.cell}.{secret}"
    await redis.call(whom.cell, "SET", _key(whom.cell, ticket), msgspec.msgpack.encode(whom), "PX", LIFE_MS)
    return ticket


async def redeem(redis: Redis, ticket: str, cells: frozenset[CellName]) -> Ticket | Refusal:
    """Use up `ticket` and return whom it lets in. Raises Away."""
    form = _FORM.fullmatch(ticket)
    if form is None or form[1] not in cells:
        return Refusal(Code.TICKET_INVALID)
    cell = CellName(form[1])
    stored = await redis.call(cell, "GETDEL", _key(cell, ticket))
    return Refusal(Code.TICKET_INVALID) if stored is None else _DECODER.decode(stored)


def _key(cell: CellName, ticket: str) -> str:
    return Keys(cell).ticket(secret_hash(ticket).hex())
