"""What the rosters tell of every rule: whether somebody is ready, how soon replies come. Kept for all sessions at once.

Invariant: rows of an account are followed from the first session of it on; a lost hint is made up for within 25 s, or
as soon as the subscription is back. Until they were read, nothing counts as known.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import msgspec
from msgspec import Struct

from gateway.cells import Cells
from gateway.core.gate import RuleRow
from gateway.subscriptions import FEED_CHANGES, Subscriptions
from protocol.bus import topics
from protocol.ids import AccountId, CellName, RuleId
from store.redis import scripts
from store.redis.connection import Away, Refused

CHECK_S = 25.0
AGAIN_S = 0.25
KNOWN_WITHIN_S = 1.0
_ROW = msgspec.msgpack.Decoder(RuleRow)


class _Change(Struct, frozen=True):
    """As much of a FeedChange frame as matters here."""

    seq: int
    key: str
    row: RuleRow | None = None


_CHANGE = msgspec.msgpack.Decoder(_Change)


class _Table:
    """The rows of one account."""

    def __init__(self, cell: CellName) -> None:
        self.cell = cell
        self.position = ""
        self.seq = 0
        self.rows: dict[RuleId, RuleRow] | None = None
        self.is_due = asyncio.Event()
        self.is_known = asyncio.Event()


class RuleRows:
    """The rows of all accounts with sessions here. `on_change` hears whose changed."""

    def __init__(
        self, cells: Cells, subscriptions: Subscriptions, on_change: Callable[[AccountId, dict[RuleId, RuleRow]], None]
    ) -> None:
        self._cells, self._subscriptions, self._on_change = cells, subscriptions, on_change
        self._tables: dict[AccountId, _Table] = {}
        self._group: asyncio.TaskGroup | None = None

    def of(self, cell: CellName, account: AccountId) -> dict[RuleId, RuleRow] | None:
        """Return the rows of an account, which are followed from now on; None: not known yet."""
        table = self._tables.get(account)
        if table is None:
            table = self._tables[account] = _Table(cell)
            assert self._group is not None, "a hub that does not run has no sessions"
            self._group.create_task(self._keep(account, table))
        return table.rows

    async def known(self, cell: CellName, account: AccountId) -> dict[RuleId, RuleRow] | None:
        """Return the rows of an account, as soon as they were read; None if that takes too long."""
        rows = self.of(cell, account)
        if rows is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(KNOWN_WITHIN_S):
                    await self._tables[account].is_known.wait()
        return self._tables[account].rows

    def look_again(self, cell: CellName) -> None:
        """Changes in `cell` may have been missed."""
        for table in self._tables.values():
            if table.cell == cell:
                table.is_due.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await asyncio.Event().wait()

    async def _keep(self, account: AccountId, table: _Table) -> None:
        feed = topics.rules_feed(account)
        sink = partial(self._changed, account, table)
        while True:
            try:
                await self._subscriptions.follow(table.cell, topics.feed(table.cell, feed), sink, FEED_CHANGES)
                break
            except Away:
                await asyncio.sleep(AGAIN_S)
        while True:
            table.is_due.clear()
            try:
                await self._read(account, table, feed)
            except (Away, Refused):
                await asyncio.sleep(AGAIN_S)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_S):
                    await table.is_due.wait()

    async def _read(self, account: AccountId, table: _Table, feed: str) -> None:
        found = await scripts.feed(self._cells.line(table.cell), table.cell, feed)
        if found.position == table.position and table.rows is not None:
            return
        table.position = found.position
        table.seq = int(found.position.partition(" ")[0] or 0)
        self._take(account, table, {RuleId(key): _ROW.decode(row) for key, row in found.rows.items()})

    def _changed(self, account: AccountId, table: _Table, frames: list[bytes]) -> None:
        """Take changes as they are published; whatever does not follow makes the rows be read."""
        rows = dict(table.rows or {})
        for frame in frames:
            change = _CHANGE.decode(frame)
            if table.rows is None or change.seq != table.seq + 1:
                table.is_due.set()
                return
            table.seq, table.position = change.seq, ""
            rows.pop(RuleId(change.key), None)
            if change.row is not None:
                rows[RuleId(change.key)] = change.row
        self._take(account, table, rows)

    def _take(self, account: AccountId, table: _Table, rows: dict[RuleId, RuleRow]) -> None:
        before, table.rows = table.rows, rows
        table.is_known.set()
        if rows != before:
            self._on_change(account, rows)
