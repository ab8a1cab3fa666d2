"""`samtale run`: an installation in one terminal, from nothing to two sockets, and back.

Invariant: what it started it stops; killed outright, it leaves nothing behind that hinders the next run.
"""

import asyncio
import contextlib
import signal
import sys
from importlib import metadata

import click

from app.data_directory import DirectoryInUse, lock, open_directory
from app.readiness import NotReady, Readiness
from app.settings import Settings
from app.supervisor import Job, Supervisor

START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 10.0


def run_installation(settings: Settings, *, example: bool) -> int:
    """Run until Ctrl-C or SIGTERM. Returns the exit status: 0 stopped as asked, 2 could not start."""
    data = open_directory(settings.data)
    try:
        held = lock(data)
    except DirectoryInUse as busy:
        click.echo(f"samtale: {busy}", err=True)
        return 2
    with held:
        return asyncio.run(_Installation(settings.model_copy(update={"data": data}), example).run())


class _Installation:
    def __init__(self, settings: Settings, example: bool) -> None:
        self._settings = settings
        self._example = example
        self._asked_to_stop = asyncio.Event()
        self._supervisor = Supervisor(settings.data, _note)

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._asked_to_stop.set)
        click.echo(f"Samtale {metadata.version('samtale-server')} · data in {self._settings.data}")
        status = 0
        async with asyncio.TaskGroup() as tasks:
            starting = tasks.create_task(self._start(tasks))
            stopping = tasks.create_task(self._asked_to_stop.wait())
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done() and starting.result():
                await stopping
            else:
                status = 0 if stopping.done() else 2
                starting.cancel()
            stopping.cancel()
            click.echo()
            await self._supervisor.stop()
        _note("stopped")
        return status

    async def _start(self, tasks: asyncio.TaskGroup) -> bool:
        ready = Readiness(self._settings)
        try:
            async with asyncio.timeout(START_DEADLINE_S):
                if self._settings.redis_url is None:
                    self._start_one(tasks, "valkey", "valkey")
                _done("redis", await ready.redis())
                for name in _names("worker", self._settings.workers):
                    self._start_one(tasks, name, "worker")
                _done("sql", await ready.sql())
                if self._example and (applied := await ready.example()):
                    _done("workspace", applied)
                for name in _names("engine", self._settings.engines):
                    self._start_one(tasks, name, "engine")
                _done("engine", await ready.cells())
                for at, name in enumerate(_names("gateway", self._settings.gateways)):
                    self._start_one(tasks, name, "gateway", "--port", str(self._settings.port + at))
                _done("gateway", await ready.gateways())
        except (NotReady, TimeoutError) as error:
            why = str(error) or f"not ready within {START_DEADLINE_S:.0f} s: {ready.waiting_for}"
            click.echo(f"samtale: {why}; the logs are in {self._settings.data / 'logs'}", err=True)
            return False
        self._explain_what_to_do()
        return True

    def _start_one(self, tasks: asyncio.TaskGroup, name: str, *arguments: str) -> None:
        deadline_s = STOP_DEADLINE_S + self._settings.drain_s
        job = Job(name, arguments, self._settings.as_environment, stop_deadline_s=deadline_s)
        self._supervisor.start(tasks, job)

    def _explain_what_to_do(self) -> None:
        here = f"{self._settings.host}:{self._settings.port}"
        samtale = sys.argv[0] if sys.argv[0].endswith("samtale") else "samtale"
        with contextlib.suppress(ValueError):
            from pathlib import Path

            samtale = str(Path(samtale).resolve().relative_to(Path.cwd()))
        server = "" if here == "127.0.0.1:8080" else f" --server http://{here}"
        click.echo(f"""
  mobile socket   ws://{here}/v1/mobile
  agent socket    ws://{here}/v1/agent
  health          http://{here}/readyz, /metrics

Now open two more terminals here and talk:

  {samtale} visitor{server}
  {samtale} agent{server} kari@nordvik.example --password kari-kari

Ctrl-C stops everything; the history stays.""")


def _names(role: str, count: int) -> list[str]:
    return [role] if count == 1 else [f"{role}-{number}" for number in range(1, count + 1)]


def _done(part: str, what: str) -> None:
    click.echo(f"  {click.style('✓', fg='green')} {part:<10} {what}")


def _note(what: str) -> None:
    click.echo(f"  {click.style('·', fg='yellow')} {what}")
