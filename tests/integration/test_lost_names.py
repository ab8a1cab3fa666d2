"""A Redis that lost the names of apps and logins sends nobody away, and gets them back."""

import asyncio
import os

import pytest
import structlog
from msgspec.structs import replace

from gateway.cells import Cells
from gateway.configs import Configs
from protocol.ids import AccountId, AppKey, CellName
from store.redis.cluster import Dialler
from store.redis.connection import Connection
from store.redis.faults import Away
from store.redis.keys import APPS, LOGINS, SERVERS, Keys, cell_names
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.queries import publications
from tests.kit.engines import CELL
from tests.kit.workplace import ACCOUNT, APP, workplace
from workers.publish import Publisher
from workers.worker import Worker, WorkerSettings

SERVER_KEY = "f" * 64


async def published(databases: Databases) -> None:
    config = workplace()
    config = replace(config, apps=[replace(app, server_keys=[SERVER_KEY]) for app in config.apps])
    await databases.config.transact(lambda sql: publications.publish(sql, [config], 0))


async def test_a_name_that_only_sql_knows_is_away_and_not_unknown(
    valkey: EmbeddedValkey, sqlite_databases: Databases
) -> None:
    """A phone that is told `app_unknown` never comes back; one whose name Redis lost must."""
    await published(sqlite_databases)
    cells = Cells(Dialler(valkey.address), cell_names(1))
    configs = Configs(cells, sqlite_databases.config, lambda _config: None)
    running = asyncio.create_task(cells.run(lambda: None))
    try:
        async with asyncio.timeout(60):
            while not cells.all_open():
                await asyncio.sleep(0)
        with pytest.raises(Away):
            await configs.of_app(APP)
        assert await configs.of_app(AppKey("app_nobody")) is None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_redis_lost_is_published_again(valkey: EmbeddedValkey, sqlite_databases: Databases) -> None:
    """Configuration, app keys, logins and server keys come back; what is there already is left alone."""
    await published(sqlite_databases)
    publisher = Publisher(Dialler(valkey.address), sqlite_databases.config)
    assert await publisher.mend() == [ACCOUNT]
    assert await publisher.mend() == []
    line = await Dialler(valkey.address)(None)
    try:
        assert await line.call("HGET", APPS, APP) == f"{CELL} {ACCOUNT}".encode()
        assert await line.call("HGET", SERVERS, SERVER_KEY) == f"{CELL} {ACCOUNT}".encode()
        for names in (APPS, LOGINS, SERVERS):
            await line.call("DEL", names)
            assert await publisher.mend() == [ACCOUNT]
        await line.call("DEL", Keys(CELL).config(ACCOUNT))
        assert await publisher.mend() == [ACCOUNT]
    finally:
        await line.close()


async def test_looking_for_what_is_lost_takes_a_line_per_cell(
    valkey: EmbeddedValkey, sqlite_databases: Databases
) -> None:
    """However many accounts there are: a worker that looks must not be taken for dead meanwhile."""
    many = [
        replace(workplace(), account=AccountId(f"acc_{number}"), apps=[], agents=[], inboxes=[]) for number in range(9)
    ]
    await sqlite_databases.config.transact(lambda sql: publications.publish(sql, many, 0))
    dialled: list[CellName | None] = []

    async def dial(cell: CellName | None) -> Connection:
        dialled.append(cell)
        return await Dialler(valkey.address)(cell)

    publisher = Publisher(dial, sqlite_databases.config)
    assert len(await publisher.mend()) == 9
    dialled.clear()
    assert await publisher.mend() == []
    assert dialled == [None, CELL]


async def test_a_worker_mends_as_soon_as_it_has_a_line(valkey: EmbeddedValkey, sqlite_databases: Databases) -> None:
    """No job asks for it: a Redis that was restarted may have lost what no cell misses."""
    await published(sqlite_databases)
    worker = Worker(
        WorkerSettings(cell_names(1)), Dialler(valkey.address), sqlite_databases, os.urandom, lambda: 0,
        structlog.get_logger(),
    )  # fmt: skip
    running = asyncio.create_task(worker.run())
    line = await Dialler(valkey.address)(None)
    try:
        async with asyncio.timeout(60):
            while not await line.call("HEXISTS", APPS, APP):
                await asyncio.sleep(0)
    finally:
        worker.stop()
        await running
        await line.close()
