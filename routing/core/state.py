"""The roster: an account's agents, lines and conversations as routing holds them. A value, changed by `evolve` alone.

Invariant: everything needed is in it, and its order too: two rosters made by the same events are the same bytes.
"""

from typing import Any, TypeAlias

import msgspec

from protocol.bus.config import AccountConfig
from protocol.ids import AccountId, AgentId, ConversationId, InboxId, Incarnation, OfferId, RuleId, SessionId
from routing.core.events import Staffing
from routing.core.presence import Member
from routing.core.queue import Held, Line

SCHEMA = 1
TIMER_OWNER = "roster"

Row: TypeAlias = dict[str, Any]


class UnknownSchema(Exception):
    """A snapshot of another version: rebuild the roster from its log."""

    def __init__(self, schema: int) -> None:
        super().__init__(f"roster snapshot has schema {schema}, this code writes {SCHEMA}")
        self.schema = schema


class Roster(msgspec.Struct, array_like=True):
    """`gateways` finds an incarnation's sessions; `ended` the incarnations that are over, oldest first."""

    account: AccountId
    seq: int = 0
    offers_made: int = 0
    staffing: Staffing = msgspec.field(default_factory=lambda: Staffing(0, [], [], []))
    members: dict[AgentId, Member] = {}
    lines: dict[RuleId, Line] = {}
    held: dict[ConversationId, Held] = {}
    offers: dict[OfferId, ConversationId] = {}
    gateways: dict[Incarnation, dict[SessionId, AgentId]] = {}
    ended: dict[Incarnation, int] = {}  # → when, ms
    founding: AccountConfig | None = None  # until the first event; never in a snapshot

    @property
    def grace_ms(self) -> int:
        """How long a lost agent's conversations are kept: the shortest that any rule of the account allows."""
        return 1000 * min((rule.lost_grace_s for rule in self.staffing.rules), default=60)

    def line_for(self, rule: RuleId | None, inbox: InboxId) -> Line | None:
        """Return the line of `rule`, or of the inbox's default rule if that one is gone; None if nobody is sought."""
        if rule is None or rule in self.lines:
            return self.lines[rule] if rule is not None else None
        return next((line for line in self.lines.values() if line.rule.inbox == inbox), None)

    def was_asked(self, held: Held, agent: AgentId) -> bool:
        """Whether `agent` was asked in this round and has not come back from anywhere since."""
        return held.asked.get(agent, -1) >= self.members[agent].back_seq
