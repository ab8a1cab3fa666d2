"""What the installation has on record about an account of the demo's own.

Invariant: reads only; what is returned is at least as new as everything acknowledged before the call.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from app.demo.facts import NotSo
from app.explain import story
from app.replay import Replayed, replay_one
from app.report import Question, rows
from app.settings import Settings
from app.stores import databases, dialler, redis_address
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId, ConversationId, VisitorId
from store.redis.keys import Keys
from store.sql.database import Databases
from store.sql.queries import accounts, audit, cells, records, reports

T = TypeVar("T")

STORED_WITHIN_S = 60.0
_LOOK_AGAIN_S = 0.05


class Record:
    """The record of one account."""

    def __init__(self, settings: Settings, account: AccountId) -> None:
        self._settings = settings
        self._account = account

    async def stored(self) -> None:
        """Wait until SQL has everything that the account's cell had committed at the call; NotSo if it never has."""
        stores = databases(self._settings)
        try:
            config = await self._config(stores)
            async with asyncio.timeout(STORED_WITHIN_S):
                wanted = await self._committed(config)
                while not await _has(stores, config, wanted):
                    await asyncio.sleep(_LOOK_AGAIN_S)
        except TimeoutError:
            raise NotSo(f"did not happen within {STORED_WITHIN_S:g} s: SQL has everything that was committed") from None
        finally:
            await stores.close()

    async def report(self, what: str) -> list[dict[str, Any]]:
        """Return what `samtale report` says of the account."""
        await self.stored()
        return await rows(self._settings, what, Question(account=self._account))

    async def tickets_of(self, conversation: str) -> list[dict[str, Any]]:
        """Return what `samtale report` says of the conversation's ticket, if it has one."""
        return [row for row in await self.report("tickets") if row["conversation"] == conversation]

    async def conversations_of(self, visitor: str) -> list[str]:
        """Return the visitor's conversations."""
        found = partial(records.conversations_of, account=self._account, visitor_id=VisitorId(visitor))
        return list(await self._read(lambda stores: stores.record.read(found)))

    async def subscriptions_of(self, contact: str) -> dict[str, bool]:
        """Return what the contact wants, and does not want, to be written to about."""
        found = partial(reports.subscriptions, account=self._account, contact=contact)
        return await self._read(lambda stores: stores.record.read(found))

    async def explained(self, conversation: str) -> list[str]:
        """Return what `samtale explain` says of the conversation."""
        await self.stored()
        stores = databases(self._settings)
        try:
            return await story(stores, ConversationId(conversation)) or []
        finally:
            await stores.close()

    async def replayed(self) -> list[Replayed]:
        """Replay every conversation of the account."""
        await self.stored()
        stores = databases(self._settings)
        try:
            ids = await stores.record.read(lambda sql: audit.conversations_of(sql, self._account))
            found = [await replay_one(stores.record, conversation) for conversation in ids]
        finally:
            await stores.close()
        return [each for each in found if each is not None]

    async def _read(self, ask: Callable[[Databases], Awaitable[T]]) -> T:
        await self.stored()
        stores = databases(self._settings)
        try:
            return await ask(stores)
        finally:
            await stores.close()

    async def _config(self, stores: Databases) -> AccountConfig:
        config = await stores.config.read(lambda sql: accounts.config(sql, self._account))
        if config is None:
            raise NotSo("the demo's account is not in the configuration any more")
        return config

    async def _committed(self, config: AccountConfig) -> int:
        connection = await dialler(await redis_address(self._settings))(config.cell)
        try:
            return int(await connection.call("HGET", Keys(config.cell).cell, "commit_no") or 0)
        finally:
            connection.abort()


async def _has(stores: Databases, config: AccountConfig, commit_no: int) -> bool:
    position = await stores.record.read(lambda sql: cells.position(sql, config.cell))
    return position is not None and position.commit_no >= commit_no
