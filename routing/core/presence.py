"""Who is there: an agent's sessions under live gateway incarnations, the state they set, and the load they carry.

Invariant: an agent's standing follows from the value alone and is the only thing that says whether they may be asked.
"""

from enum import StrEnum

import msgspec

from protocol.ids import AgentId, ConversationId, InboxId, Incarnation, OfferId, RuleId, SessionId

ENDED_REMEMBERED_MS = 86_400_000


class Standing(StrEnum):
    """Whether an agent may be asked, and if not, the first reason why."""

    READY = "ready"
    NO_SEAT = "no_seat"
    OFFLINE = "offline"
    AWAY = "away"
    FULL = "full"


NO_ACCESS = "no_access"  # named by a rule without access to its inbox; counted beside the standings


class Grace(msgspec.Struct, frozen=True, array_like=True):
    """The last session ended while conversations were held; at `due_ms` they are given up."""

    due_ms: int
    generation: int


class Member(msgspec.Struct, array_like=True):
    """An agent on the roster. `back_seq`: the roster's seq when they last came back or became available."""

    agent: AgentId
    name: str
    seat: bool
    supervisor: bool
    capacity: int
    inboxes: list[InboxId]
    rules: list[RuleId]
    sessions: list[tuple[Incarnation, SessionId]] = []
    away: bool = False
    expiries: int = 0
    back_seq: int = 0
    grace: Grace | None = None
    conversations: dict[ConversationId, int] = {}  # → since when, ms
    offers: dict[OfferId, ConversationId] = {}
    standing: Standing = Standing.OFFLINE

    @property
    def connected(self) -> bool:
        """Whether there is a session, on any number of devices."""
        return bool(self.sessions)

    @property
    def load(self) -> int:
        """Conversations held and offers open; what capacity is compared with."""
        return len(self.conversations) + len(self.offers)

    @property
    def full(self) -> bool:
        return self.load >= self.capacity

    def stands(self) -> Standing:
        """Return the standing that follows from everything else. Working hours will be asked here."""
        if not self.seat:
            return Standing.NO_SEAT
        if not self.sessions:
            return Standing.OFFLINE
        if self.away:
            return Standing.AWAY
        return Standing.FULL if self.full else Standing.READY

    def may_take(self, inbox: InboxId) -> bool:
        """Whether a conversation of `inbox` may be put before this agent now."""
        return inbox in self.inboxes and self.stands() is Standing.READY
