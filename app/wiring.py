"""Each process of an installation, put together: settings, stores, deciders, clocks.

Invariant: this is the only place that knows which parts exist. Each loads no other's code: a part that was killed is
back sooner, and smaller.
"""

import asyncio
import os

import structlog

from app.part import CannotStart, Noting, Stopped, run_part, serve, spare_what_is_loaded, unless, until
from app.settings import Settings
from app.stores import (
    UnfitRedis,
    boot_ms,
    databases,
    dialler,
    embedded_address,
    fit_redis,
    now_ms,
    publish_address,
    redis_address,
    restored_left,
    schema_is_current,
    until_answering,
)
from protocol.ids import AccountId
from store.redis.address import Address
from store.redis.connection import dial
from store.redis.faults import Away, Refused
from store.redis.keys import cell_names
from store.redis.server import EmbeddedValkey, ServerOptions
from store.sql.database import Databases, StoreAway
from store.sql.migrate import migrate
from store.sql.queries import accounts

_FILE_KEY = "file_key"  # the setting that holds what addresses of files are sealed with
_WAIT_S = 0.2
_LAST_S = 4.0  # honcho kills what is left 5 s after the first process ended


def run_valkey(settings: Settings) -> int:
    """Run the embedded Valkey until stopped. Returns the exit status."""
    return run_part("valkey", settings, _valkey)


def run_worker(settings: Settings) -> int:
    """Run a worker until stopped. Returns the exit status."""
    return run_part("worker", settings, _worker)


def run_engine(settings: Settings) -> int:
    """Run an engine until stopped. Returns the exit status."""
    return run_part("engine", settings, _engine)


def run_gateway(settings: Settings) -> int:
    """Run a gateway until stopped. Returns the exit status."""
    return run_part("gateway", settings, _gateway)


async def _valkey(settings: Settings, stop: asyncio.Event) -> None:
    if settings.redis_url is not None:
        structlog.get_logger().info("valkey not needed", why="SAMTALE_REDIS_URL names another")
        await stop.wait()  # ending would end everything, where a Procfile is run
        return
    address = embedded_address(settings)
    options = ServerOptions(port=address.port, password=address.password, durability=settings.durability)
    server = EmbeddedValkey(settings.data / "valkey", options)
    await unless(stop, server.start())
    publish_address(settings, server.address)
    try:
        await unless(stop, server.wait())
        raise CannotStart("Valkey ended by itself: its log is valkey/valkey.log in the data directory")
    except Stopped:
        await _until_left_alone(server.address)
        await server.stop()


async def _until_left_alone(address: Address) -> None:
    """Let the others, who may have been told to stop at the same moment, put away what they have."""
    try:
        async with asyncio.timeout(_LAST_S):
            connection = await dial(address)
            while b"\r\nconnected_clients:1\r" not in await connection.call("INFO", "clients"):
                await asyncio.sleep(_WAIT_S)
    except (Away, Refused, TimeoutError):
        pass


async def _worker(settings: Settings, stop: asyncio.Event) -> None:
    from store.files.bucket import Bucket
    from store.files.erased import ErasedList
    from workers.attachments import Remover
    from workers.worker import Worker, WorkerSettings

    await unless(stop, until(_schema_is_made, settings))
    stores = await unless(stop, _stores(settings))
    files = Remover(Bucket(settings.bucket_url), stores.record)
    dials = dialler(await redis_address(settings))
    doing = WorkerSettings(cell_names(settings.cells), files.kinds, (_frozen, ErasedList(settings.erased_file)))
    worker = Worker(doing, dials, stores, os.urandom, now_ms, structlog.get_logger())
    await serve(worker.run(), stop, worker.stop)
    await stores.close()


def _frozen(account: AccountId, log: list[bytes]) -> bytes:
    """Return what a whole log amounts to; the engine's code is loaded when somebody is erased, and not before."""
    from engine.core.snapshot import frozen

    return frozen(account, log)


async def _engine(settings: Settings, stop: asyncio.Event) -> None:
    from engine.runtime.engine import Engine
    from engine.runtime.surroundings import EngineSettings, Surroundings
    from engine.runtime.watchdog import Watchdog
    from routing.core.roster import RosterDecider

    stores = await unless(stop, _stores(settings))
    watchdog = Watchdog()
    watchdog.install()
    engine = Engine(
        Surroundings(
            settings=EngineSettings(cell_names(settings.cells), lease_s=settings.lease_s),
            dial=dialler(await redis_address(settings)),
            databases=stores,
            roster=RosterDecider(),
            entropy=os.urandom,
            now_ms=now_ms,
            boot_ms=boot_ms,
            watchdog=watchdog,
            log=structlog.get_logger(),
        )
    )  # fmt: skip
    await serve(engine.run(), stop, engine.stop)
    await stores.close()


async def _gateway(settings: Settings, stop: asyncio.Event) -> None:
    from app.rest import rest_pages
    from gateway.core.limits import SessionLimits
    from gateway.core.seals import KEY_BYTES
    from gateway.gateway import FileSettings, Gateway, GatewaySettings

    stores = await unless(stop, _stores(settings))
    await unless(stop, until(_nobody_is_left, settings))
    key = await stores.config.transact(lambda sql: accounts.setting(sql, _FILE_KEY, os.urandom(KEY_BYTES).hex()))
    gateway = Gateway(
        GatewaySettings(
            cells=cell_names(settings.cells),
            host=settings.host,
            port=settings.port,
            lease_s=settings.gateway_lease_s,
            drain_s=settings.drain_s,
            agent_origins=frozenset(settings.origins),
            trusted_proxies=frozenset(settings.proxies),
            limits=SessionLimits(settings.visitor_messages_per_minute, settings.visitor_message_burst),
            files=FileSettings(settings.bucket_url, str(settings.data / "scratch"), bytes.fromhex(key)),
        ),
        dialler(await redis_address(settings)),
        stores,
        os.urandom,
        now_ms,
        structlog.get_logger(),
    )
    gateway.serve_too(rest_pages(gateway, stores, settings.cells, os.urandom, now_ms))
    spare_what_is_loaded()
    try:
        await gateway.run(stop)
    except OSError as error:
        raise CannotStart(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error
    await stores.close()


async def _stores(settings: Settings) -> Databases:
    """Wait for Redis and for the schema, then open the databases; refuse an installation of another size."""
    await _fit_redis(settings)
    await until(schema_is_current, settings)
    stores = databases(settings)
    try:
        cells = await stores.config.transact(lambda sql: accounts.setting(sql, "cells", str(settings.cells)))
    except StoreAway as away:
        await stores.close()
        raise CannotStart(f"SQL: {away.reason}") from None
    if int(cells) != settings.cells:
        await stores.close()
        raise CannotStart(f"this installation was begun with {cells} cells: set SAMTALE_CELLS={cells}")
    return stores


async def _fit_redis(settings: Settings) -> None:
    connection = await until_answering(settings, Noting("redis.away"))
    try:
        await fit_redis(connection)
    except UnfitRedis as unfit:
        raise CannotStart(str(unfit)) from None
    finally:
        connection.abort()


def _nobody_is_left(settings: Settings) -> bool:
    """Whether everybody who was erased before the installation was restored is erased again."""
    return restored_left(settings) == 0


def _schema_is_made(settings: Settings) -> bool:
    migrate(settings.config_url, "config")
    migrate(settings.record_url, "record")
    return True
