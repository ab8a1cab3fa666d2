"""How a conversation ends, comes back or becomes another visitor's.

Invariant: nothing follows `Erased`.
"""

from protocol.ids import VisitorId
from protocol.wire.content.body import Author, Body


class Closed(Body, frozen=True, tag="closed"):
    """It is over. `reason`: visitor, agent, inactivity, consent_withdrawn, spam, blocked, gate_expired, merged,
    erased."""

    by: Author
    reason: str


class Reopened(Body, frozen=True, tag="reopened"):
    """A message within the reopen window brought it back."""

    by: Author


class Parked(Body, frozen=True, tag="parked"):
    """The conversation could not be decided and is set aside for an operator: staff only."""

    error: str


class Erased(Body, frozen=True, tag="erased"):
    """The last entry: nothing is left of what was said before it, and readers forget all that they hold of it."""


class Merged(Body, frozen=True, tag="merged"):
    """Whoever has it logged in, and it is `visitor`'s from here on; visitors are not shown whose.

    `other`: the one that they had under the same chatflow; `over`: that one goes on in its place.
    """

    visitor: VisitorId
    over: bool = False
    other: str = ""
