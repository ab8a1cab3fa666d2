"""The published configurations that this gateway's sessions live under.

Invariant: versions of an account only rise here; a change acts within 25 s even if its hint was lost.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from gateway.cells import Cells
from protocol.bus.config import CONFIG_DECODER, AccountConfig
from protocol.ids import AccountId, AppKey, CellName
from store.redis.connection import Away, Refused
from store.redis.keys import APPS, Keys
from store.sql.database import Database
from store.sql.queries import accounts

CHECK_S = 25.0


class Configs:
    """Accounts' configurations by id. `on_change` hears an account's newer one, or None if it is no more."""

    def __init__(
        self, cells: Cells, config: Database, on_change: Callable[[AccountId, AccountConfig | None], None]
    ) -> None:
        self._cells = cells
        self._config = config
        self._on_change = on_change
        self._kept: dict[AccountId, AccountConfig] = {}
        self._stale: set[AccountId] = set()
        self._changed = asyncio.Event()

    async def of_account(self, cell: CellName, account: AccountId) -> AccountConfig | None:
        """Return the newest known configuration, or None if the account is none. Raises Away."""
        kept = self._kept.get(account)
        return kept if kept is not None else await self._read(cell, account)

    async def of_app(self, app: AppKey) -> AccountConfig | None:
        """Return the configuration of the account that registered `app`, or None. Raises Away and StoreAway."""
        known = await self._cells.line(None).call("HGET", APPS, app)
        if known is None:
            # A Redis that lost its newest data knows fewer names than there are: no phone is sent away for that.
            if await self._config.read(partial(accounts.has_app_key, key=app)):
                raise Away("Redis has lost the app's key")
            return None
        cell, _, account = known.decode().partition(" ")
        config = await self.of_account(CellName(cell), AccountId(account))
        if config is not None and not any(each.key == app for each in config.apps):
            config = await self._read(CellName(cell), AccountId(account))
        if config is None:
            raise Away("Redis has lost the account's configuration")
        return config

    async def run(self) -> None:
        """Read again what changed, and everything now and then, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(CHECK_S):
                    await self._changed.wait()
                self._changed.clear()
                due, self._stale = self._stale, set()
            except TimeoutError:
                due = set(self._kept)
            for account in due:
                kept = self._kept.get(account)
                if kept is not None:
                    await self._refresh(kept)

    def heard(self, payload: bytes) -> None:
        """Take the id of an account whose configuration changed, as published."""
        account = AccountId(payload.decode())
        if account in self._kept:
            self._stale.add(account)
            self._changed.set()

    async def _refresh(self, kept: AccountConfig) -> None:
        try:
            version = await self._cells.call(kept.cell, "HGET", Keys(kept.cell).config(kept.account), "version")
            if version is not None and int(version) > kept.version:
                self._on_change(kept.account, await self._read(kept.cell, kept.account))
        except (Away, Refused):
            return  # the next check comes

    async def _read(self, cell: CellName, account: AccountId) -> AccountConfig | None:
        found = await self._cells.line(cell).call("HGET", Keys(cell).config(account), "bytes")
        if found is None:
            self._kept.pop(account, None)
            return None
        config = CONFIG_DECODER.decode(found)
        kept = self._kept.get(account)
        if kept is not None and kept.version >= config.version:
            return kept
        self._kept[account] = config
        return config
