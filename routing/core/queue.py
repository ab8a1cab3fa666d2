"""Conversations that are not over, as routing holds them, and each rule's line of those that wait.

Invariant: a conversation has exactly one phase. It stands in its rule's line from the moment it is queued until it is
assigned or released, whatever is tried meanwhile, so its place never gets worse by an offer that failed.
"""

from bisect import bisect_left, insort
from typing import TypeAlias

import msgspec

from protocol.bus.config import Rule
from protocol.ids import AgentId, ConversationId, InboxId, OfferId, RuleId
from routing.core.ring import Ring

EXACT_PLACES = 10
PLACES_PAUSE_MS = 10_000

Rank: TypeAlias = tuple[int, int, ConversationId]  # since_ms, number, conversation


class Waiting(msgspec.Struct, frozen=True, array_like=True, tag="waiting"):
    """Nobody is ready for it; whoever becomes ready is asked."""


class Resting(msgspec.Struct, frozen=True, array_like=True, tag="resting"):
    """Everybody ready said no: all may be asked again at `until_ms`. `generation` is its timer's."""

    until_ms: int
    generation: int


class Offered(msgspec.Struct, frozen=True, array_like=True, tag="offered"):
    """`agent` is being asked. `reason` is that of the assignment if the answer is yes."""

    offer: OfferId
    agent: AgentId
    deadline_ms: int
    reason: str


class Unassigned(msgspec.Struct, frozen=True, array_like=True, tag="unassigned"):
    """Nobody is sought: anybody of the inbox may claim it."""


class Talking(msgspec.Struct, frozen=True, array_like=True, tag="talking"):
    """`agent` has it."""

    agent: AgentId
    since_ms: int


Phase: TypeAlias = Waiting | Resting | Offered | Unassigned | Talking


class Held(msgspec.Struct, array_like=True):
    """One conversation. `asked`: who was asked in this round → the roster's seq then. `told`: last place and when."""

    conversation: ConversationId
    inbox: InboxId
    rule: RuleId | None
    since_ms: int
    number: int
    phase: Phase
    asked: dict[AgentId, int] = {}
    told: tuple[int, int] | None = None

    @property
    def rank(self) -> Rank:
        """What a line is sorted by, the next one first. Priorities and ageing will come before `since_ms`."""
        return (self.since_ms, self.number, self.conversation)


class Sorted(msgspec.Struct, array_like=True):
    """Ranks in order. Each change is a search of log n steps and one memory move; nothing is scanned."""

    ranks: list[Rank] = []

    def __len__(self) -> int:
        return len(self.ranks)

    def add(self, rank: Rank) -> None:
        insort(self.ranks, rank)

    def remove(self, rank: Rank) -> None:
        """Take `rank` out; it must be there."""
        at = bisect_left(self.ranks, rank)
        assert self.ranks[at] == rank
        del self.ranks[at]

    def first(self) -> ConversationId:
        """Return the conversation that comes first; there must be one."""
        return self.ranks[0][2]

    def place(self, rank: Rank) -> int:
        """Return the number of those ahead of `rank`, plus one."""
        return bisect_left(self.ranks, rank) + 1


class Round(msgspec.Struct, frozen=True, array_like=True):
    """When the visitors of a line are told their places next. `set_ms` is when that was settled."""

    due_ms: int
    generation: int
    set_ms: int


class Line(msgspec.Struct, array_like=True):
    """A rule's queue: `everyone` in it for places, of these the `waiting` and the `resting`; and the rule's ring.

    `agents` are those of the rule with access to its inbox; `standings` counts them, so that reasons cost no scan.
    """

    rule: Rule
    agents: list[AgentId] = []
    standings: dict[str, int] = {}
    ring: Ring = msgspec.field(default_factory=Ring)
    everyone: Sorted = msgspec.field(default_factory=Sorted)
    waiting: Sorted = msgspec.field(default_factory=Sorted)
    resting: Sorted = msgspec.field(default_factory=Sorted)
    told_ms: int = 0
    round: Round | None = None


def shown(place: int) -> int:
    """Return `place` as visitors are told it: exact up to 10, then rounded up to fives, twenties and hundreds."""
    if place <= EXACT_PLACES:
        return place
    step = 5 if place <= 50 else 20 if place <= 200 else 100
    return -(-place // step) * step
