"""What the installation has on record about the demo's own account.

Invariant: reads only; what is returned is at least as new as everything acknowledged before the call.
"""

import asyncio

from app.demo.facts import NotSo
from app.replay import Replayed, replay_one
from app.settings import Settings
from app.stores import databases, dialler, redis_address
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId
from store.redis.keys import Keys
from store.sql.database import Databases
from store.sql.queries import accounts, audit, cells

ACCOUNT = AccountId("samtale_demo")
STORED_WITHIN_S = 10.0
_LOOK_AGAIN_S = 0.05


async def until_stored(settings: Settings) -> None:
    """Wait until SQL has everything that the account's cell had committed at the call; NotSo if it never has."""
    stores = databases(settings)
    try:
        config = await _config(stores)
        async with asyncio.timeout(STORED_WITHIN_S):
            wanted = await _committed(settings, config)
            while not await _has(stores, config, wanted):
                await asyncio.sleep(_LOOK_AGAIN_S)
    except TimeoutError:
        raise NotSo(f"did not happen within {STORED_WITHIN_S:g} s: SQL has everything that was committed") from None
    finally:
        await stores.close()


async def replayed(settings: Settings) -> list[Replayed]:
    """Replay every conversation of the account."""
    stores = databases(settings)
    try:
        ids = await stores.record.read(lambda sql: audit.conversations_of(sql, ACCOUNT))
        found = [await replay_one(stores.record, conversation) for conversation in ids]
    finally:
        await stores.close()
    return [each for each in found if each is not None]


async def _config(stores: Databases) -> AccountConfig:
    config = await stores.config.read(lambda sql: accounts.config(sql, ACCOUNT))
    if config is None:
        raise NotSo("the demo's account is not in the configuration any more")
    return config


async def _committed(settings: Settings, config: AccountConfig) -> int:
    connection = await dialler(await redis_address(settings))(config.cell)
    try:
        return int(await connection.call("HGET", Keys(config.cell).cell, "commit_no") or 0)
    finally:
        connection.abort()


async def _has(stores: Databases, config: AccountConfig, commit_no: int) -> bool:
    position = await stores.record.read(lambda sql: cells.position(sql, config.cell))
    return position is not None and position.commit_no >= commit_no
