"""Whether each part of a starting installation is there yet, and what to tell the operator about it.

Invariant: asks and never changes, but for the example workspace on an installation that has no account.
"""

import asyncio
import json
import urllib.error
import urllib.request
from importlib import resources

from app.settings import Settings
from app.stores import CellLines, UnfitRedis, fit_redis, restored_left, schema_is_current, until_answering
from protocol.ids import CellName
from store.redis.connection import Connection
from store.redis.faults import Away, Refused
from store.redis.keys import Keys, cell_names
from store.sql.database import DirectDatabase, StoreAway
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
        try:
            connection = await until_answering(self._settings, self._note)
            try:
                facts = await fit_redis(connection)
            finally:
                connection.abort()
        except Refused as refused:
            raise NotReady(f"Redis: {refused}: look at SAMTALE_REDIS_URL") from None
        except UnfitRedis as unfit:
            raise NotReady(str(unfit)) from None
        kept = (
            f"append-only file, fsync {facts.fsync}" if facts.append_only else "NO append-only file: see samtale doctor"
        )
        where = "external" if self._settings.redis_url else "embedded"
        return f"{where} {facts.product} {facts.version}, {kept}"

    async def sql(self) -> str:
        """Wait for the schema, which the worker brings up to date."""
        self.waiting_for = "SQL: the schema is not up to date yet"
        while True:
            try:
                if await asyncio.to_thread(schema_is_current, self._settings):
                    break
            except StoreAway as away:
                self._note(f"SQL: {' '.join(away.reason.split())}")
            await asyncio.sleep(_PAUSE_S)
        return "external database" if self._settings.database_url else "SQLite: config.db, record.db"

    def _note(self, why: str) -> None:
        self.waiting_for = why

    async def example(self) -> str:
        """Apply the example workspace if there is no account yet; returns what was done, "" for nothing."""
        database = DirectDatabase(self._settings.config_url)
        try:
            if database.run(accounts.count):
                return ""
        finally:
            await database.close()
        from admin.workspace import apply_text

        text = resources.files("app").joinpath("examples/workspace.yaml").read_text(encoding="utf-8")
        apply_text(self._settings.config_url, text, cells=self._settings.cells)
        return "example applied: accounts nordvik (agents Kari, Ola and Liv) and fjord"

    async def cells(self) -> str:
        """Wait until every cell has an owner and is open."""
        names = cell_names(self._settings.cells)
        while closed := await self._closed(names):
            self._note(f"no engine serves {', '.join(closed)} yet")
            await asyncio.sleep(_PAUSE_S)
        return f"serves {len(names)} cells"

    async def _closed(self, names: list[CellName]) -> list[CellName]:
        lines = CellLines(await until_answering(self._settings, self._note), self._settings)
        try:
            return [name for name in names if not await _is_open(await lines.to(name), name)]
        except Away:
            return names
        finally:
            lines.abort()

    async def erasures(self) -> int:
        """Wait until everybody is erased again who was before the installation was restored; return how many waited."""
        most = 0
        while left := await asyncio.to_thread(restored_left, self._settings):
            most = max(most, left)
            self._note(f"{left} people who were erased since the backup are erased again")
            await asyncio.sleep(_PAUSE_S)
        return most

    async def gateways(self) -> str:
        """Wait until every gateway takes clients."""
        ports = [self._settings.port + at for at in range(self._settings.gateways)]
        for at in range(len(ports)):
            await self.gateway(self._settings.gateway_url(at))
        return f"listens on port{'s' if len(ports) > 1 else ''} {', '.join(map(str, ports))}"

    async def gateway(self, url: str) -> None:
        """Wait until the gateway at `url` takes clients."""
        while (why := await asyncio.to_thread(_why_not, f"{url}/readyz")) is not None:
            self._note(f"the gateway {url} is not ready: {why}")
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
    except urllib.error.URLError as error:
        return "nobody listens there" if isinstance(error.reason, ConnectionRefusedError) else str(error.reason)
    except OSError as error:
        return str(error)
