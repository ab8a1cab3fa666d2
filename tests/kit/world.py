"""A cell without machinery: dictionaries for Redis, a list per log, and the real deciders.

Invariant: everything that a cell would store is stored as bytes and read back from bytes at every step; one command is
one commit.
"""

from collections import defaultdict
from typing import Any

import msgspec

from engine.core.ledger import Ledger, slot_of
from engine.core.result import Absent, Need, Stamp, StepResult
from engine.core.settling import Settling
from engine.core.snapshot import freeze, thaw
from engine.core.step import begin
from protocol.bus.commands import COMMAND_DECODER, COMMAND_ENCODER, AnyCommand, TimerFired
from protocol.bus.config import AccountConfig
from protocol.bus.effects import CancelTimer, Effect, Keep, SetTimer
from protocol.bus.facts import ConversationErased, Erased
from protocol.bus.records import Outcome, VisitorRecord
from protocol.bus.tombstones import tombstone
from protocol.ids import AccountId, ConversationId, DeviceId, VisitorId
from protocol.wire.content import Event
from routing.core.roster import RosterDecider
from tests.kit.workplace import ACCOUNT, workplace

_EVENT = msgspec.msgpack.Decoder(Event)


class World:
    """One cell, ready: `config` is published before anything else."""

    def __init__(self, config: AccountConfig | None = None, *, at_hand: bool = False) -> None:
        self.at_hand = at_hand  # whether steps find whatever they need, or are interrupted for all of it
        self.port = RosterDecider()
        self.configs: dict[AccountId, AccountConfig] = {ACCOUNT: config or workplace()}
        self.conversations: dict[ConversationId, bytes] = {}
        self.visitors: dict[VisitorId, bytes] = {}
        self.ledgers: dict[tuple[str, DeviceId], dict[int, Outcome]] = defaultdict(dict)
        self.rosters: dict[AccountId, Any] = {}
        self.roster_log: dict[AccountId, list[bytes]] = defaultdict(list)
        self.logs: dict[ConversationId, list[bytes]] = defaultdict(list)
        self.shown: dict[ConversationId, list[bytes]] = defaultdict(list)  # the same entries as visitors read them
        self.timers: dict[bytes, int] = {}
        self.facts: list[Any] = []
        self.now_ms = 1_000_000
        self.commit_no = 0

    def do(self, command: AnyCommand, after_ms: int = 1) -> StepResult:
        """Decide one command and commit what came of it."""
        self.now_ms += after_ms
        self.commit_no += 1
        result = self.decide(command, Stamp(1, self.commit_no, 0, self.now_ms))
        self.commit(result)
        return result

    def ask(self, command: AnyCommand) -> Outcome:
        """Decide one command; return its outcome."""
        ((_, outcome),) = self.do(command).outcomes
        return outcome

    def decide(self, command: AnyCommand, stamp: Stamp) -> StepResult:
        """Return what one command comes to."""
        values = Loaded(self)
        settling = Settling(stamp, self.port, values)
        begin(settling, command)
        return values.settle(settling)

    def pass_time(self, by_ms: int) -> None:
        """Let time go on, and every timer that comes due fire, in order."""
        until_ms = self.now_ms + by_ms
        while due := sorted((due, raw) for raw, due in self.timers.items() if due <= until_ms):
            due_ms, raw = due[0]
            del self.timers[raw]
            self.now_ms = max(self.now_ms, due_ms)
            fired = COMMAND_DECODER.decode(raw)
            assert isinstance(fired, TimerFired)
            self.do(fired, after_ms=0)
        self.now_ms = until_ms

    def log(self, conversation: ConversationId) -> list[Event]:
        """A conversation's log."""
        return [_EVENT.decode(raw) for raw in self.logs[conversation]]

    def kinds(self, conversation: ConversationId) -> list[str]:
        """The names of the log's bodies."""
        return [type(event.body).__name__ for event in self.log(conversation)]

    def conversation(self, conversation: ConversationId) -> Any:
        """A conversation as stored, or None."""
        stored = self.conversations.get(conversation)
        return thaw(stored) if stored is not None else None

    def visitor(self, visitor: VisitorId) -> VisitorRecord | None:
        """A visitor as stored."""
        stored = self.visitors.get(visitor)
        return msgspec.msgpack.decode(stored, type=VisitorRecord) if stored is not None else None

    def change_visitor(self, visitor: VisitorId, **changes: Any) -> None:
        """Let a visitor's record be another from now on."""
        record = self.visitor(visitor)
        assert record is not None
        self.visitors[visitor] = msgspec.msgpack.encode(msgspec.structs.replace(record, **changes))

    def next_n(self, owner: str, device: str) -> int:
        """The n that the sender's next frame takes."""
        return Ledger(self.ledgers[owner, DeviceId(device)].values()).last + 1

    def load(self, need: Need) -> Any:
        """What the cell has of it."""
        match need.kind:
            case "conversation":
                return self.conversation(ConversationId(need.id))
            case "visitor":
                return self.visitor(VisitorId(need.id))
            case "ledger":
                return Ledger(self.ledgers[need.id, DeviceId(need.device)].values())
            case "roster":
                return self.rosters.get(AccountId(need.id))
            case "config":
                return self.configs.get(AccountId(need.id))
            case "roster_accounts":
                return list(self.rosters)

    def commit(self, result: StepResult) -> None:
        """Store what a step changed."""
        for conversation, state in result.conversations.items():
            self.conversations[conversation] = freeze(state)
        for visitor, record in result.visitors.items():
            self.visitors[visitor] = msgspec.msgpack.encode(record)
        for owner, device, outcome in result.ledger:
            self.ledgers[owner, device][slot_of(outcome.n)] = outcome
        for logged in result.events:
            where, frame = logged.event.conversation, msgspec.msgpack.encode(logged.event)
            self.logs[where].append(frame)
            self.shown[where].append(frame if logged.visitor_frame is None else logged.visitor_frame)
        for account, event in result.roster_events:
            self.roster_log[account].append(self.port.encode(event))
        self.rosters.update(result.rosters)
        for effect in result.effects:
            self._take(effect)

    def _take(self, effect: Effect) -> None:
        match effect:
            case SetTimer():
                self.timers[COMMAND_ENCODER.encode(effect.command)] = effect.due_ms
            case CancelTimer():
                self.timers.pop(COMMAND_ENCODER.encode(effect.command), None)
            case Keep(fact=Erased() as erased):
                shown = erased.frame if erased.visitor_frame is None else erased.visitor_frame
                self.logs[erased.conversation][erased.seq - 1] = erased.frame
                self.shown[erased.conversation][erased.seq - 1] = shown
            case Keep(fact=ConversationErased() as erased):
                for entries in (self.logs[erased.conversation], self.shown[erased.conversation]):
                    entries[: erased.seq - 1] = [frame and tombstone(frame) for frame in entries[: erased.seq - 1]]
                self.facts.append(erased)
            case Keep():
                self.facts.append(effect.fact)


class Loaded:
    """The `Values` of one step over a world: unless all is `at_hand`, each is absent until it was asked for, so that
    the step is interrupted wherever one can be."""

    def __init__(self, world: World) -> None:
        self.asked: list[Need] = []
        self._world = world
        self._values: dict[Need, Any] = {}

    def settle(self, settling: Settling) -> StepResult:
        """Give a step what it needs, one value at a time and each once, until it is done."""
        while True:
            try:
                return settling.settle()
            except Absent as absent:
                self._load(absent.need)

    def conversation(self, id_: ConversationId) -> Any:
        return self._value(Need("conversation", id_))

    def visitor(self, id_: VisitorId) -> Any:
        return self._value(Need("visitor", id_))

    def ledger(self, owner: str, device: DeviceId) -> Any:
        return self._value(Need("ledger", owner, device))

    def roster(self, account: AccountId) -> Any:
        return self._value(Need("roster", account))

    def config(self, account: AccountId) -> Any:
        return self._value(Need("config", account))

    def roster_accounts(self) -> Any:
        return self._value(Need("roster_accounts"))

    def _value(self, need: Need) -> Any:
        if need not in self._values:
            if not self._world.at_hand:
                raise Absent(need)
            self._load(need)
        return self._values[need]

    def _load(self, need: Need) -> None:
        assert need not in self.asked, need
        self.asked.append(need)
        self._values[need] = self._world.load(need)
