"""Runs every process of an installation as a child: starts them in order, restarts what dies, stops them in order.

Invariant: a child runs only while its supervisor does, and what a child writes goes to `logs/` in the data directory.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RESTART_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)
STEADY_S = 30.0
LOG_LIMIT_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Job:
    """One child to keep running: its name, its arguments, and settings beside our own, asked at each start."""

    name: str
    arguments: tuple[str, ...]
    environment: Callable[[], dict[str, str]] = dict
    stop_deadline_s: float = 15.0
    module: str = "app.cli"


class Supervisor:
    """Keeps `jobs` running. `say` gets one readable line for whatever an operator should know."""

    def __init__(self, data: Path, say: Callable[[str], None]) -> None:
        self._data = data
        self._say = say
        self._stopping = False
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[tuple[Job, asyncio.Task[None]]] = []

    def start(self, tasks: asyncio.TaskGroup, job: Job) -> None:
        """Start `job` and keep it running until `stop`."""
        self._keepers.append((job, tasks.create_task(self._keep(job), name=job.name)))

    async def stop(self) -> None:
        """Stop all children, last started first; what does not obey its deadline is killed."""
        self._stopping = True
        for job, keeper in reversed(self._keepers):
            child = self.running.get(job.name)
            if child is None:
                keeper.cancel()
                continue
            self._say(f"stopping {job.name}")
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(child.wait(), job.stop_deadline_s)
            except TimeoutError:
                self._say(f"{job.name} did not stop within {job.stop_deadline_s:.0f} s: killed")
                child.kill()
                await child.wait()

    async def _keep(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        deaths = 0
        while not self._stopping:
            started = loop.time()
            status = await self._run_once(job)
            if self._stopping:
                return
            deaths = 0 if loop.time() - started > STEADY_S else deaths + 1
            pause_s = RESTART_PAUSES_S[min(deaths, len(RESTART_PAUSES_S)) - 1]
            self._say(f"{job.name} ended ({_describe(status)}); starting it again in {pause_s:g} s")
            await asyncio.sleep(pause_s)

    async def _run_once(self, job: Job) -> int:
        with self._log_file(job.name).open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", job.module, *job.arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=os.environ | job.environment() | {"SAMTALE_PARENT": str(os.getpid())},
            )  # fmt: skip
        self.running[job.name] = child
        try:
            return await child.wait()
        finally:
            self.running.pop(job.name, None)

    def _log_file(self, name: str) -> Path:
        logs = self._data / "logs"
        logs.mkdir(exist_ok=True)
        path = logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path


def _describe(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
