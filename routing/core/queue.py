"""Conversations that are not over, as routing holds them, and what they are sorted by while they wait.

Invariant: a conversation has exactly one phase. It stands in its line from the moment it is queued and its hours are
open until it is assigned or released, whatever is tried meanwhile: an offer that failed never costs the place.
"""

from bisect import bisect_left, insort
from typing import TypeAlias

import msgspec

from protocol.bus.staff import PRIORITIES
from protocol.ids import AgentId, ConversationId, HoursId, InboxId, OfferId, RuleId, TeamId

NORMAL, URGENT = PRIORITIES.index("normal"), len(PRIORITIES) - 1

Rank: TypeAlias = tuple[int, int, int, ConversationId]  # minus level, since_ms, number, conversation


class Waiting(msgspec.Struct, frozen=True, array_like=True, tag="waiting"):
    """Nobody is ready for it; whoever becomes ready is asked."""


class UntilOpen(msgspec.Struct, frozen=True, array_like=True, tag="until_open"):
    """Outside its opening hours: nobody is asked before they open, anybody of the inbox may claim it."""


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
    """Nobody is sought: anybody of the inbox may claim it.

    They are told again at `remind_ms` (0: never); `reminded` counts how often they were, `supervisors` if these too.
    """

    remind_ms: int = 0
    generation: int = 0
    since_ms: int = 0
    reminded: int = 0
    supervisors: bool = False


class Talking(msgspec.Struct, frozen=True, array_like=True, tag="talking"):
    """`agent` has it."""

    agent: AgentId
    since_ms: int


Phase: TypeAlias = Waiting | UntilOpen | Resting | Offered | Unassigned | Talking
# `type(phase) in …`, not isinstance: one that fails on a struct costs 0.4 µs, and these are asked all the time.
LINED: frozenset[type[Phase]] = frozenset({Waiting, Resting, Offered})
SEEKING: frozenset[type[Phase]] = LINED | {UntilOpen}


class Wish(msgspec.Struct, frozen=True, array_like=True):
    """What a conversation asked for. `first`: who is asked before all others, without a turn, and for what reason.

    `hours` None: at any time.
    """

    language: str = ""  # as `configured.tongue` gives it
    team: TeamId | None = None
    hours: HoursId | None = None
    first: list[tuple[AgentId, str]] = []


class Held(msgspec.Struct, array_like=True):
    """One conversation.

    `line` is its own line's key, `also` that of the team which is asked too since it waited too long; "" if none.
    `level`: its priority, aged. `from_ms`: since when it waits while it is open. `ages_ms`, `overflow_ms`: when it ages
    next and when it has waited too long, 0: not any more. `counts`: for its agent's capacity. `asked`: who was asked in
    this round → the roster's seq then. `told`: last place and when.
    """

    conversation: ConversationId
    inbox: InboxId
    rule: RuleId | None
    since_ms: int
    number: int
    phase: Phase
    line: str = ""
    also: str = ""
    wish: Wish = Wish()
    priority: int = NORMAL
    level: int = NORMAL
    from_ms: int = 0
    ages_ms: int = 0
    overflow_ms: int = 0
    overflowed: bool = False
    counts: bool = True
    asked: dict[AgentId, int] = {}
    told: tuple[int, int] | None = None

    @property
    def rank(self) -> Rank:
        """What a line is sorted by, the next one first: aged priority, then age."""
        return (-self.level, self.since_ms, self.number, self.conversation)


def aged(priority: int, waited_ms: int, step_ms: int) -> int:
    """Return the level of a conversation that waited so long: one above its priority for each step (0: never)."""
    return min(priority + max(waited_ms, 0) // step_ms, URGENT) if step_ms else priority


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
        return self.ranks[0][3]

    def place(self, rank: Rank) -> int:
        """Return the number of those ahead of `rank`, plus one."""
        return bisect_left(self.ranks, rank) + 1
