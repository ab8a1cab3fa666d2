"""What ends an owner's tenure of a cell.

Invariant: each of these means that nothing undecided was lost: what is in Redis is what the next tenure begins with.
"""

from store.redis.faults import Away, Refused
from store.sql.database import StoreAway


class LeaseLost(Exception):
    """The cell is another's now."""


class CommitRefused(Exception):
    """Redis is not where we thought: everything remembered of the cell is dropped. `reason` is commit.lua's answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a commit was refused: {reason}")
        self.reason = reason


class EpochOver(Exception):
    """SQL is under a later epoch than Redis, so that nothing more of this one is ever copied: the cell is rebuilt."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"SQL is under epoch {epoch}")


class Overran(Exception):
    """Deciding used more processor time than any command may."""


FAULTS = (Away, Refused, StoreAway, LeaseLost, CommitRefused)
