"""The install check: which builds of apps said hello here (SPEC 3.1).

Invariant: no hello waits for SQL. What came is added up here and written a batch at a time; whoever is killed takes no
more than ten seconds of it along. Nothing of it says whose phone it was.
"""

import asyncio
from functools import partial
from typing import Any, NoReturn

from protocol.bus.config import AccountConfig
from protocol.ids import AppKey, is_preview
from protocol.wire import client
from store.sql.database import Database, StoreAway
from store.sql.queries import builds
from store.sql.queries.builds import Build, Heard

EVERY_S = 10.0
MOST_WAITING = 1_000  # told apart while they wait; SQL tells fewer apart, and a phone may say what it likes


class Builds:
    """The builds that wait to be written."""

    def __init__(self, record: Database, log: Any) -> None:
        self._record, self._log = record, log
        self._due: dict[Build, Heard] = {}
        self._ready = asyncio.Event()

    def heard(self, config: AccountConfig, hello: client.Hello, at_ms: int) -> None:
        """Count a session that begins; one of a preview is none."""
        if is_preview(config.account):
            return
        said = hello.device
        build = Build(config.account, AppKey(hello.app_key), said.platform, said.app_version, said.sdk, hello.tag)
        if build not in self._due and len(self._due) >= MOST_WAITING:
            build = build.others
        self._count(build, Heard(1, at_ms, at_ms))
        self._ready.set()

    async def run(self) -> NoReturn:
        """Write what is due: the first at once, then no more than once in ten seconds, until cancelled."""
        while True:
            await self._ready.wait()
            await self.flush()
            await asyncio.sleep(EVERY_S)

    async def flush(self) -> None:
        """Write what is due now; what SQL does not take stays due."""
        self._ready.clear()
        due, self._due = self._due, {}
        if not due:
            return
        try:
            await self._record.transact(partial(builds.add, heard=due))
        except StoreAway as away:
            self._log.warning("builds.away", why=away.reason)
            for build, heard in due.items():
                self._count(build, heard)
            self._ready.set()

    def _count(self, build: Build, heard: Heard) -> None:
        known = self._due.get(build)
        self._due[build] = heard if known is None else known.also(heard)
