"""What a cell's owner remembers of Redis, so that a batch is decided without asking.

Invariant: what is held is what Redis will hold once every commit under way is taken. Loads go over the line that
carries the commits, hence come after them; when a commit is refused, the whole memory is dropped.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from engine.core.conversation import Conversation
from engine.core.ledger import DESK, Ledger
from engine.core.ports import Roster, RosterPort
from engine.core.result import Absent, Need, StepResult
from engine.core.step import needs
from engine.runtime import stored
from engine.runtime.batch import Batch, RosterSnapshot
from engine.runtime.commit import Plan
from engine.runtime.heads import ConversationHead, Heads, RosterHead
from engine.runtime.stored import HeldConversation, HeldRoster, HeldVisitor
from engine.runtime.surroundings import CALL_S, EngineSettings
from protocol.bus.commands import AnyCommand
from protocol.bus.config import AccountConfig
from protocol.bus.records import VisitorRecord
from protocol.ids import AccountId, CellName, ConversationId, DeviceId, VisitorId
from store.redis.connection import Connection
from store.redis.keys import Keys

Key = tuple[str, str]  # kind, id
LOADS_AT_ONCE: Final = 1_000  # well below what a line takes at once


class Memory:
    """The values of one cell that its owner has at hand, the least recently used of them forgotten first.

    These are the `Values` of its steps: None for what Redis does not have, Absent for what must be loaded first.
    """

    def __init__(self, cell: CellName, line: Connection, port: RosterPort, settings: EngineSettings) -> None:
        self.stored = 0  # the commit_no up to which SQL has everything
        self._keys, self._line, self._port = Keys(cell), line, port
        self._settings = settings
        self._held: dict[str, dict[str, Any]] = {
            kind: {} for kind in ("conversation", "visitor", "desk", "roster", "config", "feed")
        }
        self._conversations: dict[str, HeldConversation] = self._held["conversation"]
        self._visitors: dict[str, HeldVisitor] = self._held["visitor"]
        self._desks: dict[str, Ledger] = self._held["desk"]
        self._rosters: dict[str, HeldRoster] = self._held["roster"]
        self._configs: dict[str, AccountConfig | None] = self._held["config"]
        self._accounts: set[AccountId] | None = None

    def conversation(self, id_: ConversationId) -> Conversation | None:
        """Return a conversation."""
        held = self._conversations.get(id_)
        if held is None:
            raise Absent(Need("conversation", id_))
        return held.state

    def visitor(self, id_: VisitorId) -> VisitorRecord | None:
        """Return a visitor's record."""
        held = self._visitors.get(id_)
        if held is None:
            raise Absent(Need("visitor", id_))
        return held.record

    def ledger(self, owner: str, device: DeviceId) -> Ledger:
        """Return what is remembered of a device's frames in a conversation, or at the desk."""
        if owner == DESK:
            desk = self._desks.get(device)
            if desk is not None:
                return desk
        elif owner in self._conversations:
            return self._conversations[owner].ledger(device)
        raise Absent(Need("ledger", owner, device))

    def roster(self, account: AccountId) -> Roster | None:
        """Return an account's roster."""
        held = self._rosters.get(account)
        if held is None:
            raise Absent(Need("roster", account))
        return held.roster

    def config(self, account: AccountId) -> AccountConfig | None:
        """Return an account's configuration."""
        if account not in self._configs:
            raise Absent(Need("config", account))
        return self._configs[account]

    def roster_accounts(self) -> list[AccountId]:
        """Return the accounts that have a roster."""
        if self._accounts is None:
            raise Absent(Need("roster_accounts"))
        return sorted(self._accounts)

    async def load(self, need: Need) -> None:
        """Load what a step needs."""
        if need.kind == "roster_accounts":
            reply = await self._line.call("HKEYS", self._keys.rosters, timeout_s=CALL_S)
            self._accounts = {AccountId(account.decode()) for account in reply}
        else:
            await self._load([_key(need)])

    async def prefetch(self, commands: Iterable[AnyCommand]) -> None:
        """Load, in one round trip, what these commands need at the least."""
        at_hand, wanted = self._conversations, dict[Key, None]()
        for command in commands:
            if getattr(command, "conversation", None) not in at_hand:
                wanted.update(dict.fromkeys(map(_key, needs(command))))
        await self.hold(key for key in wanted if key[0] in self._held)

    async def hold(self, keys: Iterable[Key]) -> None:
        """Load what is not held of these."""
        missing = [(kind, id_) for kind, id_ in keys if id_ not in self._held[kind]]
        for start in range(0, len(missing), LOADS_AT_ONCE):
            await self._load(missing[start : start + LOADS_AT_ONCE])

    def held_conversation(self, id_: ConversationId) -> HeldConversation:
        """Return a conversation that is held, with its head."""
        return self._conversations[id_]

    def held_visitor(self, id_: VisitorId) -> HeldVisitor:
        """Return a visitor that is held, with its head."""
        return self._visitors[id_]

    def forget_config(self, account: AccountId) -> None:
        """Load the account's configuration anew when it is needed next."""
        self._held["config"].pop(account, None)

    def evolve(self, step: StepResult) -> None:
        """Make what is held what it is after what was decided; rosters and ledgers were changed in place."""
        for id_, state in step.conversations.items():
            self._conversations[id_].state = state
        for visitor, record in step.visitors.items():
            self._visitors[visitor].record = record
        for account, roster in step.rosters.items():
            self._rosters.setdefault(account, HeldRoster()).roster = roster
            if self._accounts is not None:
                self._accounts.add(account)

    def snapshot_rosters(self, batch: Batch) -> None:
        """Put whole rosters into `batch` where there is none yet, or where the log has grown long."""
        for account, events in batch.rosters.items():
            held: HeldRoster = self._held["roster"][account]
            seq = held.head.seq + len(events)
            assert seq == self._port.seq(held.roster), f"the roster's log and its own count differ at {seq}"
            if not held.head.commit_no or seq - held.snapshot_seq >= self._settings.snapshot_every:
                batch.snapshots[account] = RosterSnapshot(seq, self._port.freeze(held.roster))

    def heads(self, batch: Batch) -> Heads:
        """Return the heads of everything that `batch` touches; its feeds must have been loaded."""
        conversations, visitors, rosters = (self._held[kind] for kind in ("conversation", "visitor", "roster"))
        gone = [ConversationId(id_) for kind, id_, _ in batch.evicted if kind == "conversation"]
        left = [VisitorId(id_) for kind, id_, _ in batch.evicted if kind == "visitor"]
        return Heads(
            self.stored,
            {id_: conversations[id_].head for id_ in [*batch.touched_conversations(), *gone]},
            {id_: visitors[id_].commit_no for id_ in [*batch.visitors, *left]},
            {account: rosters[account].head for account in batch.rosters},
            {feed: self._held["feed"][feed] for feed in batch.feeds},
        )

    def advance(self, batch: Batch, plan: Plan) -> None:
        """Take over the heads that the commit of `batch` leaves, and forget what is too much."""
        for id_ in batch.touched_conversations():
            held = self._conversations[id_] = self._conversations.pop(id_)  # now the most recently used
            active_ms = held.head.active_ms if held.head.is_told(batch.at_ms) else batch.at_ms
            held.head = ConversationHead(held.state.seq if held.state else 0, batch.commit_no, active_ms)
        for touched in batch.visitors:
            visitor = self._visitors[touched] = self._visitors.pop(touched)
            visitor.commit_no = batch.commit_no
        for account, events in batch.rosters.items():
            roster: HeldRoster = self._held["roster"][account]
            seq = roster.head.seq + len(events)
            roster.head = RosterHead(seq, batch.commit_no, f"{seq}-0" if events else roster.head.log_end)
            roster.snapshot_seq = batch.snapshots[account].seq if account in batch.snapshots else roster.snapshot_seq
        self._held["feed"].update(plan.feeds)
        for member in batch.postponed:
            postponed = self._conversations.get(member.removeprefix("conversation:"))
            if postponed is not None:
                postponed.head = postponed.head._replace(active_ms=0)
        for kind, evicted, _ in batch.evicted:
            self._held[kind].pop(evicted, None)
        self._forget_oldest("conversation", self._settings.held_conversations)
        self._forget_oldest("visitor", self._settings.held_visitors)
        self._forget_oldest("desk", self._settings.held_visitors)

    def _forget_oldest(self, kind: str, most: int) -> None:
        values = self._held[kind]
        for id_ in list(values)[: len(values) - most] if len(values) > most else ():
            del values[id_]

    async def _load(self, wanted: list[Key]) -> None:
        asked = asyncio.gather(*(self._ask(kind, id_) for kind, id_ in wanted))
        for (kind, id_), reply in zip(wanted, await self._line.within(asked, CALL_S), strict=True):
            self._held[kind][id_] = self._read(kind, reply)

    def _ask(self, kind: str, id_: str) -> asyncio.Future[Any]:
        keys, send = self._keys, self._line.send
        match kind:
            case "conversation":
                return send("HGETALL", keys.conversation(ConversationId(id_)))
            case "visitor":
                return send("HMGET", keys.visitor(VisitorId(id_)), "s", "c")
            case "desk":
                return send("HGETALL", keys.desk(DeviceId(id_)))
            case "config":
                return send("HGET", keys.config(AccountId(id_)), "bytes")
            case "feed":
                return send("HGET", keys.feed_rows(id_), "#")
            case _:
                account = AccountId(id_)
                whole = send("HMGET", keys.roster(account), "s", "q", "c")
                return asyncio.gather(whole, send("XRANGE", keys.roster_log(account), "-", "+"))

    def _read(self, kind: str, reply: Any) -> Any:
        match kind:
            case "conversation":
                return stored.conversation(reply)
            case "visitor":
                return stored.visitor(reply)
            case "desk":
                return stored.desk(reply)
            case "config":
                return stored.config(reply)
            case "feed":
                return stored.position(reply)
            case _:
                return stored.roster(self._port, reply)


def _key(need: Need) -> Key:
    if need.kind != "ledger":
        return (need.kind, need.id)
    return ("desk", need.device) if need.id == DESK else ("conversation", need.id)
