"""What was said in previews is over after a day: whoever tried one out is erased, whatever they left open.

Invariant: each is asked for once at a time, as the erasure of a person would be.
"""

from functools import partial

from protocol.bus.config import AccountConfig
from protocol.ids import ErasureId
from store.sql.database import Databases
from store.sql.queries import erasures, whom
from store.sql.queries.erasures import Counts, Erasure

_AT_ONCE = 100  # the next look takes the rest


async def forget_preview(databases: Databases, config: AccountConfig, before_ms: int, now_ms: int) -> None:
    """Ask for the erasure of whoever did nothing in the hidden account since then. Raises StoreAway."""
    find = partial(whom.met_before, account=config.account, before_ms=before_ms)
    people = {contact or visitor: (visitor, contact) for visitor, contact in await databases.record.read(find)}
    known = await databases.config.read(partial(erasures.newest, account=config.account, limit=10 * _AT_ONCE))
    under_way = {each.contact or each.visitor for each in known if each.done_at_ms is None}
    for name in [each for each in people if each not in under_way][:_AT_ONCE]:
        visitor, contact = people[name]
        whose = None if contact else visitor
        id_ = ErasureId(f"era_{now_ms}_{name}")
        wanted = Erasure(id_, config.account, config.cell, "retention", contact, whose, now_ms, None, Counts())
        await databases.config.transact(partial(erasures.ask, erasure=wanted))
