"""An installation without gateways: Valkey, SQLite, and engines as `samtale` starts them; commands are put straight
into the inboxes of its cells.

Invariant: what is put is what gateways put, and the site is its own scribe, so that no size of it outgrows memory.
Nothing of it outlives the run.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from app.settings import Settings
from app.stores import databases, now_ms
from app.supervisor import Job, Supervisor
from loadtests.bench.lone_cell import PACK
from loadtests.checker.stories import Verdict
from loadtests.growth.crowd import GATEWAY, Crowd, Placed, Size
from loadtests.growth.feed import AHEAD, POLL_S, Feed
from loadtests.growth.listener import Listener
from loadtests.load import processes
from loadtests.load.processes import Usage
from protocol.bus.commands import AnyCommand
from store.redis import scripts
from store.redis.connection import Connection, dial
from store.redis.keys import cell_names
from store.redis.server import EmbeddedValkey, ServerOptions
from store.sql.migrate import migrate
from store.sql.queries import publications

PRESENT_MS = 3_600_000
MAXMEMORY = "8gb"  # more than the largest size takes: growth is measured, not refusal
_MODULE = "app.cli"


class Site:
    """A crowd, the cells that hold it, and the engines that own those."""

    def __init__(self, crowd: Crowd, valkey: EmbeddedValkey, line: Connection, engines: Supervisor) -> None:
        self.crowd, self.line = crowd, line
        self._valkey, self._engines = valkey, engines
        self._listener = Listener(crowd)
        self.begun: dict[str, Usage] = {}  # what it took to admit everybody
        self._feeds = [Feed(cell, line, self._listener) for cell in cell_names(crowd.size.cells)]

    async def open(self) -> None:
        """Let everybody arrive, come in and say a first word."""
        for feed in self._feeds:
            await feed.open()
            await scripts.presence(self.line, feed.keys.name, GATEWAY, PRESENT_MS, first=True)
        await self.put(self.crowd.arrivals())
        await self.settled()
        before = self.used()
        await self.put(self.crowd.first_words(range(self.crowd.size.conversations)))
        await self.settled()
        after = self.used()
        self.begun = {role: after[role] - before[role] for role in after}

    async def put(self, commands: Iterable[Placed]) -> None:
        """Put `commands` into the inboxes of their cells, packed, never far ahead of the engines."""
        packs: list[list[AnyCommand]] = [[] for _ in self._feeds]
        sent = 0
        for cell, command in commands:
            packs[cell].append(command)
            if len(packs[cell]) == PACK:
                self._feeds[cell].put(packs[cell])
                packs[cell] = []
                sent += 1
                if sent % AHEAD == 0:
                    for feed in self._feeds:
                        await feed.room()
        for feed, pack in zip(self._feeds, packs, strict=True):
            if pack:
                feed.put(pack)

    async def decided(self) -> None:
        """Wait until all that was put is decided and committed."""
        for feed in self._feeds:
            await feed.decided()

    async def settled(self) -> None:
        """Wait for the same; then read the commits and let go of them."""
        await self.decided()
        for feed in self._feeds:
            await feed.copy()

    async def unseen(self, silent_s: float = 0.0) -> int:
        """Return how many values have been idle for so long, and no engine has looked at them since."""
        return sum([await feed.unseen(silent_s) for feed in self._feeds])

    async def steady(self) -> None:
        """Let Valkey rewrite its file no more: it would fall into some rounds and not into others."""
        await self.line.call("CONFIG", "SET", "auto-aof-rewrite-percentage", 0)
        while b"aof_rewrite_in_progress:1" in await self.line.call("INFO", "persistence"):
            await asyncio.sleep(POLL_S)

    def verdict(self) -> Verdict:
        """Judge all commits that were read: each word of each visitor, once, in order."""
        return self._listener.verdict()

    def used(self) -> dict[str, Usage]:
        """Return what the engines together, and Valkey, have used until now."""
        engines = [processes.usage(child.pid) for child in self._engines.running.values()]
        return {"engine": sum(engines, Usage()), "valkey": processes.usage(self._valkey.pid)}

    async def valkey_bytes(self) -> int:
        """Return the memory of Valkey's data and clients, by its own account."""
        facts = (await self.line.call("INFO", "memory")).decode().splitlines()
        return int(next(fact for fact in facts if fact.startswith("used_memory:")).partition(":")[2])


@asynccontextmanager
async def site(size: Size, module: str = _MODULE) -> AsyncIterator[Site]:
    """Start a site with everybody in it, and stop it again. `module`: what an engine is started as."""
    with tempfile.TemporaryDirectory(prefix="samtale-growth-") as scratch:
        crowd, valkey = Crowd(size), EmbeddedValkey(Path(scratch) / "valkey", ServerOptions(maxmemory=MAXMEMORY))
        await valkey.start()
        settings = Settings(data=Path(scratch), redis_url=valkey.url, database_url=None, cells=size.cells)
        await _published(settings, crowd)
        line, engines = await dial(valkey.address), Supervisor(settings.data, _unheard)
        environment = {**settings.as_environment(), "SAMTALE_LOG_LEVEL": "warning"}
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(1, size.engines + 1):
                    engines.start(tasks, Job(f"engine-{number}", ("engine",), lambda: environment, module=module))
                try:
                    found = Site(crowd, valkey, line, engines)
                    await found.open()
                    yield found
                finally:
                    await engines.stop()
        finally:
            line.abort()
            await valkey.stop()


async def _published(settings: Settings, crowd: Crowd) -> None:
    """Make the databases, with the accounts in them: the engines find them when they make the cells."""
    await asyncio.to_thread(migrate, settings.config_url, "config")
    await asyncio.to_thread(migrate, settings.record_url, "record")
    stores = databases(settings)
    await stores.config.transact(lambda sql: publications.publish(sql, crowd.configs, now_ms()))
    await stores.close()


def _unheard(_: str) -> None:
    """What the supervisor tells operators."""
