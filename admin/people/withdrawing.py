"""A consent taken back for a person by an administrator: the same command as over the socket, for each visitor.

Invariant: asking is one transaction of the configuration's side, with the job that puts the commands into the cell.
"""

from collections.abc import Callable
from functools import partial

from protocol.bus.config import AccountConfig
from protocol.bus.records import JobRow
from protocol.ids import ContactId, VisitorId
from store.sql.database import Databases
from store.sql.queries import jobs, whom
from store.sql.queries.whom import WITHDRAW, WITHDRAWAL_ENCODER, Withdrawal

_ID_BYTES = 10


async def withdraw(
    stores: Databases,
    config: AccountConfig,
    contact: ContactId,
    purpose: str,
    entropy: Callable[[int], bytes],
    now_ms: int,
) -> list[VisitorId]:
    """Have a consent of everybody who is known as `contact` withdrawn; return who that is."""
    visitors = await stores.record.read(partial(whom.known_as, account=config.account, contact=contact))
    if visitors:
        payload = WITHDRAWAL_ENCODER.encode(Withdrawal(config.cell, visitors, purpose))
        job = JobRow(f"{WITHDRAW}:{entropy(_ID_BYTES).hex()}", config.account, WITHDRAW, payload)
        await stores.config.transact(lambda sql: jobs.add(sql, "config", job, now_ms))
    return visitors
