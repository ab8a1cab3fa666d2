"""The hub: all sessions of one gateway process, and the loops that keep them true.

Invariant: what runs, runs in one TaskGroup; when the presence lease lapsed, every session of the old incarnation is
sent to come back before the new one speaks.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from msgspec import Struct

from gateway.agent_driver import AgentDriver
from gateway.attachments import Attachments
from gateway.builds import Builds
from gateway.cells import Cells
from gateway.checks import Checks
from gateway.configs import Configs
from gateway.core.gate import Rows
from gateway.core.limits import SessionLimits
from gateway.load import Load
from gateway.logs import Logs
from gateway.mobile_driver import MobileDriver
from gateway.packs import Packs
from gateway.pending import Pending
from gateway.ports import Driver, Line, Peer
from gateway.presence import PresenceLease
from gateway.receipts import Receipts
from gateway.roll import Roll
from gateway.rows import RuleRows
from gateway.services import Outside, Services
from gateway.states import AgentStates
from gateway.subscriptions import OUTCOMES, Sink, Subscriptions
from gateway.throttle import Buckets
from protocol.bus import topics
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId, CellName, Incarnation
from protocol.wire.codes import CloseCode
from store.redis.connection import Away, Dial

AGAIN_S = 0.2
HELLOS_AT_ONCE = 128  # per cell: what waits for its turn here does not wait in the inbox, where it would count as lag
PHONES_REMEMBERED = 50_000  # whose allowances are kept: more than are connected (gateway.rules), at 200 bytes each


class HubSettings(Struct, frozen=True):
    """`lease_s`: how long this gateway counts as alive without a word. `limits`: what one session may ask.

    `attachments` None: this process takes no files.
    """

    cells: Sequence[CellName]
    lease_s: float = 6.0
    limits: SessionLimits = SessionLimits()
    attachments: Attachments | None = None


class Hub:
    """Opens sessions over lines; works while `run` does."""

    def __init__(self, settings: HubSettings, dial: Dial, outside: Outside) -> None:
        self._outside = outside
        self.cells = cells = Cells(dial, settings.cells)
        self.lease = PresenceLease(cells, settings.lease_s, outside.entropy)
        self._roll = roll = Roll()
        self._checks = Checks(cells, roll)
        self.load = Load(cells, self._renewed)
        self._packs = Packs(cells, self._may_write, self.load.epoch)
        self._subscriptions = Subscriptions(dial, cells, self._restored)
        self.configs = Configs(cells, outside.config, self._configured)
        self._rows = RuleRows(cells, self._subscriptions, self._staffed)
        self.services = Services(
            outside=outside,
            limits=settings.limits,
            messages=Buckets(settings.limits.messages_per_minute, settings.limits.message_burst, PHONES_REMEMBERED),
            cells=cells,
            subscriptions=self._subscriptions,
            pending=Pending(cells, self._packs),
            lease=self.lease,
            load=self.load,
            configs=self.configs,
            logs=Logs(cells, outside.record),
            receipts=Receipts(cells),
            builds=Builds(outside.record, outside.log),
            roll=roll,
            rows=self._rows,
            states=AgentStates(cells),
            turns={cell: asyncio.Semaphore(HELLOS_AT_ONCE) for cell in cells.names},
            spawn=self._spawn,
            attachments=settings.attachments,
        )
        self._group: asyncio.TaskGroup | None = None
        self._hears: Incarnation | None = None  # whose replies are heard in every cell
        self._renamed = asyncio.Event()  # there is a new incarnation

    # For the socket shell.

    def open_mobile(self, line: Line, subprotocol: str, peer: Peer) -> Driver:
        """Return the driver of a visitor's new line."""
        return MobileDriver(self.services, line, subprotocol, peer)

    def open_agent(self, line: Line, subprotocol: str, peer: Peer) -> Driver:
        """Return the driver of an agent's new line."""
        return AgentDriver(self.services, line, subprotocol, peer)

    @property
    def ready(self) -> bool:
        """Whether a `hello` would be served now, as far as this process and Redis are concerned."""
        hears = self._hears == self.lease.incarnation and self._subscriptions.all_connected()
        return hears and self.cells.all_open() and self.lease.holds_everywhere()

    @property
    def sessions(self) -> int:
        """How many sessions are admitted."""
        return len(self._roll)

    @property
    def unresolved(self) -> int:
        """How many commands await their outcome."""
        return len(self.services.pending)

    @property
    def put_again(self) -> int:
        """How many commands were ever put in again because they, or their outcome, may have been lost."""
        return self.services.pending.put_again

    # Life.

    async def run(self) -> None:
        """Serve until cancelled."""
        services = self.services
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self.cells.run(self._packs.flush))
            group.create_task(self._subscriptions.run())
            group.create_task(self._listen())
            group.create_task(self.lease.run(self._packs.flush, self._lapsed))
            group.create_task(self.load.run())
            group.create_task(self.configs.run())
            group.create_task(self._rows.run())
            group.create_task(services.pending.run())
            group.create_task(services.receipts.run())
            group.create_task(services.builds.run())
            group.create_task(self._checks.run())

    async def settle(self, timeout_s: float) -> None:
        """Wait until everything asked has its outcome, as long as that takes but no longer: before a stop."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.services.pending.idle.wait()
        except TimeoutError:
            self._outside.log.warning("stopped_with_unresolved", commands=self.unresolved)
        await self.services.builds.flush()

    # Inside.

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._group is not None, "a hub that does not run has no sessions"
        self._group.create_task(work)

    def _may_write(self, cell: CellName) -> bool:
        return self._hears == self.lease.incarnation and self.lease.holds(cell)

    async def _listen(self) -> None:
        """Hear of changed configurations, and the replies to the present incarnation."""
        for cell in self.cells.names:
            await self._insist(cell, topics.config(cell), self.configs.heard)
        while True:
            incarnation = self.lease.incarnation
            await self._hear_replies(incarnation)
            self._hears = incarnation
            self._packs.flush()
            while incarnation == self.lease.incarnation:
                self._renamed.clear()
                await self._renamed.wait()
            for cell in self.cells.names:
                self._subscriptions.unfollow(cell, topics.replies(cell, incarnation), self.services.pending.resolve)

    async def _hear_replies(self, incarnation: Incarnation) -> None:
        for cell in self.cells.names:
            await self._insist(cell, topics.replies(cell, incarnation), self.services.pending.resolve, OUTCOMES)

    def _restored(self, cell: CellName) -> None:
        """What is heard of `cell` was lost for a while: logs and outcomes are looked at, not waited for."""
        self._checks.soon(cell)
        self.services.pending.look_again(cell)
        self._rows.look_again(cell)

    def _renewed(self, cell: CellName) -> None:
        """The cell came back under a new epoch."""
        self._checks.soon(cell)
        self._rows.look_again(cell)

    def _lapsed(self) -> None:
        """The presence lease lapsed: all sessions are over for the cells, so they come again as new ones."""
        self._outside.log.warning("presence_lapsed", sessions=len(self._roll))
        self.services.pending.clear()
        for session in self._roll:
            session.line.close(CloseCode.RESTARTED, "the gateway lost its lease")
        self._renamed.set()

    def _configured(self, config: AccountConfig) -> None:
        for session in self._roll.of_account(config.account):
            session.configured(config)

    def _staffed(self, account: AccountId, rows: Rows) -> None:
        for session in self._roll.of_account(account):
            session.staffed(rows)

    async def _insist(self, cell: CellName, channel: str, sink: Sink, decoder: Any = None) -> None:
        while True:
            try:
                await self._subscriptions.follow(cell, channel, sink, decoder)
            except Away:
                await asyncio.sleep(AGAIN_S)
                continue
            return
