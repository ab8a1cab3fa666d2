"""Runs every process of an installation as a child: starts them in order, restarts what dies, stops them in order.

Invariant: a child runs only while its supervisor does, and what a child writes goes to `logs/` in the data directory;
the last thing that a dying child said in words is said again here.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO

CANNOT_START = 2  # the exit status of a child that said why it must not run as it is set up
RESTART_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)
STEADY_S = 30.0
LOG_LIMIT_BYTES = 16 * 2**20
_LAST_WORDS_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Job:
    """One child to keep running: its name, its arguments, and settings beside our own, asked at each start."""

    name: str
    arguments: tuple[str, ...]
    environment: Callable[[], dict[str, str]] = dict
    stop_deadline_s: float = 15.0
    module: str = "app.cli"


class Supervisor:
    """Keeps jobs running. `say` gets one readable line for whatever an operator should know.

    `pauses_s`: before starting again what died, longer with each death in a row.
    `gave_up` is set when a child first says that it cannot run as it is set up; `why` is what it said.
    """

    def __init__(self, data: Path, say: Callable[[str], None], pauses_s: Sequence[float] = RESTART_PAUSES_S) -> None:
        self._pauses_s = pauses_s
        self._data = data
        self._say = say
        self._stopping = False
        self.gave_up = asyncio.Event()
        self.why = ""
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[tuple[Job, asyncio.Task[None]]] = []

    def start(self, tasks: asyncio.TaskGroup, job: Job) -> None:
        """Start `job` and keep it running until `stop`."""
        self._keepers.append((job, tasks.create_task(self._keep(job), name=job.name)))

    async def stop(self) -> None:
        """Stop all children, last started first, those of a kind together; what does not obey in time is killed."""
        self._stopping = True
        for _, alike in groupby(reversed(self._keepers), key=lambda kept: kept[0].arguments[:1]):
            await asyncio.gather(*(self._stop_one(job, keeper) for job, keeper in alike))

    def kill(self) -> None:
        """Kill every child at once: the operator asked to stop a second time."""
        for child in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                child.kill()

    async def _stop_one(self, job: Job, keeper: asyncio.Task[None]) -> None:
        child = self.running.get(job.name)
        if child is None:
            keeper.cancel()
            return
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
            status, said = await self._run_once(job)
            if self._stopping:
                return
            why = f"{job.name} ended ({_describe(status)}{f': {said}' if said else ''})"
            if status == CANNOT_START and not self.gave_up.is_set():
                self.why = said.removeprefix("samtale ") or why
                self.gave_up.set()
            deaths = 1 if loop.time() - started > STEADY_S else deaths + 1
            pause_s = self._pauses_s[min(deaths, len(self._pauses_s)) - 1]
            self._say(f"{why}; starting it again in {pause_s:g} s")
            await asyncio.sleep(pause_s)

    async def _run_once(self, job: Job) -> tuple[int, str]:
        with self._log_file(job.name) as log:
            begin = os.fstat(log.fileno()).st_size
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", job.module, *job.arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=os.environ | job.environment() | {"SAMTALE_PARENT": str(os.getpid())},
            )  # fmt: skip
        self.running[job.name] = child
        try:
            status = await child.wait()
        finally:
            self.running.pop(job.name, None)
        return status, _last_words(Path(log.name), begin)

    def _log_file(self, name: str) -> IO[bytes]:
        logs = self._data / "logs"
        path = logs / f"{name}.log"
        try:
            logs.mkdir(exist_ok=True)
            if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
                path.replace(path.with_suffix(".log.1"))
            return path.open("ab")
        except OSError as error:  # a full disk keeps nobody from running
            self._say(f"{name} runs without a log: {error}")
            return open(os.devnull, "ab")


def _describe(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _last_words(log: Path, begin: int) -> str:
    """Return the last line after `begin` that is meant for people: logs proper are JSON objects, groups have frames."""
    try:
        with log.open("rb") as file:
            file.seek(max(begin, os.fstat(file.fileno()).st_size - _LAST_WORDS_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    words = (line.strip(" |+-") for line in reversed(lines) if not line.startswith("{"))
    return next(filter(None, words), "")
