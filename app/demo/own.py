"""An installation of the demo's own: `samtale run` as anybody starts it, on free ports, in a throw-away directory.

Invariant: nothing of it is left, whether the story ends, fails or is killed; nothing outside it is read or written.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.readiness import Readiness
from app.settings import Settings

GATEWAYS = 2  # so that a phone comes back elsewhere
START_WITHIN_S = 120.0
STOP_WITHIN_S = 40.0
_TAIL_CHARS = 2_000


class CannotPlay(Exception):
    """There is nowhere to play the story, and why."""


@asynccontextmanager
async def own_installation() -> AsyncIterator[Settings]:
    """Lend the settings of an installation that runs until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="samtale-demo-") as scratch:
        port = _free_ports(GATEWAYS)
        # Not from the environment: what that names belongs to another installation.
        settings = Settings.model_construct(data=Path(scratch) / "data", port=port, gateways=GATEWAYS)
        said = Path(scratch) / "said.txt"
        child = await _start(settings, said)
        try:
            await _until_ready(child, settings, said)
            yield settings
        finally:
            await _stop(child)


async def _start(settings: Settings, said: Path) -> asyncio.subprocess.Process:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SAMTALE_")}
    with said.open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app.cli", "run", "--data", str(settings.data), "--port", str(settings.port),
            "--gateways", str(settings.gateways), "--empty",
            stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,  # Ctrl-C is ours to pass on, in order
            env=ours | {
                "SAMTALE_PARENT": str(os.getpid()), "SAMTALE_DRAIN_S": "0.2",
                "SAMTALE_START_DEADLINE_S": f"{START_WITHIN_S:g}",
            },
        )  # fmt: skip


async def _until_ready(child: asyncio.subprocess.Process, settings: Settings, said: Path) -> None:
    ended = asyncio.ensure_future(child.wait())
    ready = asyncio.ensure_future(_all_ready(settings))
    try:
        await asyncio.wait({ended, ready}, timeout=START_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            raise CannotPlay(f"the demo's own installation did not start:\n{await asyncio.to_thread(_tail_of, said)}")
    finally:
        ended.cancel()
        ready.cancel()
        await asyncio.gather(ended, ready, return_exceptions=True)


async def _all_ready(settings: Settings) -> None:
    ready = Readiness(settings)
    for at in range(settings.gateways):
        await ready.gateway(f"http://{settings.host}:{settings.port + at}")


async def _stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


def _tail_of(said: Path) -> str:
    return said.read_text(errors="replace")[-_TAIL_CHARS:]


def _free_ports(count: int) -> int:
    """Return the first of `count` ports in a row that are free now."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if port + count <= 65_536 and all(_is_free(port + at) for at in range(1, count)):
                return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
