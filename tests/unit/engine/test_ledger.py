"""The ledger of one sender."""

import pytest

from engine.core.ledger import Ledger, Misnumbered, Recorded, slot_of
from protocol.bus.records import Outcome
from protocol.ids import DeviceId
from protocol.wire.codes import Code


def outcome(n: int) -> Outcome:
    """What became of frame n."""
    return Outcome("ses", DeviceId("dev"), n, f"id-{n}", seq=n)


def ledger(taken: int) -> Ledger:
    """A ledger that took n 1 to `taken`."""
    kept = Ledger()
    for n in range(1, taken + 1):
        kept.remember(outcome(n))
    return kept


def test_next_is_fresh() -> None:
    """The next n is decided."""
    assert ledger(0).check(1, "a") is None
    assert ledger(40).check(41, "a") is None


@pytest.mark.parametrize("n", [1, 40, 41, 99])
def test_known_id(n: int) -> None:
    """An id among the last 32 gets its outcome, whatever its n."""
    assert ledger(40).check(n, "id-9") == Recorded(outcome(9))


def test_forgotten_id() -> None:
    """What is 32 behind is forgotten: its n conflicts."""
    assert ledger(40).check(8, "id-8") == Misnumbered(Code.N_CONFLICT, 41)


def test_above() -> None:
    """An n above the next is out of order, and told the next."""
    assert ledger(3).check(5, "a") == Misnumbered(Code.OUT_OF_ORDER, 4)


def test_below() -> None:
    """Another id under a used n conflicts, and is told the next."""
    assert ledger(3).check(3, "a") == Misnumbered(Code.N_CONFLICT, 4)


def test_stored_and_loaded() -> None:
    """A ledger loaded from its slots, in any order, is the same ledger."""
    kept = ledger(50)
    slots = {slot_of(known.n): known for known in map(outcome, range(1, 51))}
    loaded = Ledger(slots.values())
    assert (loaded.last, loaded.outcomes) == (kept.last, kept.outcomes)
    assert len(loaded.outcomes) == 32
