"""A cell's hot state, written anew from SQL.

Invariant: what is written is what the commits up to SQL's commit_no left, and every write is refused once another owns
the cell or rebuilds it; only configurations may be brought by anybody, for their versions never go back. They come
first; nothing is decided before all of it stands.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from engine.core.conversation import Conversation
from engine.core.ports import Roster
from engine.core.snapshot import thaw
from engine.core.timers import deadlines
from engine.runtime import restored
from engine.runtime.commit import LOG_TAIL
from engine.runtime.faults import LeaseLost
from engine.runtime.stored import UnknownSchema, thawed
from engine.runtime.surroundings import CALL_S, Surroundings
from protocol.bus.commands import AnyCommand, GatewayLost, PublishConfig
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId, CellName, ConversationId, Incarnation, VisitorId, event_id
from store import failpoints
from store.redis import publishing, scripts
from store.redis.connection import Connection
from store.redis.keys import Keys
from store.redis.scripts import Fence, Write, text
from store.sql.database import Query
from store.sql.queries import accounts, ledgers, rebuild

T = TypeVar("T")

PAGE = 200
WRITES_AT_ONCE = 1_000
NEVER = "0-0:0"  # the cursor of a cell that is being rebuilt
_PACK = msgspec.msgpack.Encoder()


class Rebuild:
    """One rebuilding of `cell` under `epoch`, from SQL's `commit_no`."""

    def __init__(
        self, around: Surroundings, cell: CellName, line: Connection, token: str, epoch: int, commit_no: int
    ) -> None:
        self._around, self._cell, self._line = around, cell, line
        self._keys, self._now_ms = Keys(cell), around.now_ms()
        self._fence = Fence(cell, token, epoch, NEVER, NEVER, commit_no, commit_no, "rebuilding")
        self._counts = {"visitors": 0, "conversations": 0, "rosters": 0}
        self._first: list[AnyCommand] = []  # what the cell decides before anything else

    async def run(self) -> dict[str, int]:
        """Write everything; return how much of what. Raises LeaseLost, Away, StoreAway."""
        await self._wipe()
        configs = await self._around.databases.config.read(partial(accounts.in_cell, cell=self._cell))
        await self._configs(configs)
        windows_s = [flow.reopen_window_s for config in configs for flow in (*config.chatflows, *config.past)]
        closed_since_ms = self._now_ms - max(windows_s, default=0) * 1000
        open_now = partial(rebuild.alive, cell=self._cell, closed_since_ms=closed_since_ms, now_ms=self._now_ms)
        alive = await self._read(open_now)
        recent = await self._read(partial(rebuild.changed, cell=self._cell, since_ms=closed_since_ms))
        await self._visitors(sorted({*alive.values(), *recent}))
        await self._conversations(list(alive))
        await self._desks()
        await self._rosters(configs)
        if self._first:
            await self._write([("XADD", self._keys.inbox, "*", "p", text(_PACK.encode(self._first)))])
        return self._counts

    async def _wipe(self) -> None:
        """Drop the cell's hot state and inbox: nothing in it may be believed."""
        kept = {self._keys.cell, self._keys.lease, self._keys.quarantine}
        position = b"0"
        while True:
            scan = ("SCAN", position, "MATCH", f"{{{self._cell}}}:*", "COUNT", 1_000)
            position, found = await self._line.call(*scan, timeout_s=CALL_S)
            await self._write([("DEL", key) for key in map(bytes.decode, found) if key not in kept])
            if position == b"0":
                return

    async def _configs(self, configs: list[AccountConfig]) -> None:
        for config in configs:
            if not await publishing.publish(self._line, config):
                # A newer one came meanwhile; the pack that told of it may have been dropped with the inbox.
                self._first.append(PublishConfig(config.account, config.version))
        line = await self._around.dial(None)
        try:
            for config in configs:
                await publishing.name(line, config)
        finally:
            await line.close()

    async def _visitors(self, hot: list[VisitorId]) -> None:
        for ids in _chunks(hot, PAGE):
            page = await self._read(partial(rebuild.visitors, of=ids))
            await self._write([write for found in page for write in restored.visitor(self._keys, found, self._now_ms)])
            self._counts["visitors"] += len(page)

    async def _conversations(self, hot: list[ConversationId]) -> None:
        for ids in _chunks(hot, PAGE):
            page = await self._read(partial(rebuild.conversations, of=ids))
            remembered = await self._read(partial(ledgers.of, conversations=ids))
            logs = await self._read(partial(rebuild.log_tails, of=ids, last=LOG_TAIL))
            writes: list[Write] = []
            for found in page:
                state = await self._state(found)
                writes += restored.conversation(self._keys, found, state, self._now_ms)
                writes += restored.timers(self._keys, deadlines(state))
            writes += [restored.outcome(self._keys, row) for row in remembered]
            writes += [restored.log_entry_of(self._keys, entry) for entry in logs]
            await self._write(writes)
            self._counts["conversations"] += len(page)

    async def _state(self, found: rebuild.StoredConversation) -> Conversation:
        state = thaw(found.state)
        if state is None:  # another version's snapshot: the log says it all
            log = await self._read(partial(rebuild.log_tails, of=[found.id], last=found.seq))
            state = restored.replayed(found.account, log)
        return state

    async def _desks(self) -> None:
        after = ""
        while page := await self._read(partial(rebuild.desks, cell=self._cell, after=after, limit=PAGE)):
            await self._write([restored.outcome(self._keys, row) for row in page])
            after = page[-1].device

    async def _rosters(self, configs: list[AccountConfig]) -> None:
        known = {config.account: config for config in configs}
        gateways: set[Incarnation] = set()
        index = 0
        for found in await self._read(partial(rebuild.rosters, cell=self._cell)):
            roster = await self._roster(found, known)
            writes = restored.roster(self._keys, self._around.roster, found.account, roster, self._fence.commit_no)
            for feed, rows in self._around.roster.feed_rows(roster).items():
                position = event_id(self._fence.epoch, self._fence.commit_no, index)
                writes += restored.feed(self._keys, feed, rows, position)
                index += 1
            await self._write(writes)
            gateways.update(self._around.roster.gateways(roster))
            self._counts["rosters"] += 1
        # Nobody knows which sessions came or went in what was lost: every gateway begins a new incarnation.
        self._first += [GatewayLost(gateway) for gateway in sorted(gateways)]

    async def _roster(self, found: rebuild.StoredRoster, known: dict[AccountId, AccountConfig]) -> Roster:
        """Return a roster from its last snapshot and all of its log after that, or from the log alone."""
        port = self._around.roster
        try:
            roster = thawed(port, found.state)
        except UnknownSchema:
            roster = port.new(known[found.account])
        query = partial(rebuild.roster_events, account=found.account, limit=PAGE)
        while events := await self._read(partial(query, after_seq=port.seq(roster))):
            for _, event in events:
                port.evolve(roster, port.decode_event(event))
        return roster

    async def _read(self, query: Query[T]) -> T:
        return await self._around.databases.record.read(query)

    async def _write(self, writes: Sequence[Write]) -> None:
        for chunk in _chunks(writes, WRITES_AT_ONCE):
            reply = await scripts.commit(self._line, self._fence, (), chunk)
            if reply != "ok":
                raise LeaseLost
            failpoints.hit("recovery.mid_rebuild")


def _chunks(items: Sequence[T], most: int) -> Iterable[Sequence[T]]:
    return (items[start : start + most] for start in range(0, len(items), most))
