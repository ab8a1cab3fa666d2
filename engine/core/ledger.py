"""What became of a sender's numbered frames: the reason why sending again is always safe (SPEC 5.1).

Invariant: holds the outcomes of the last 32 n that were taken, and the highest n. A sender is a visitor's device in
one conversation, or an agent's device (`DESK`).
"""

from collections.abc import Iterable

import msgspec

from protocol.bus.records import Outcome
from protocol.wire.codes import Code
from protocol.wire.limits import REMEMBERED_OUTCOMES

DESK = "desk"  # owner of the ledgers of agents' devices


class Recorded(msgspec.Struct, frozen=True):
    """This frame was decided: that is what became of it."""

    outcome: Outcome


class Misnumbered(msgspec.Struct, frozen=True):
    """OUT_OF_ORDER or N_CONFLICT: the sender renumbers what is unresolved from `expected`. Consumes nothing."""

    code: Code
    expected: int


class Ledger:
    """One sender's remembered outcomes. Its owner's memory: `remember` changes it in place."""

    __slots__ = ("_by_id", "last")

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        self.last = 0
        self._by_id: dict[str, Outcome] = {}  # in the order of n
        for outcome in sorted(outcomes, key=lambda outcome: outcome.n):
            self.remember(outcome)

    def check(self, n: int, id_: str) -> Recorded | Misnumbered | None:
        """Return that the frame was decided (by its id, whatever its n) or is wrongly numbered; None: it is new."""
        known = self._by_id.get(id_)
        if known is not None:
            return Recorded(known)
        expected = self.last + 1
        if n == expected:
            return None
        return Misnumbered(Code.OUT_OF_ORDER if n > expected else Code.N_CONFLICT, expected)

    def remember(self, outcome: Outcome) -> None:
        """Take `outcome.n`, which follows the last; forget what is 32 behind."""
        self.last = outcome.n
        self._by_id[outcome.id] = outcome
        if len(self._by_id) > REMEMBERED_OUTCOMES:
            del self._by_id[next(iter(self._by_id))]

    @property
    def outcomes(self) -> list[Outcome]:
        """What is remembered, in the order of n."""
        return list(self._by_id.values())


def slot_of(n: int) -> int:
    """Return the slot that outcome `n` takes wherever ledgers are stored."""
    return n % REMEMBERED_OUTCOMES
