"""The published configurations that this gateway's sessions live under.

Invariant: versions of an account only rise here, and whoever lives under one is told of the next, however it came to
be known. A change acts within 25 s even if its hint was lost. Accounts are never removed: one that Redis does not have,
Redis has lost.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from gateway.cells import Cells
from protocol.bus.config import CONFIG_DECODER, AccountConfig
from protocol.ids import AccountId, AppKey, CellName
from store.redis.connection import Away, Refused
from store.redis.keys import APPS, Keys
from store.sql.database import Database
from store.sql.queries import accounts

CHECK_S = 25.0
LOOK_AGAIN_S = 0.1


class Configs:
    """Accounts' configurations by id. `on_change` hears an account's newer one."""

    def __init__(self, cells: Cells, config: Database, on_change: Callable[[AccountConfig], None]) -> None:
        self._cells = cells
        self._config = config
        self._on_change = on_change
        self._kept: dict[AccountId, AccountConfig] = {}
        self._owners: dict[AppKey, AccountId] = {}  # as Redis said once; the configuration says if it still holds
        self._stale: set[AccountId] = set()
        self._changed = asyncio.Event()

    async def of_account(self, cell: CellName, account: AccountId) -> AccountConfig:
        """Return the newest known configuration of an account. Raises Away."""
        kept = self._kept.get(account)
        return kept if kept is not None else await self._read(cell, account)

    def latest(self, config: AccountConfig) -> AccountConfig:
        """Return what is known by now of the account whose `config` was the newest a while ago."""
        return self._kept.get(config.account, config)

    async def newest(self, config: AccountConfig) -> AccountConfig:
        """Return the account's configuration as published now: before somebody is sent away for good. Raises Away."""
        version = await self._cells.call(config.cell, "HGET", Keys(config.cell).config(config.account), "version")
        if version is None or int(version) <= self.latest(config).version:
            return self.latest(config)
        return await self._read(config.cell, config.account)

    async def arrived(self, stored: AccountConfig, patience_s: float) -> AccountConfig:
        """Return the account as its cell has it, once that is no older than SQL's `stored`. Raises Away."""
        give_up_s = asyncio.get_running_loop().time() + patience_s
        while True:
            with suppress(Away):  # its cell may never have heard of it
                known = await self.of_account(stored.cell, stored.account)
                known = known if known.version >= stored.version else await self.newest(known)
                if known.version >= stored.version:
                    return known
            if asyncio.get_running_loop().time() >= give_up_s:
                raise Away("what was stored is not published yet")
            await asyncio.sleep(LOOK_AGAIN_S)

    async def of_app(self, app: AppKey) -> AccountConfig | None:
        """Return the configuration of the account that registered `app`, or None. Raises Away and StoreAway."""
        kept = self._kept.get(self._owners.get(app, AccountId("")))
        if kept is not None and _has(kept, app):
            return kept
        known = await self._cells.line(None).call("HGET", APPS, app)
        if known is None:
            # A Redis that lost its newest data knows fewer names than there are: no phone is sent away for that.
            if await self._config.read(partial(accounts.has_app_key, key=app)):
                raise Away("Redis has lost the app's key")
            return None
        cell, _, account = known.decode().partition(" ")
        config = await self.of_account(CellName(cell), AccountId(account))
        self._owners[app] = config.account
        return config if _has(config, app) else await self.newest(config)

    async def run(self) -> None:
        """Read again what changed, and everything every 25 s however much changes, until cancelled."""
        loop = asyncio.get_running_loop()
        check_at_s = loop.time() + CHECK_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(check_at_s):
                    await self._changed.wait()
            self._changed.clear()
            due, self._stale = self._stale, set()
            if loop.time() >= check_at_s:
                due, check_at_s = set(self._kept), loop.time() + CHECK_S
            for account in sorted(due):
                with suppress(Away, Refused):  # the next check comes
                    await self.newest(self._kept[account])

    def heard(self, payload: bytes) -> None:
        """Take the id of an account whose configuration changed, as published."""
        account = AccountId(payload.decode())
        if account in self._kept:
            self._stale.add(account)
            self._changed.set()

    async def _read(self, cell: CellName, account: AccountId) -> AccountConfig:
        found = await self._cells.call(cell, "HGET", Keys(cell).config(account), "bytes")
        if found is None:
            raise Away("Redis has lost the account's configuration")
        config = CONFIG_DECODER.decode(found)
        kept = self._kept.get(account)
        if kept is not None and kept.version >= config.version:
            return kept
        self._kept[account] = config
        if kept is not None:
            self._on_change(config)
        return config


def _has(config: AccountConfig, app: AppKey) -> bool:
    return any(each.key == app for each in config.apps)
