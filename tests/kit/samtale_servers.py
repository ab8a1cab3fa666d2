"""Whole installations for tests: `samtale run` as a newcomer starts it, on free ports over a throw-away directory.

Invariant: one per test file, started when first asked for, stopped with SIGTERM; what it says is shown when it fails.
"""

import asyncio
import itertools
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.kit.living import descendants

CANNOT_START = 2
READY_WITHIN_S = 150
START_DEADLINE_S = 180
STOP_DEADLINE_S = 90
GATEWAY_LEASE_S = 30  # a machine that stands still for a while sends nobody away
_PORTS = 20_000, 32_000  # below those that the kernel gives to whoever asks for any
_next = itertools.count(os.getpid() * 97)  # one process rarely begins where another does


@dataclass(frozen=True, slots=True)
class RunningSamtale:
    """A running installation with the example workspace applied."""

    url: str  # http://127.0.0.1:port
    data: Path
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        """What a tool must be told to look at this installation."""
        return os.environ | {"SAMTALE_DATA": str(self.data), "SAMTALE_PORT": self.url.rsplit(":", 1)[1]}


def bare_environment() -> dict[str, str]:
    """Return this process's environment without the settings of any installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SAMTALE_")}


def free_port() -> int:
    """Return a port that is nobody's now, and that nobody is given later: servers come back to theirs after a while."""
    first, end = _PORTS
    for number in _next:
        port = first + number % (end - first)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("counting has no end")


class Installation:
    """`samtale run` in `data`; start and stop it at will."""

    def __init__(self, data: Path, *options: str, **settings: str) -> None:
        self.data, self.options, self.port = data, options, free_port()
        self.environment = bare_environment() | {f"SAMTALE_{name.upper()}": value for name, value in settings.items()}
        self.said: list[str] = []
        self._child: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> RunningSamtale:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> RunningSamtale:
        self.said.clear()
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app.cli", "run", "--data", str(self.data), "--port", str(self.port), *self.options,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, stdin=asyncio.subprocess.DEVNULL,
            env={
                "SAMTALE_START_DEADLINE_S": str(READY_WITHIN_S), "SAMTALE_DRAIN_S": "0.5",
                "SAMTALE_PARENT": str(os.getpid()), "SAMTALE_GATEWAY_LEASE_S": str(GATEWAY_LEASE_S),
            } | self.environment,
        )  # fmt: skip
        up = asyncio.Event()
        self._listening = asyncio.create_task(self._listen(up))
        waiting = asyncio.create_task(up.wait())
        await asyncio.wait({self._listening, waiting}, timeout=START_DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not up.is_set():
            if not self._listening.done():
                await self.kill()
            await self._child.wait()
            raise AssertionError("samtale run did not come up:\n" + "".join(self.said) + self.logs())
        return RunningSamtale(f"http://127.0.0.1:{self.port}", self.data, self._child.pid)

    async def refused(self) -> str:
        """Start it, expecting exit status 2; return what it said."""
        try:
            await self.start()
        except AssertionError:
            assert self._child is not None
            assert self._child.returncode == CANNOT_START, "".join(self.said)
            return "".join(self.said)
        await self.stop()
        raise AssertionError("it was not refused")

    def pid_of(self, part: str) -> int:
        """Return the process id of a running part: valkey, worker, engine, gateway, or valkey-server."""
        assert self._child is not None
        marks = {"valkey-server": "valkey-server"}.get(part, f"app.cli {part}")
        found = [pid for pid, command in descendants(self._child.pid).items() if marks in command]
        assert len(found) == 1, f"{len(found)} processes are {part}"
        return found[0]

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end as Ctrl-C or a service would; return its exit status."""
        assert self._child is not None
        if self._child.returncode is None:
            self._child.send_signal(number)
        async with asyncio.timeout(STOP_DEADLINE_S):
            status = await self._child.wait()
        await self._heard()
        return status

    async def kill(self) -> None:
        """kill -9 the supervisor."""
        assert self._child is not None
        if self._child.returncode is None:
            self._child.kill()
        await self._child.wait()
        await self._heard()

    def logs(self) -> str:
        """Return the ends of the processes' logs."""
        files = sorted((self.data / "logs").glob("*.log"))
        return "\n".join(f"--- {file.name}\n{file.read_text()[-3000:]}" for file in files)

    async def _heard(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self, up: asyncio.Event) -> None:
        assert self._child is not None
        assert self._child.stdout is not None
        async for line in self._child.stdout:
            self.said.append(line.decode())
            if b"Ctrl-C stops everything" in line:
                up.set()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def samtale_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningSamtale]:
    """One installation for the tests of one file: nobody finds another file's conversations waiting."""
    installation = Installation(tmp_path_factory.mktemp("samtale"))
    yield await installation.start()
    await installation.stop()
