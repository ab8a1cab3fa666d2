"""The few things in which SQLite and PostgreSQL differ.

Invariant: nothing outside this module asks which of the two it is talking to.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

TRUNCATE_WAL = "PRAGMA wal_checkpoint(TRUNCATE)"
_BUSY_TIMEOUT_S = 10
_UNDEFINED_TABLE = "42P01"  # PostgreSQL's
_TURNS = 0x5475726E  # any number that is ours: "Turn"
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


async def scrub(driver: Any, *, is_file: bool) -> bool:
    """Leave nothing of what was deleted where it stood; False while a reader of SQLite's still needs it.

    SQLite has overwritten it (`secure_delete`), but the log of what was written is still there. PostgreSQL makes room
    in its pages; its own log goes as it is configured to.
    """
    if is_file:
        async with driver.execute(TRUNCATE_WAL) as cursor:
            busy, *_ = await cursor.fetchone()
        return not busy
    await driver.set_autocommit(True)
    try:
        await driver.execute("SET statement_timeout = 0")
        await driver.execute("VACUUM")
        await driver.execute("RESET statement_timeout")
    finally:
        await driver.set_autocommit(False)
    return True
