"""Who is there: an agent's sessions under live gateway incarnations, the state they set, and the load they carry.

Invariant: an agent's standing follows from the value alone and is the only thing that says whether they may be asked.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from protocol.ids import AgentId, ConversationId, HoursId, InboxId, Incarnation, OfferId, SessionId

ENDED_REMEMBERED_MS = 86_400_000

AgentState = Literal["available", "away", "offline"]


class Standing(StrEnum):
    """Whether an agent may be asked, and if not, the first reason why."""

    READY = "ready"
    NO_SEAT = "no_seat"
    OFFLINE = "offline"
    OFF_SHIFT = "off_shift"
    AWAY = "away"
    FULL = "full"


READY, FULL = Standing.READY, Standing.FULL  # CPython 3.11 takes 0.2 µs to look one up in its enum
NO_ACCESS = "no_access"  # named by a rule without access to its inbox; counted beside the standings
THERE = (READY, FULL)  # at work: who is full takes no more, but a visitor may well queue


class Grace(msgspec.Struct, frozen=True, array_like=True):
    """The last session ended while conversations were held; at `due_ms` they are given up."""

    due_ms: int
    generation: int


class Member(msgspec.Struct, array_like=True):
    """An agent on the roster.

    `lines` are those that may ask them, `weighed` of these where the least busy is asked. `state` is as set, whatever
    the working `hours` say: outside these, `off_shift`. `back_seq`: the roster's seq when they last came back or became
    available. `quiet`: of the `conversations`, those that do not count.
    """

    agent: AgentId
    name: str
    seat: bool
    supervisor: bool
    capacity: int
    inboxes: list[InboxId]
    tongues: list[str] = []
    hours: HoursId | None = None
    lines: list[str] = []
    weighed: list[str] = []
    sessions: list[tuple[Incarnation, SessionId]] = []
    state: AgentState = "available"
    off_shift: bool = False
    expiries: int = 0
    back_seq: int = 0
    grace: Grace | None = None
    conversations: dict[ConversationId, int] = {}  # → since when, ms
    quiet: dict[ConversationId, bool] = {}
    offers: dict[OfferId, ConversationId] = {}
    standing: Standing = Standing.OFFLINE

    @property
    def connected(self) -> bool:
        """Whether there is a session, on any number of devices."""
        return bool(self.sessions)

    @property
    def load(self) -> int:
        """Conversations that count and offers open; what capacity is compared with."""
        return len(self.conversations) - len(self.quiet) + len(self.offers)

    @property
    def full(self) -> bool:
        return self.load >= self.capacity

    @property
    def is_there(self) -> bool:
        """Whether the agent is at work, with or without room for more."""
        return self.standing in THERE

    @property
    def seems(self) -> AgentState:
        """What colleagues see of `state`: outside working hours, away."""
        return "away" if self.off_shift and self.state == "available" else self.state

    def stands(self) -> Standing:
        """Return the standing that follows from everything else."""
        if not self.seat:
            return Standing.NO_SEAT
        if not self.sessions or self.state == "offline":
            return Standing.OFFLINE
        if self.state == "away":
            return Standing.AWAY
        if self.off_shift:
            return Standing.OFF_SHIFT
        return FULL if self.full else READY

    def may_take(self, inbox: InboxId) -> bool:
        """Whether a conversation of `inbox` may be put before this agent now."""
        return inbox in self.inboxes and self.stands() is READY

    def leads(self, inbox: InboxId) -> bool:
        """Whether the agent supervises `inbox`."""
        return self.supervisor and inbox in self.inboxes
