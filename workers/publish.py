"""Publishing: brings an account's newest configuration from SQL to its cell.

Invariant: the cell has the configuration before the installation knows the names that lead to it, and whatever order
these jobs are done in, the highest version stays.
"""

from collections.abc import Sequence

from protocol.bus.config import AccountConfig
from protocol.ids import AccountId
from store.redis import publishing
from store.redis.connection import Dial
from store.redis.keys import APPS, LOGINS, SERVERS, Keys
from store.sql.database import Database
from store.sql.queries import accounts
from store.sql.queries.jobs import TakenJob
from store.sql.queries.publications import WITHDRAWN_DECODER, Withdrawn
from workers.jobs import JobFailed


class Publisher:
    """Does the jobs of kind `publish`."""

    def __init__(self, dial: Dial, config: Database) -> None:
        self._dial = dial
        self._config = config

    async def __call__(self, job: TakenJob) -> None:
        """Publish the account's present version, which may be newer than the one that asked."""
        withdrawn = WITHDRAWN_DECODER.decode(job.payload)
        config = await self._config.read(lambda sql: accounts.config(sql, job.account))
        if config is None:
            raise JobFailed(f"account {job.account} has no configuration")
        keys, logins = await self._config.read(accounts.owners)
        gone = Withdrawn(
            [key for key in withdrawn.app_keys if key not in keys],
            [email for email in withdrawn.logins if email not in logins],
        )
        await self._tell_cell(config)
        await self._name(config, gone)

    async def mend(self) -> list[AccountId]:
        """Publish again what Redis has lost of the present configurations; return whose.

        Redis may come back with an older file in which no cell is behind, and yet a configuration or a name is missing.
        """
        configs = await self._config.read(accounts.with_previews)
        line = await self._dial(None)
        try:
            names = [await line.call("HKEYS", key) for key in (APPS, LOGINS, SERVERS)]
        finally:
            line.abort()
        named = [{name.decode() for name in found} for found in names]
        told = await self._told(configs)
        lost = [config for config in configs if not _is_named(config, *named) or told[config.account] < config.version]
        for config in lost:
            await self._tell_cell(config)
            await self._name(config, Withdrawn([], []))
        return [config.account for config in lost]

    async def _told(self, configs: Sequence[AccountConfig]) -> dict[AccountId, int]:
        """Return which version of each the cells have, 0 for none."""
        told: dict[AccountId, int] = {}
        for cell in sorted({config.cell for config in configs}):
            line = await self._dial(cell)
            try:
                for account in (config.account for config in configs if config.cell == cell):
                    told[account] = int(await line.call("HGET", Keys(cell).config(account), "version") or 0)
            finally:
                line.abort()
        return told

    async def _tell_cell(self, config: AccountConfig) -> None:
        connection = await self._dial(config.cell)
        try:
            await publishing.publish(connection, config)
        finally:
            connection.abort()

    async def _name(self, config: AccountConfig, gone: Withdrawn) -> None:
        connection = await self._dial(None)
        try:
            await publishing.name(connection, config)
            if gone.app_keys:
                await connection.call("HDEL", APPS, *gone.app_keys)
            if gone.logins:
                await connection.call("HDEL", LOGINS, *gone.logins)
        finally:
            connection.abort()


def _is_named(config: AccountConfig, apps: set[str], logins: set[str], servers: set[str]) -> bool:
    keys, emails = {app.key for app in config.apps}, {agent.email.lower() for agent in config.agents}
    return keys <= apps and emails <= logins and {key for app in config.apps for key in app.server_keys} <= servers
