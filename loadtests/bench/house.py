"""An installation of the benchmark's own: real processes on free ports, the account published, tickets at hand.

Invariant: nothing of it outlives the run.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.settings import Settings
from app.stores import databases, now_ms, redis_address
from gateway import tickets
from gateway.ports import Ticket
from loadtests.bench.account import ACCOUNT, APP, ASKS_NOTHING, CELL, account, agent_id
from loadtests.chaos.evidence import until_stored
from loadtests.chaos.installation import Installation, Size
from loadtests.load.house import started
from loadtests.load.serving import WIDE
from protocol.bus.config import AccountConfig, Consent
from protocol.ids import CellName
from store.redis.connection import Connection, dial
from store.redis.keys import APPS
from store.sql.queries import publications

_DEFAULTS = Settings.model_fields
_SETTINGS = {  # leases are those of every installation, not the short ones of chaos
    WIDE: "1",
    "SAMTALE_LEASE_S": str(_DEFAULTS["lease_s"].default),
    "SAMTALE_GATEWAY_LEASE_S": str(_DEFAULTS["gateway_lease_s"].default),
}


class House:
    """A running installation with one line to its Redis, used before and after a load only."""

    def __init__(self, installation: Installation, line: Connection) -> None:
        self.installation = installation
        self._line = line

    async def call(self, cell: CellName | None, *parts: Any) -> Any:
        """Ask Redis (gateway.ports.Redis)."""
        del cell  # there is one server
        return await self._line.call(*parts)

    async def ticket(self, number: int) -> str:
        """Return a socket ticket of agent `number`, as a login would."""
        return await tickets.issue(self, Ticket(CELL, ACCOUNT, agent_id(number)), os.urandom)

    async def valkey_bytes(self) -> int:
        """Return the memory that Valkey's own account shows: its data and its clients."""
        facts = (await self._line.call("INFO", "memory")).decode().splitlines()
        return int(next(fact for fact in facts if fact.startswith("used_memory:")).partition(":")[2])

    async def publish(self, config: AccountConfig) -> None:
        """Make the account known, and wait until gateways can find it."""
        stores = databases(self.installation.settings)
        await stores.config.transact(lambda sql: publications.publish(sql, [config], now_ms()))
        await stores.close()
        while await self._line.call("HGET", APPS, APP) is None:
            await asyncio.sleep(0.05)

    async def until_stored(self) -> None:
        """Wait until SQL has everything; raises NotQuiet."""
        stores = databases(self.installation.settings)
        await until_stored(stores, self._line, self.installation.settings.cells)
        await stores.close()


@asynccontextmanager
async def house(size: Size, *, agents: int, consent: Consent = ASKS_NOTHING) -> AsyncIterator[House]:
    """Start an installation whose `agents` take one conversation each."""
    with tempfile.TemporaryDirectory(prefix="samtale-bench-") as scratch:
        made = Installation(Path(scratch), size, module="loadtests.load.serving", environment=_SETTINGS)
        async with asyncio.TaskGroup() as tasks:
            await started(made, tasks)
            line = await dial(await redis_address(made.settings))
            try:
                found = House(made, line)
                await found.publish(account(agents, capacity=1, consent=consent))
                yield found
            finally:
                line.abort()
                await made.stop()
