"""How this installation's Redis and SQL are reached, by every process and tool alike.

Invariant: the embedded Valkey keeps its port and password over restarts, so that who knows them need not ask again.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable

from app.settings import Settings
from protocol.ids import CellName
from store.redis import admin
from store.redis.address import Address, parse
from store.redis.cluster import Dialler
from store.redis.connection import Connection, Dial, dial
from store.redis.faults import Away
from store.sql.database import Databases, DirectDatabase, SqlDatabase
from store.sql.migrate import is_current
from store.sql.queries import restoring

OLDEST_REDIS = 7  # sharded pub/sub, script flags


def now_ms() -> int:
    """Return milliseconds since 1970 by this machine's clock."""
    return time.time_ns() // 1_000_000


def boot_ms() -> int:
    """Return milliseconds of a clock that only counts up, through suspension too; from an arbitrary beginning."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1_000_000


def none_here(settings: Settings) -> str:
    """Return what to say where no installation was begun, "" where one was; a phone's memory alone is none."""
    if settings.database_url is not None or (settings.data / "record.db").exists():
        return ""
    return f"there is no installation in {settings.data}: samtale run begins one"


def embedded_address(settings: Settings) -> Address:
    """Return where the embedded Valkey listens: as last time if the port is still free, else on a free one."""
    known = _written_address(settings)
    if known is not None and _is_free(known.port):
        return known
    return Address(port=_free_port(), password=known.password if known else secrets.token_urlsafe(24))


def publish_address(settings: Settings, address: Address) -> None:
    """Write the address where the other processes look for it, for this user's eyes only."""
    draft = settings.valkey_url_file.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(address.url)
    draft.replace(settings.valkey_url_file)


async def redis_address(settings: Settings) -> Address:
    """Return the address of Redis; waits for the embedded one to be named, if that is the one in use."""
    if settings.redis_url is not None:
        return parse(settings.redis_url)
    while (known := _written_address(settings)) is None:
        await asyncio.sleep(0.05)
    return known


def dialler(address: Address) -> Dial:
    """Return the Dial for one server, or for the cluster that it belongs to."""
    return Dialler(address)


async def until_answering(settings: Settings, note: Callable[[str], None] | None = None) -> Connection:
    """Return a connection to Redis as soon as it answers, reading its address again each time.

    `note` is told why it does not. Raises Refused if it lets nobody in with these credentials.
    """
    while True:
        address = await redis_address(settings)
        try:
            return await dial(address)
        except Away as away:
            if note is not None:
                note(f"Redis: {away}")
            await asyncio.sleep(0.1)


class UnfitRedis(Exception):
    """This Redis would lose what it is given, or lacks what we need; and what to do about it."""


async def fit_redis(connection: Connection) -> admin.Facts:
    """Return how Redis is set up; raises UnfitRedis if no installation may run on it."""
    facts = await admin.facts(connection)
    if facts.product == "Redis" and int(facts.version.split(".")[0]) < OLDEST_REDIS:
        raise UnfitRedis(f"this is Redis {facts.version}: {OLDEST_REDIS}.0 or newer, or Valkey, is needed")
    if facts.evicts:
        raise UnfitRedis(f"Redis evicts keys when full (maxmemory-policy {facts.policy}): set it to noeviction")
    return facts


class CellLines:
    """Connections for tools that ask about one cell after the other: one, or in a cluster one for each cell."""

    def __init__(self, any_node: Connection, settings: Settings) -> None:
        self._any = any_node
        self._settings = settings
        self._opened = [any_node]

    async def to(self, cell: CellName | None) -> Connection:
        """Return a connection to the node that holds the cell's keys (None: those of no cell). Raises Away."""
        if not self._any.is_cluster:
            return self._any
        self._opened.append(await dialler(await redis_address(self._settings))(cell))
        return self._opened[-1]

    def abort(self) -> None:
        """End all of them."""
        for connection in self._opened:
            connection.abort()


def databases(settings: Settings) -> Databases:
    """Open both databases; nothing is connected before the first query."""
    return Databases(SqlDatabase(settings.config_url), SqlDatabase(settings.record_url))


def schema_is_current(settings: Settings) -> bool:
    """Whether both databases have the schema that this version knows. Raises StoreAway; blocks until SQL answers."""
    return is_current(settings.config_url, "config") and is_current(settings.record_url, "record")


def restored_left(settings: Settings) -> int:
    """Return how many erasures are to be done again before anybody is served. Raises StoreAway."""
    database = DirectDatabase(settings.config_url)
    try:
        return database.run(restoring.left)
    finally:
        database.engine.dispose()


def _written_address(settings: Settings) -> Address | None:
    try:
        return parse(settings.valkey_url_file.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
