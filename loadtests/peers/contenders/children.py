"""The processes of a peer: each prints the port it listens on, is watched by its id, and ends with whoever started it.

Invariant: nothing of them outlives the run.
"""

import asyncio
import os
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from app.lifeline import die_with
from loadtests.load.processes import Usage, usage
from store.redis.connection import dial
from store.redis.server import EmbeddedValkey

START_S = 30.0
STOP_S = 2.0


class NotStarted(Exception):
    """A process of a peer did not come up; why, it has told the terminal."""


@dataclass(slots=True)
class Children:
    """The running processes by role, Redis among them."""

    valkey: EmbeddedValkey
    processes: dict[str, Process] = field(default_factory=dict)

    async def start(self, role: str, command: Sequence[str | Path], cwd: Path | None = None) -> str:
        """Start a process and return the first line it prints."""
        child = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            stdin=DEVNULL,
            stdout=PIPE,
            env={**os.environ, "NODE_ENV": "production"},
            preexec_fn=partial(die_with, os.getpid()),
        )
        self.processes[role] = child
        assert child.stdout is not None
        async with asyncio.timeout(START_S):
            first = (await child.stdout.readline()).decode().strip()
        if not first:
            raise NotStarted(f"{role} ended at once")
        return first

    def used(self) -> dict[str, Usage]:
        """Return what each role used so far."""
        pids = {role: child.pid for role, child in self.processes.items()} | {"valkey": self.valkey.pid}
        return {role: usage(pid) for role, pid in pids.items()}

    async def stop(self) -> None:
        """End all of them, Redis last."""
        for child in self.processes.values():
            if child.returncode is None:
                child.send_signal(signal.SIGTERM)
        for child in self.processes.values():
            try:
                async with asyncio.timeout(STOP_S):
                    await child.wait()
            except TimeoutError:
                child.kill()
                await child.wait()
        await self.valkey.stop()


@asynccontextmanager
async def children() -> AsyncIterator[Children]:
    """Start a Valkey that writes its append-only file each second, and end it with all that was started beside it."""
    with tempfile.TemporaryDirectory(prefix="samtale-peer-") as scratch:
        found = Children(EmbeddedValkey(Path(scratch)))
        await found.valkey.start()
        try:
            line = await dial(found.valkey.address)
            # Ours has shorter nodes, for many small streams: a peer's one long stream gets what Valkey comes with.
            await line.call("CONFIG", "SET", "stream-node-max-bytes", 4096)
            await line.close()
            yield found
        finally:
            await found.stop()
