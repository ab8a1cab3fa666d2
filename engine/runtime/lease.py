"""The right to be a cell's owner: taken under a token never used before, kept by renewal.

Invariant: commits are fenced by the token in the cell's record, not by time; the lease only says who may try. A lost
line does not lose the lease: whoever comes back in time goes on under the same token.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from engine.runtime.faults import LeaseLost
from engine.runtime.surroundings import CALL_S, EngineSettings
from engine.runtime.suspicion import Remembered
from protocol.bus.records import CellRecord
from protocol.ids import CellName
from store.redis import scripts
from store.redis.connection import Connection
from store.redis.keys import Keys

_FIELDS = ("owner", "run_id", "epoch", "commit_no", "cursor", "status", "stored", "attempts")


class Found(NamedTuple):
    """A cell that is ours, as its record stood. `mine`: what we remember of it as its owner until now."""

    token: str
    record: CellRecord
    attempts: int
    mine: Remembered | None


async def resume(line: Connection, cell: CellName, mine: Remembered, lease_ms: int, *, in_time: bool) -> Found | None:
    """Go on as the owner we were, if nobody else has become it.

    Not `in_time`, somebody may have owned the cell since, and a Redis with older data would not know: then what we
    remember vouches for nothing.
    """
    if not await scripts.renew(line, cell, mine.token, lease_ms):
        return None
    record = await read(line, cell)
    return Found(mine.token, record, 0, mine if in_time else None) if record.owner == mine.token else None


async def take(line: Connection, cell: CellName, token: str, lease_ms: int) -> Found | None:
    """Become the owner, if the lease is free."""
    taken = await scripts.take(line, cell, token, lease_ms)
    return None if taken is None else Found(token, taken.record, taken.attempts, None)


async def read(line: Connection, cell: CellName) -> CellRecord:
    """Return the cell's record as it stands."""
    reply = await line.call("HMGET", Keys(cell).cell, *_FIELDS[:7], timeout_s=CALL_S)
    owner, run_id, epoch, commit_no, cursor, status, stored = ((field or b"").decode() for field in reply)
    return CellRecord(owner, run_id, int(epoch or 0), int(commit_no or 0), cursor, status, int(stored or 0))


async def keep(
    line: Connection, cell: CellName, token: str, settings: EngineSettings, renewed: Callable[[float], None]
) -> NoReturn:
    """Renew the lease for ever; raises LeaseLost when the cell is another's. `renewed`: hears until when it is ours."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(settings.lease_s / 3)
        asked_s = loop.time()
        if not await scripts.renew(line, cell, token, round(settings.lease_s * 1000)):
            raise LeaseLost
        renewed(asked_s + settings.lease_s)
