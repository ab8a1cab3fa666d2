"""Asking for an erasure, of a contact or of one visitor, and looking how far it has come.

Invariant: asking is one transaction of the configuration's side; workers do the rest, however long it takes, and say
so in the erasure itself.
"""

from collections.abc import Callable
from functools import partial

from protocol.bus.config import AccountConfig
from protocol.ids import ContactId, ErasureId, VisitorId
from store.sql.database import Databases
from store.sql.queries import contacts, erasures, records
from store.sql.queries.erasures import Counts, Erasure

_ID_BYTES = 10


async def erase_contact(
    stores: Databases, config: AccountConfig, contact: ContactId, entropy: Callable[[int], bytes], now_ms: int
) -> Erasure | None:
    """Have a contact and every visitor known as it erased; None if the account has no such contact."""
    if await stores.record.read(partial(contacts.find, account=config.account, contact=contact)) is None:
        return None
    return await _ask(stores, erasure_of(config, entropy, now_ms, contact=contact))


async def erase_visitor(
    stores: Databases, config: AccountConfig, visitor: VisitorId, entropy: Callable[[int], bytes], now_ms: int
) -> Erasure | None:
    """Have one visitor erased, whatever else is known of the contact; None if the account has no such visitor."""
    if await stores.record.read(partial(records.visitor, account=config.account, visitor_id=visitor)) is None:
        return None
    return await _ask(stores, erasure_of(config, entropy, now_ms, visitor=visitor))


def erasure_of(
    config: AccountConfig,
    entropy: Callable[[int], bytes],
    now_ms: int,
    *,
    contact: ContactId | None = None,
    visitor: VisitorId | None = None,
) -> Erasure:
    """Return the erasure of a contact, or of a visitor, that is to be asked for."""
    id_ = ErasureId(f"era_{entropy(_ID_BYTES).hex()}")
    return Erasure(id_, config.account, config.cell, "asked", contact, visitor, now_ms, None, Counts())


async def _ask(stores: Databases, erasure: Erasure) -> Erasure:
    await stores.config.transact(partial(erasures.ask, erasure=erasure))
    return erasure
