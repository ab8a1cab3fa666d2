"""The few things in which SQLite and PostgreSQL differ.

Invariant: nothing outside this module asks which of the two it is talking to.
"""

import asyncio
from typing import Any

from sqlalchemy import Connection, Engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

TRUNCATE_WAL = "PRAGMA wal_checkpoint(TRUNCATE)"
_BUSY_TIMEOUT_S = 10
_UNDEFINED_TABLE = "42P01"  # PostgreSQL's
_TURNS = 0x5475726E  # any number that is ours: "Turn"
WRITTEN_ANEW_BYTES = 64 * 2**20  # takes 0.25 to 0.4 s (docs/howto/people.md), in which who wants that table waits
_NOBODY_WAITS_LONGER = "3s"
_LOOK_EVERY_S, _LOOKS = 0.1, 50
# PostgreSQL removes nothing that a transaction may still see that began before it was deleted.
_OLDER_READERS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
AND (age(backend_xmin) > age(%s::xid) OR age(backend_xid) > age(%s::xid))
"""
_TABLES = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relname
"""
_SCHEMA_LOCK = 0x53616D74616C65  # any number that is ours: "Samtale"


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def driver_url(url: str, *, asynchronous: bool = False) -> str:
    """Return `url` with the driver we use; raises ValueError for what is no URL, or a database we do not speak to."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # their texts quote the URL, password and all
        raise ValueError("a database URL looks like postgresql://user:password@host:5432/name") from None
    match parsed.get_backend_name():
        case "sqlite":
            named = parsed.set(drivername="sqlite+aiosqlite" if asynchronous else "sqlite")
        case "postgresql" | "postgres":
            named = parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(f"{other} is no database for Samtale: use sqlite:///file or postgresql://host/name")
    return named.render_as_string(hide_password=False)


def connect_args(url: str) -> dict[str, Any]:
    """Return what the driver is told: how long it may wait for anybody."""
    if is_sqlite(url):
        return {"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False}
    limits = "-c statement_timeout=15s -c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"
    return {"connect_timeout": 5, "options": limits, "tcp_user_timeout": 10_000}


def tune(engine: Engine, *, writes: bool) -> None:
    """Make each SQLite connection a good neighbour: WAL, explicit transactions, and readers that cannot write."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # else the driver decides when a transaction begins
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # Redis is trimmed below what is here: a power cut must not take it
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute("PRAGMA secure_delete=ON")  # erasure must leave nothing in free pages
        if not writes:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE: a transaction that upgrades from reading to writing can be refused half-way.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def lacks_schema(error: DBAPIError) -> bool:
    """Whether a table was not there (yet); SQLite calls that an operational error anyway."""
    return getattr(error.orig, "sqlstate", "") == _UNDEFINED_TABLE


def take_turns(connection: Connection, name: str) -> None:
    """Let nobody else past who names the same until this transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_TURNS, func.hashtext(name))))


def lock_schema(connection: Connection) -> None:
    """Let nobody else change the schema until this transaction ends; SQLite's BEGIN IMMEDIATE did already."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))


async def scrub(driver: Any, *, is_file: bool) -> str:
    """Leave nothing of what was deleted where it stood; return why that is not possible now, "" if it was done.

    SQLite has overwritten it (`secure_delete`), but the log of what was written is still there. PostgreSQL leaves bytes
    in the gaps of pages and indexes: tables are written anew, large ones only cleaned, for nobody reads them meanwhile.
    Its own log goes as it is configured to.
    """
    if is_file:
        async with driver.execute(TRUNCATE_WAL) as cursor:
            busy, *_ = await cursor.fetchone()
        return "somebody reads what was there before" if busy else ""
    import psycopg

    try:
        await driver.set_autocommit(True)
        try:
            await driver.execute("SET statement_timeout = 0")
            await driver.execute(f"SET lock_timeout = '{_NOBODY_WAITS_LONGER}'")
            return await _write_anew(driver)
        finally:
            await driver.execute("RESET statement_timeout")
            await driver.execute("RESET lock_timeout")
            await driver.set_autocommit(False)
    except psycopg.Error as error:
        return str(error).partition("\n")[0]


async def _write_anew(driver: Any) -> str:
    found = await driver.execute("SELECT pg_current_xact_id()::xid::text")
    (now,) = await found.fetchone()
    for _ in range(_LOOKS):
        found = await driver.execute(_OLDER_READERS, (now, now))
        (older,) = await found.fetchone()
        if not older:
            break
        await asyncio.sleep(_LOOK_EVERY_S)
    else:
        return "somebody reads what was there before"
    found = await driver.execute(_TABLES)
    for name, size_bytes in await found.fetchall():
        await driver.execute(f'VACUUM {"(FULL) " if size_bytes < WRITTEN_ANEW_BYTES else ""}"{name}"')
    return ""
