"""Each process of an installation, put together: settings, stores, deciders, clocks; and ended by SIGTERM or Ctrl-C.

Invariant: this is the only place that knows which parts exist; a part that cannot start says why in one line.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine

import click
import structlog

from app.settings import Settings
from app.stores import (
    boot_ms,
    databases,
    dialler,
    embedded_address,
    now_ms,
    publish_address,
    redis_address,
    until_answering,
)
from app.telemetry import start_logging
from engine.runtime.engine import Engine
from engine.runtime.surroundings import EngineSettings, Surroundings
from engine.runtime.watchdog import Watchdog
from gateway.core.limits import SessionLimits
from gateway.gateway import Gateway, GatewaySettings
from routing.core.roster import RosterDecider
from store import failpoints
from store.redis.faults import Refused
from store.redis.keys import cell_names
from store.redis.server import EmbeddedValkey, ServerFault, ServerOptions
from store.sql.database import Databases, StoreAway
from store.sql.migrate import is_current, migrate
from store.sql.queries import accounts
from workers.worker import Worker, WorkerSettings

Main = Callable[[Settings, asyncio.Event], Awaitable[None]]

_WAIT_S = 0.2


class CannotStart(Exception):
    """This process must not run with these settings, and why."""


def run_valkey(settings: Settings) -> int:
    """Run the embedded Valkey until stopped. Returns the exit status."""
    return _run("valkey", settings, _valkey)


def run_worker(settings: Settings) -> int:
    """Run a worker until stopped. Returns the exit status."""
    return _run("worker", settings, _worker)


def run_engine(settings: Settings) -> int:
    """Run an engine until stopped. Returns the exit status."""
    return _run("engine", settings, _engine)


def run_gateway(settings: Settings) -> int:
    """Run a gateway until stopped. Returns the exit status."""
    return _run("gateway", settings, _gateway)


async def _valkey(settings: Settings, stop: asyncio.Event) -> None:
    address = embedded_address(settings)
    server = EmbeddedValkey(settings.data / "valkey", ServerOptions(port=address.port, password=address.password))
    await server.start()
    publish_address(settings, server.address)
    stopping, ending = asyncio.create_task(stop.wait()), asyncio.create_task(server.wait())
    await asyncio.wait({stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        stopping.cancel()
        raise CannotStart(f"Valkey ended by itself with status {ending.result()}")
    await server.stop()
    await ending


async def _worker(settings: Settings, stop: asyncio.Event) -> None:
    await _until(_schema_is_made, settings)
    stores = await _stores(settings)
    worker = Worker(
        WorkerSettings(cell_names(settings.cells)), dialler(await redis_address(settings)), stores, os.urandom, now_ms,
        structlog.get_logger(),
    )  # fmt: skip
    await _serve(worker.run(), stop, worker.stop)
    await stores.close()


async def _engine(settings: Settings, stop: asyncio.Event) -> None:
    stores = await _stores(settings)
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
    await _serve(engine.run(), stop, engine.stop)
    await stores.close()


async def _gateway(settings: Settings, stop: asyncio.Event) -> None:
    stores = await _stores(settings)
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
        ),
        dialler(await redis_address(settings)),
        stores,
        os.urandom,
        now_ms,
        structlog.get_logger(),
    )
    await gateway.run(stop)
    await stores.close()


async def _stores(settings: Settings) -> Databases:
    """Wait for Redis and for the schema, then open the databases; refuse an installation of another size."""
    (await until_answering(settings)).abort()
    await _until(_schema_is_current, settings)
    stores = databases(settings)
    cells = await stores.config.transact(lambda sql: accounts.setting(sql, "cells", str(settings.cells)))
    if int(cells) != settings.cells:
        await stores.close()
        raise CannotStart(f"this installation was begun with {cells} cells: set SAMTALE_CELLS={cells}")
    return stores


async def _serve(run: Coroutine[None, None, None], stop: asyncio.Event, end: Callable[[], None]) -> None:
    """Run until it ends, or until `stop` is set and `end` has made it return."""
    running = asyncio.create_task(run)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        end()
    stopping.cancel()
    await running


def _schema_is_made(settings: Settings) -> bool:
    migrate(settings.config_url, "config")
    migrate(settings.record_url, "record")
    return True


def _schema_is_current(settings: Settings) -> bool:
    return is_current(settings.config_url, "config") and is_current(settings.record_url, "record")


async def _until(holds: Callable[[Settings], bool], settings: Settings) -> None:
    said = ""
    while True:
        try:
            if await asyncio.to_thread(holds, settings):
                return
        except StoreAway as away:
            if away.reason != said:
                said = away.reason
                structlog.get_logger().warning("sql.away", reason=said)
        await asyncio.sleep(_WAIT_S)


def _run(name: str, settings: Settings, main: Main) -> int:
    start_logging(name, settings.log_level)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    failpoints.arm_from(settings.failpoints, settings.failpoint_hits)
    try:
        if sys.platform == "win32":
            asyncio.run(_until_stopped(settings, main))
        else:
            import uvloop

            uvloop.run(_until_stopped(settings, main))
    except (CannotStart, ServerFault, Refused, OSError) as error:
        click.echo(f"samtale {name}: {error}", err=True)
        return 2
    return 0


async def _until_stopped(settings: Settings, main: Main) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await main(settings, stop)
