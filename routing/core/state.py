"""The roster: an account's agents, lines and conversations as routing holds them. A value, changed by `evolve` alone.

Invariant: everything needed is in it, and its order too: two rosters made by the same events are the same bytes.
"""

from typing import Any, TypeAlias

import msgspec

from protocol.bus.config import AccountConfig
from protocol.ids import AccountId, AgentId, ConversationId, HoursId, InboxId, Incarnation, OfferId, RuleId, SessionId
from routing.core.configured import Staffing
from routing.core.lines import Line, rule_for
from routing.core.presence import Member
from routing.core.queue import Held
from routing.core.replies import Replies

SCHEMA = 2
TIMER_OWNER = "roster"

Row: TypeAlias = dict[str, Any]
TimerKey: TypeAlias = tuple[str, str, int]  # kind, key, generation
Timers: TypeAlias = dict[TimerKey, int]  # → when due, ms


class UnknownSchema(Exception):
    """A snapshot of another version: rebuild the roster from its log."""

    def __init__(self, schema: int) -> None:
        super().__init__(f"roster snapshot has schema {schema}, this code writes {SCHEMA}")
        self.schema = schema


class Door(msgspec.Struct, array_like=True):
    """Hours, and for whom they matter: the conversations that seek an agent within them, and whose work they are."""

    open: bool
    turns_ms: int
    generation: int
    inside: dict[ConversationId, bool] = {}
    workers: list[AgentId] = []


class Changes(msgspec.Struct, array_like=True):
    """What the last event changed that others are told of: rules' rows, agents' states, and timers (0: cancelled)."""

    rules: dict[RuleId, bool] = {}
    agents: dict[AgentId, bool] = {}
    timers: Timers = {}


class Roster(msgspec.Struct, array_like=True):
    """`gateways` finds an incarnation's sessions; `ended` the incarnations that are over, oldest first.

    `there` counts who is at work per inbox.
    """

    account: AccountId
    seq: int = 0
    offers_made: int = 0
    tickets: int = 0
    staffing: Staffing = msgspec.field(default_factory=lambda: Staffing(0, [], [], []))
    members: dict[AgentId, Member] = {}
    lines: dict[str, Line] = {}
    doors: dict[HoursId, Door] = {}
    held: dict[ConversationId, Held] = {}
    offers: dict[OfferId, ConversationId] = {}
    there: dict[InboxId, int] = {}
    replies: dict[InboxId, Replies] = {}
    gateways: dict[Incarnation, dict[SessionId, AgentId]] = {}
    ended: dict[Incarnation, int] = {}  # → when, ms
    last: Changes = msgspec.field(default_factory=Changes)  # never in a snapshot
    founding: AccountConfig | None = None  # until the first event; never in a snapshot

    @property
    def grace_ms(self) -> int:
        """How long a lost agent's conversations are kept: the shortest that any rule of the account allows."""
        return 1000 * min((rule.lost_grace_s for rule in self.staffing.rules), default=60)

    def line_of(self, rule: RuleId, inbox: InboxId) -> Line | None:
        """Return the line under which a conversation of `rule` waits; None if its inbox has no rule."""
        found = rule_for(self.staffing, rule, inbox)
        return None if found is None else self.lines[found.id]

    def was_asked(self, held: Held, agent: AgentId) -> bool:
        """Whether `agent` was asked in this round and has not come back from anywhere since."""
        return held.asked.get(agent, -1) >= self.members[agent].back_seq

    def is_shut(self, held: Held) -> bool:
        """Whether nobody may be asked for `held` because of its opening hours."""
        door = self.doors.get(held.wish.hours) if held.wish.hours is not None else None
        return door is not None and not door.open

    def change_timers(self, before: Timers, after: Timers) -> None:
        """Note what must be set and cancelled, some timers having been `before` and being `after` now."""
        if before == after:
            return
        self.last.timers.update({timer: 0 for timer in before if timer not in after})
        self.last.timers.update({timer: due_ms for timer, due_ms in after.items() if before.get(timer) != due_ms})
