"""What a Database promises, on SQLite and on PostgreSQL."""

import asyncio
import threading
import traceback
from collections.abc import AsyncIterator

import msgspec
import pytest
from sqlalchemy import Connection, text

from protocol.ids import CellName
from store.sql.database import Database, Databases, DirectDatabase, SqlDatabase, StoreAway, StoreRefused
from store.sql.queries import accounts, cells, commits
from tests.kit.commits import commit, conversation, said
from tests.kit.sql_servers import Postgres, open_databases


@pytest.fixture
async def config(sql_urls: tuple[str, str]) -> AsyncIterator[Database]:
    both = open_databases(*sql_urls)
    yield both.config
    await both.close()


def name(value: str):
    return lambda connection: accounts.setting(connection, "name", value)


async def test_a_transaction_is_kept(config: Database) -> None:
    """What was written is read by the next."""
    await config.transact(name("first"))
    assert await config.transact(name("second")) == "first"


async def test_a_transaction_that_raises_has_not_happened(config: Database) -> None:
    """An exception of the query comes out as it is, and takes everything back."""

    def half(connection: Connection) -> None:
        name("first")(connection)
        raise LookupError("half-way")

    with pytest.raises(LookupError):
        await config.transact(half)
    assert await config.transact(name("second")) == "second"


async def test_writers_at_once_take_turns(config: Database) -> None:
    """Many transactions at the same time are all kept, one after the other."""

    def add(connection: Connection) -> None:
        count = int(connection.execute(text("SELECT value FROM installation WHERE name = 'n' ")).scalar_one())
        connection.execute(text("UPDATE installation SET value = :n WHERE name = 'n'"), {"n": str(count + 1)})

    def add_locked(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE installation"))
        add(connection)

    await config.transact(lambda connection: accounts.setting(connection, "n", "0"))
    await asyncio.gather(*(config.transact(add_locked) for _ in range(30)))
    assert await config.transact(lambda connection: accounts.setting(connection, "n", "")) == "30"


async def test_a_cancelled_transaction_leaves_a_usable_database(config: Database) -> None:
    """Whoever gives up on a transaction does not take the connection along."""
    for turns in range(40):
        task = asyncio.ensure_future(config.transact(name("first")))
        for _ in range(turns):
            await asyncio.sleep(0)  # gives up at another await each time
        task.cancel()
        await asyncio.wait([task])
    assert await config.transact(name("last")) in ("first", "last")


async def test_a_database_without_tables_is_away(sql_urls: tuple[str, str]) -> None:
    """A schema that is not there yet is a fault that passes, on SQLite as on PostgreSQL."""
    database = SqlDatabase(sql_urls[0])
    with pytest.raises(StoreAway):
        await database.read(accounts.count)
    await database.close()


async def test_no_answer_in_time_is_away(postgres: Postgres) -> None:
    """A server that is busy for longer than we wait counts as away; afterwards it serves again."""
    database = SqlDatabase(postgres.new_database(), timeout_s=0.2)
    with pytest.raises(StoreAway, match=r"no answer within 0\.2 s"):
        await database.read(lambda connection: connection.execute(text("SELECT pg_sleep(20)")))
    await database.close()


async def test_a_server_that_ended_our_lines_is_dialled_again(postgres: Postgres) -> None:
    """Connections that died while they lay in the pool are replaced unnoticed."""
    url = postgres.new_database()
    database = SqlDatabase(url)
    pid = await database.read(lambda connection: connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
    postgres.run(f"SELECT pg_terminate_backend({pid}, 5000)")
    assert await database.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one()) == 1
    await database.close()


async def test_a_line_that_ends_in_mid_transaction_is_away(postgres: Postgres) -> None:
    """Nobody knows what became of it, and that is what is said."""
    database = SqlDatabase(postgres.new_database())

    def killed(connection: Connection) -> None:
        postgres.run(
            f"SELECT pg_terminate_backend({connection.execute(text('SELECT pg_backend_pid()')).scalar_one()}, 5000)"
        )
        connection.execute(text("SELECT 1"))

    with pytest.raises(StoreAway):
        await database.transact(killed)
    await database.close()


@pytest.mark.parametrize("url", ["postgresql://samtale:hush@/x?host=/nowhere", "sqlite:////nowhere/at/all.db"])
async def test_a_server_that_cannot_be_reached_is_away(url: str) -> None:
    """With a reason that names no password."""
    database = SqlDatabase(url)
    with pytest.raises(StoreAway) as away:
        await database.read(accounts.count)
    assert away.value.reason
    assert "hush" not in away.value.reason
    await database.close()
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:  # aiosqlite's: after a failure it reports once more to the loop
            thread.join(10)


async def test_a_reader_of_sqlite_cannot_write(sqlite_urls: tuple[str, str]) -> None:
    """Reading never takes the writer's turn."""
    both = open_databases(*sqlite_urls)
    with pytest.raises(StoreAway, match="readonly"):
        await both.config.read(name("first"))
    await both.close()


async def test_readers_go_on_while_a_writer_holds_sqlite(sqlite_urls: tuple[str, str]) -> None:
    """Write-ahead logging: history can be read while the scribe writes."""
    both = open_databases(*sqlite_urls)
    writer = DirectDatabase(sqlite_urls[0])
    with writer.engine.begin() as writing:
        name("first")(writing)
        assert await both.config.read(accounts.count) == 0
    assert await both.config.transact(name("second")) == "first"
    await writer.close()
    await both.close()


async def test_the_direct_database_keeps_the_same_promises() -> None:
    """The simulation's database: the same queries, whole or not at all."""
    database = DirectDatabase("sqlite://")
    with pytest.raises(StoreAway):
        await database.read(accounts.count)
    await database.transact(lambda connection: connection.exec_driver_sql("CREATE TABLE t (a)"))
    with pytest.raises(LookupError):
        await database.transact(fill_and_fail)
    assert await database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM t").scalar_one()) == 0
    await database.close()


def fill_and_fail(connection: Connection) -> None:
    connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    raise LookupError


async def test_what_sql_will_not_take_is_said_without_its_values(databases: Databases) -> None:
    """An error may be logged; what people wrote may not (security: no message bodies in logs)."""
    secret = b"meet me at the harbour"
    row = said(conversation(1), 1)
    twice = commit(1, events=[msgspec.structs.replace(row, visitor_frame=secret)] * 2)

    def copy(sql: Connection) -> None:
        cells.begin_epoch(sql, CellName("c00"), 1)
        commits.apply(sql, CellName("c00"), [twice])

    with pytest.raises(StoreRefused) as refused:
        await databases.record.transact(copy)
    told = "".join(traceback.format_exception(refused.value))
    assert "unique" in told.lower()
    assert secret.decode() not in told
