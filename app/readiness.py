"""Whether each part of a starting installation is there yet, and what to tell the operator about it.

Invariant: asks and never changes, but for the example workspace on an installation that has no account.
"""

import asyncio
import json
import urllib.error
import urllib.request
from importlib import resources

from app.settings import Settings
from app.stores import until_answering
from protocol.ids import CellName
from store.redis import admin
from store.redis.connection import Connection
from store.redis.keys import Keys, cell_names
from store.sql.database import DirectDatabase, StoreAway
from store.sql.migrate import is_current
from store.sql.queries import accounts

_PAUSE_S = 0.1


class NotReady(Exception):
    """A part cannot become ready, and why."""


class Readiness:
    """Waits for one part after the other; `waiting_for` names the one that a deadline would be about."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.waiting_for = "nothing"

    async def redis(self) -> str:
        """Wait for Redis; refuse one that would lose or evict what it is given."""
        self.waiting_for = "Redis does not answer"
        connection = await until_answering(self._settings)
        try:
            facts = await admin.facts(connection)
        finally:
            connection.abort()
        if facts.evicts:
            raise NotReady(f"Redis evicts keys (maxmemory-policy {facts.policy}): set noeviction")
        kept = (
            f"append-only file, fsync {facts.fsync}" if facts.append_only else "NO append-only file: see samtale doctor"
        )
        where = "external" if self._settings.redis_url else "embedded"
        return f"{where} {facts.product} {facts.version}, {kept}"

    async def sql(self) -> str:
        """Wait for the schema, which the worker brings up to date."""
        self.waiting_for = "the database schema is not up to date"
        last = ""
        while True:
            try:
                if is_current(self._settings.config_url, "config") and is_current(self._settings.record_url, "record"):
                    break
            except StoreAway as away:
                last = away.reason
            self.waiting_for = f"the database schema is not up to date {last}".strip()
            await asyncio.sleep(_PAUSE_S)
        return "external database" if self._settings.database_url else "SQLite: config.db, record.db"

    async def example(self) -> str:
        """Apply the example workspace if there is no account yet; returns what was done, "" for nothing."""
        database = DirectDatabase(self._settings.config_url)
        try:
            if database.run(accounts.count):
                return ""
        finally:
            await database.close()
        from app.workspace import apply_text

        text = resources.files("app").joinpath("examples/workspace.yaml").read_text(encoding="utf-8")
        apply_text(self._settings.config_url, text, cells=self._settings.cells)
        return "example applied: account nordvik, agents Kari, Ola and Liv"

    async def cells(self) -> str:
        """Wait until every cell has an owner and is open."""
        connection = await until_answering(self._settings)
        names = cell_names(self._settings.cells)
        try:
            while closed := [name for name in names if not await _is_open(connection, name)]:
                self.waiting_for = f"no engine serves {', '.join(closed)}"
                await asyncio.sleep(_PAUSE_S)
        finally:
            connection.abort()
        return f"serves {len(names)} cells"

    async def gateways(self) -> str:
        """Wait until every gateway takes clients."""
        ports = [self._settings.port + at for at in range(self._settings.gateways)]
        for port in ports:
            await self.gateway(f"http://{self._settings.host}:{port}")
        return f"listens on port{'s' if len(ports) > 1 else ''} {', '.join(map(str, ports))}"

    async def gateway(self, url: str) -> None:
        """Wait until the gateway at `url` takes clients."""
        while (why := await asyncio.to_thread(_why_not, f"{url}/readyz")) is not None:
            self.waiting_for = f"the gateway {url} is not ready: {why}"
            await asyncio.sleep(_PAUSE_S)


async def _is_open(connection: Connection, cell: CellName) -> bool:
    keys = Keys(cell)
    status, leased = await asyncio.gather(
        connection.call("HGET", keys.cell, "status"), connection.call("EXISTS", keys.lease)
    )
    return status == b"ready" and bool(leased)


def _why_not(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
            return None
    except urllib.error.HTTPError as answer:
        try:
            return str(json.load(answer).get("why", answer.code))
        except ValueError:
            return f"status {answer.code}"
    except OSError as error:
        return str(error)
