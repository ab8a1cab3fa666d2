"""`samtale run`: an installation in one terminal, from nothing to two sockets, and back.

Invariant: what it started it stops; killed outright, it leaves nothing behind that hinders the next run. What keeps it
from starting is said in one line.
"""

import asyncio
import signal
import sys
from importlib import metadata
from pathlib import Path

import click

from app.data_directory import DirectoryInUse, lock, open_directory
from app.readiness import NotReady, Readiness
from app.settings import Settings, unknown_settings
from app.supervisor import Job, Supervisor
from gateway.server import listen
from store.redis.faults import Refused
from store.sql.database import StoreAway

STOP_DEADLINE_S = 10.0
_FREE_WITHIN_S = 3.0  # the processes of a killed supervisor are gone a moment after it
_SAY_WAITING_AFTER_S = 5.0
_IMPATIENT_AFTER_S = 1.0  # some runners pass one Ctrl-C on twice


def run_installation(settings: Settings, *, example: bool) -> int:
    """Run until Ctrl-C or SIGTERM. Returns the exit status: 0 stopped as asked, 2 could not start."""
    try:
        data = open_directory(settings.data)
        held = lock(data)
    except DirectoryInUse as busy:
        return _refused(str(busy))
    except OSError as error:
        return _refused(f"the data directory {settings.data} cannot be used: {error.strerror}")
    with held:
        return asyncio.run(_installed(settings.model_copy(update={"data": data}), example))


def _refused(why: str) -> int:
    click.echo(f"samtale: {why}", err=True)
    return 2


async def _installed(settings: Settings, example: bool) -> int:
    if settings.port == 0:
        settings = settings.model_copy(update={"port": _free_port(settings.host)})
    return await _Installation(settings, example).run()


class _Installation:
    def __init__(self, settings: Settings, example: bool) -> None:
        self._settings = settings
        self._example = example
        self._asked_to_stop = asyncio.Event()
        self._impatient_at = 0.0
        self._supervisor = Supervisor(settings.data, _note)
        self._ready = Readiness(settings)

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop_asked)
        click.echo(f"Samtale {metadata.version('samtale-server')} · data in {self._settings.data}")
        for name in unknown_settings():
            _note(f"{name} is no setting: see samtale settings")
        async with asyncio.TaskGroup() as tasks:
            stopping = tasks.create_task(self._asked_to_stop.wait())
            starting = tasks.create_task(self._start(tasks))
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done() and (why := starting.result()) is None:
                await stopping
            status = 0 if stopping.done() else _refused(f"{why}{self._where_to_look()}")
            starting.cancel()
            stopping.cancel()
            click.echo()
            await self._supervisor.stop()
        _note("stopped")
        return status

    def _where_to_look(self) -> str:
        logs = self._settings.data / "logs"
        return f"\n  the logs are in {logs}" if logs.exists() else ""

    def _stop_asked(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self._asked_to_stop.is_set():
            self._asked_to_stop.set()
            self._impatient_at = now + _IMPATIENT_AFTER_S
        elif now > self._impatient_at:
            _note("killing what is left: what was acknowledged stays")
            self._supervisor.kill()

    async def _start(self, tasks: asyncio.TaskGroup) -> str | None:
        """Return None as soon as everything runs, or why it never will."""
        deadline_s = self._settings.start_deadline_s
        parts = asyncio.create_task(self._start_parts(tasks))
        trouble = asyncio.create_task(self._supervisor.gave_up.wait())
        saying = asyncio.create_task(self._say_what_lasts())
        try:
            await asyncio.wait({parts, trouble}, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
            if parts.done():
                parts.result()
            elif trouble.done():
                return self._supervisor.why
            else:
                return f"not ready within {deadline_s:.0f} s: {self._ready.waiting_for}"
        except (NotReady, Refused, StoreAway, OSError) as error:
            return str(error)
        finally:
            for task in (parts, trouble, saying):
                task.cancel()
            await asyncio.gather(parts, trouble, saying, return_exceptions=True)
        self._explain_what_to_do()
        return None

    async def _start_parts(self, tasks: asyncio.TaskGroup) -> None:
        ready, settings = self._ready, self._settings
        await self._until_ports_are_free()
        if settings.redis_url is None:
            self._start_one(tasks, "valkey", "valkey")
        for role, count in (("worker", settings.workers), ("engine", settings.engines)):
            for name in _names(role, count):  # they wait for each other
                self._start_one(tasks, name, role)
        _done("redis", await ready.redis())
        _done("sql", await ready.sql())
        if self._example and (applied := await ready.example()):
            _done("workspace", applied)
        _done("engine", await ready.cells())
        if again := await ready.erasures():
            _done("erasures", f"{again} done again, as the list says")
        for at, name in enumerate(_names("gateway", settings.gateways)):
            self._start_one(tasks, name, "gateway", "--port", str(settings.port + at))
        _done("gateway", await ready.gateways())

    def _start_one(self, tasks: asyncio.TaskGroup, name: str, *arguments: str) -> None:
        deadline_s = STOP_DEADLINE_S + self._settings.drain_s
        job = Job(name, arguments, self._settings.as_environment, stop_deadline_s=deadline_s)
        self._supervisor.start(tasks, job)

    async def _until_ports_are_free(self) -> None:
        """Else a gateway would be restarted for ever, and another server on its port be taken for it."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _FREE_WITHIN_S
        for at in range(self._settings.gateways):
            while why := _why_not_free(self._settings.host, self._settings.port + at):
                if loop.time() > give_up_at:
                    raise NotReady(f"{why}: stop what uses it, or choose another: --port, or SAMTALE_PORT")
                await asyncio.sleep(0.1)

    async def _say_what_lasts(self) -> None:
        said = ""
        while True:
            before = self._ready.waiting_for
            await asyncio.sleep(_SAY_WAITING_AFTER_S)
            if (now := self._ready.waiting_for) not in (said, "nothing") and now == before:
                _note(f"waiting: {now}")
                said = now

    def _explain_what_to_do(self) -> None:
        here = self._settings.gateway_url()
        samtale = _as_typed(sys.argv[0])
        server = "" if here == "http://127.0.0.1:8080" else f" --server {here}"
        click.echo(f"""
  mobile socket   {self._settings.gateway_url(scheme="ws")}/v1/mobile
  agent socket    {self._settings.gateway_url(scheme="ws")}/v1/agent
  REST            {here}/api/v1, each operation described at {here}/api/v1/docs
  health          {here}/readyz, /metrics

Now open two more terminals here and talk:

  {samtale} visitor{server}
  {samtale} agent{server} kari@nordvik.example --password kari-kari

To make chatflows and try them out in a browser before anybody else sees them, begin with a key (docs/tutorial.md):

  {samtale} key create first --account nordvik

Ctrl-C stops everything; the history stays.""")


def _as_typed(program: str) -> str:
    """Return how a person in this directory starts us."""
    if not program.endswith("samtale"):
        return "samtale"
    try:
        return str(Path(program).resolve().relative_to(Path.cwd()))
    except ValueError:
        return program


def _why_not_free(host: str, port: int) -> str | None:
    try:
        listen(host, port, user_timeout_s=1).close()
    except (OSError, OverflowError) as error:
        return f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}"
    return None


def _free_port(host: str) -> int:
    with listen(host, 0, user_timeout_s=1) as probe:
        port: int = probe.getsockname()[1]
        return port


def _names(role: str, count: int) -> list[str]:
    return [role] if count == 1 else [f"{role}-{number}" for number in range(1, count + 1)]


def _done(part: str, what: str) -> None:
    click.echo(f"  {click.style('✓', fg='green')} {part:<10} {what}")


def _note(what: str) -> None:
    click.echo(f"  {click.style('·', fg='yellow')} {what}")
