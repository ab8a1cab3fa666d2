"""The phases of a conversation: what is true of it now, and nothing that is not.

Invariant: a phase holds only what every conversation in it has. Its tag in snapshots is its name in lower case. A
phase that bots lead will stand beside `Waiting` and `Unassigned`.
"""

import msgspec

from protocol.ids import EventId
from protocol.wire.content import Author


class Phase(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=str.lower):
    """What is true now."""


class NotStarted(Phase, frozen=True):
    """Nothing is stored: only the id exists, given out in the answer to `hello`."""


class Opening(Phase, frozen=True):
    """Inside the step that starts or reopens it: not yet routed. No conversation rests here.

    `said_ms`: when the visitor spoke, None if they have not. `missing`: the steps still to be answered.
    """

    said_ms: int | None = None
    missing: tuple[str, ...] = ()


class Gated(Phase, frozen=True):
    """A step that comes before the chat is not answered yes: invisible to agents. Removed at `until_ms`.

    `missing`: which steps are left; none if all that stands in the way is a consent declined.
    """

    until_ms: int
    missing: tuple[str, ...] = ()


class Ready(Phase, frozen=True):
    """All steps answered, and nothing said yet: nobody is sought. Removed at `until_ms`."""

    until_ms: int


class Waiting(Phase, frozen=True):
    """The roster seeks an agent; the visitor has waited for a person since `since_ms`."""

    since_ms: int


class Unassigned(Phase, frozen=True):
    """Nobody is sought, anybody of the inbox may claim. `since_ms`: since when a reply is owed; None if none is."""

    since_ms: int | None


class Talking(Phase, frozen=True):
    """`agent` has it since `since_ms`. `owed_since_ms`: since when they owe the visitor a reply; None if they do not.

    `answered`: this agent has spoken since.
    """

    agent: Author
    owed_since_ms: int | None
    since_ms: int
    answered: bool = False


class Closed(Phase, frozen=True):
    """Over at `at_ms` by entry `seq`/`event`, unless a message within the reopen window brings it back.

    `missing`: which steps were left, if it never came past its gate. `erased`: nothing is left of it, and nothing more
    is taken.
    """

    at_ms: int
    seq: int
    event: EventId
    missing: tuple[str, ...] = ()
    erased: bool = False


class Parked(Phase, frozen=True):
    """Deciding it raised `error`: set aside for an operator, its commands are refused."""

    error: str


AnyPhase = NotStarted | Opening | Gated | Ready | Waiting | Unassigned | Talking | Closed | Parked

# `type(phase) in …`, not isinstance: a failing isinstance on a struct costs 0.13 µs, and these are asked all the time.
ROUTED: frozenset[type[Phase]] = frozenset({Waiting, Unassigned, Talking})  # the roster knows exactly these
UNSAID: frozenset[type[Phase]] = frozenset({Gated, Ready})  # the gate's timer runs in exactly these
UNROUTED: frozenset[type[Phase]] = frozenset({Opening, Gated, Ready})  # a visitor's word changes these
