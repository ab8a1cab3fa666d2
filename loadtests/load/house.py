"""An installation of a run's own: real processes on free ports over temporary data, its accounts published.

Invariant: nothing of it outlives the run.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.settings import Settings
from app.stores import databases, now_ms, redis_address
from loadtests.chaos.evidence import until_stored
from loadtests.chaos.installation import Installation, Size
from loadtests.load import accounts
from loadtests.load.link import Ground
from loadtests.load.scenario import Processes, Scenario
from loadtests.load.serving import TASKS, WIDE
from store.redis.admin import parse_info
from store.redis.connection import Connection, dial
from store.redis.keys import APPS, Keys, cell_names
from store.sql.queries import publications

START_S = 180.0
MIB = 2**20
_KEPT = ("lease_s", "gateway_lease_s", "drain_s", "visitor_messages_per_minute", "visitor_message_burst")
_SERVING = "loadtests.load.serving"


class NotStarted(Exception):
    """The installation did not come up; the text is what its processes logged last."""


class House:
    """A running installation, with one line to its Redis that is used beside the load, not for it."""

    def __init__(self, installation: Installation, line: Connection, redis_url: str) -> None:
        self.installation, self.line, self._redis_url = installation, line, redis_url
        self.grounds: list[Ground] = []

    @property
    def settings(self) -> Settings:
        return self.installation.settings

    async def publish(self, scenario: Scenario) -> None:
        """Make the scenario's accounts known, and wait until gateways can find them."""
        configs = accounts.accounts(scenario, time.time())
        stores = databases(self.settings)
        await stores.config.transact(lambda sql: publications.publish(sql, configs, now_ms()))
        await stores.close()
        for config in configs:
            while await self.line.call("HGET", APPS, config.apps[0].key) is None:
                await asyncio.sleep(0.05)
        self.grounds = [accounts.ground(config, self._redis_url) for config in configs]

    async def until_stored(self) -> None:
        """Wait until SQL has everything; raises NotQuiet."""
        stores = databases(self.settings)
        try:
            await until_stored(stores, self.line, self.settings.cells)
        finally:
            await stores.close()

    async def redis_info(self) -> dict[str, str]:
        """Return all that Redis tells of itself."""
        return parse_info(await self.line.call("INFO", "everything", timeout_s=10.0))

    def tasks(self) -> int | None:
        """Return how many asyncio tasks all processes have together, as they last said; None before they did."""
        said = [file.read_text() for file in (self.settings.data / "tasks").glob("[a-z]*")]
        return sum(map(int, said)) if said else None

    async def stream_entries(self) -> dict[str, int]:
        """Return how many entries all streams of a kind hold together: log, feed, inbox, outbox …"""
        names: set[bytes] = set()
        cursor = b""
        while cursor != b"0":
            cursor, found = await self.line.call("SCAN", cursor or b"0", "TYPE", "stream", "COUNT", 1_000)
            names.update(found)
        held: Counter[str] = Counter()
        for name in names:
            held[name.decode().split(":")[1]] += await self.line.call("XLEN", name)
        return dict(held)

    def database_mib(self) -> float:
        """Return the size of the SQLite files."""
        return sum(file.stat().st_size for file in self.settings.data.glob("*.db*")) / MIB

    async def waiting_commands(self) -> int:
        """Return how many packs of commands wait in the cells' inboxes."""
        names = cell_names(self.settings.cells)
        return sum(await asyncio.gather(*(self.line.call("XLEN", Keys(name).inbox) for name in names)))


@asynccontextmanager
async def house(scenario: Scenario) -> AsyncIterator[House]:
    """Start what the scenario says and stop it at the end."""
    wanted = scenario.installation
    size = Size(wanted.gateways, wanted.engines, wanted.workers)
    with tempfile.TemporaryDirectory(prefix="samtale-load-") as scratch:
        tasks_told = Path(scratch) / "tasks"
        tasks_told.mkdir()
        made = Installation(Path(scratch), size, module=_SERVING, environment=_environment(wanted, tasks_told))
        made.settings.cells = wanted.cells
        async with asyncio.TaskGroup() as tasks:
            await started(made, tasks)
            address = await redis_address(made.settings)
            line = await dial(address)
            try:
                found = House(made, line, address.url)
                await found.publish(scenario)
                yield found
            finally:
                await line.close()
                await made.stop()


def _environment(wanted: Processes, tasks_told: Path) -> dict[str, str]:
    """Return the settings of every installation, not the short ones of chaos, and what the scenario adds."""
    defaults = {f"SAMTALE_{name.upper()}": str(Settings.model_fields[name].default) for name in _KEPT}
    measured = {WIDE: "1" if wanted.wide else "", TASKS: str(tasks_told)}
    return {**defaults, **measured, "SAMTALE_CELLS": str(wanted.cells), **wanted.environment}


async def started(installation: Installation, tasks: asyncio.TaskGroup) -> None:
    """Start `installation`. Raises NotStarted with what its processes said last."""
    try:
        async with asyncio.timeout(START_S):
            await installation.start(tasks)
    except TimeoutError:
        await installation.stop()
        logs = sorted((installation.settings.data / "logs").glob("*.log"))
        raise NotStarted("\n".join(f"{log.stem}: {log.read_text()[-500:]}" for log in logs)) from None
