"""One process of an installation: how it waits for the others, and ends by SIGTERM or Ctrl-C, whatever it is doing.

Invariant: a part that cannot run as it is set up says why in one line, with exit status 2; one that was asked to stop
ends with 0.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

import click
import structlog

from app.settings import Settings
from app.telemetry import start_logging
from store import failpoints
from store.redis.faults import Refused
from store.redis.server import ServerFault
from store.sql.database import StoreAway
from store.sql.migrate import NewerSchema

T = TypeVar("T")
Main = Callable[[Settings, asyncio.Event], Awaitable[None]]

COLLECT_EACH = 10_000  # objects more: takes 3.6 % off a gateway's Python per message, and no memory
_LOOK_AGAIN_S = 0.2


class CannotStart(Exception):
    """This process must not run with these settings, and why."""


class Stopped(Exception):
    """Asked to stop while it still waited for another part."""


def run_part(name: str, settings: Settings, main: Main) -> int:
    """Run `main` until it ends or is told to by its event. Returns the exit status."""
    start_logging(name, settings.log_level)
    failpoints.arm_from(settings.failpoints, settings.failpoint_hits)
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if sys.platform == "win32":
            asyncio.run(_until_stopped(settings, main))
        else:
            import uvloop

            uvloop.run(_until_stopped(settings, main))
    except Stopped:
        return 0
    except (CannotStart, ServerFault, NewerSchema, Refused, OSError) as error:
        click.echo(f"samtale {name}: {error}", err=True)
        return 2
    return 0


async def _until_stopped(settings: Settings, main: Main) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await main(settings, stop)


async def unless(stop: asyncio.Event, work: Coroutine[None, None, T]) -> T:
    """Return what `work` returns; raises Stopped, with `work` cancelled, if `stop` is set before."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    raise Stopped


def spare_what_is_loaded() -> None:
    """Keep everything loaded so far out of garbage collections, and let what is under way pass by between two of them.

    A full one looked at it again and again: 240 to 350 ms in which a gateway served nobody (docs/performance.md). By
    default one begins with every 700 objects, which the commands in flight alone are many times over.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EACH)


async def serve(run: Coroutine[None, None, None], stop: asyncio.Event, end: Callable[[], None]) -> None:
    """Run until it ends, or until `stop` is set and `end` has made it return."""
    spare_what_is_loaded()
    running = asyncio.create_task(run)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        end()
    stopping.cancel()
    await running


async def until(holds: Callable[[Settings], bool], settings: Settings) -> None:
    """Wait until SQL can be asked, and the answer is yes."""
    note = Noting("sql.away")
    while True:
        try:
            if await asyncio.to_thread(holds, settings):
                return
        except StoreAway as away:
            note(away.reason)
        await asyncio.sleep(_LOOK_AGAIN_S)


class Noting:
    """Logs a reason once, as long as it stays the same."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._said = ""

    def __call__(self, why: str) -> None:
        if why != self._said:
            self._said = why
            structlog.get_logger().warning(self._event, why=why)
