"""What Redis holds of the values that a batch touches, from before the batch: what a commit checks before it writes.

Invariant: a head changes only with a commit of the cell's owner; commit_no 0: Redis holds nothing under the key.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.ids import AccountId, ConversationId, VisitorId

ACTIVE_EVERY_MS = 60_000  # how much later than `Keys.active` says a conversation may have been committed last


class ConversationHead(NamedTuple):
    """`active_ms`: what `Keys.active` says of it; 0: not known, or when to look at it again."""

    seq: int = 0
    commit_no: int = 0
    active_ms: int = 0

    def is_told(self, at_ms: int) -> bool:
        """Whether it is well enough known that the conversation was active at `at_ms`."""
        return self.seq > 0 and self.active_ms <= at_ms < self.active_ms + ACTIVE_EVERY_MS


class RosterHead(NamedTuple):
    """`log_end`: the id of the last entry of its log, "" if there is none."""

    seq: int = 0
    commit_no: int = 0
    log_end: str = ""


@dataclass(slots=True)
class Heads:
    """`stored`: the commit_no up to which SQL has everything. `feeds`: "seq event-id" of the last change, "": none."""

    stored: int = 0
    conversations: dict[ConversationId, ConversationHead] = field(default_factory=dict)
    visitors: dict[VisitorId, int] = field(default_factory=dict)
    rosters: dict[AccountId, RosterHead] = field(default_factory=dict)
    feeds: dict[str, str] = field(default_factory=dict)


def feed_seq(position: str) -> int:
    """Return the seq of a feed's position, 0 before the first change."""
    return int(position.partition(" ")[0] or 0)
