"""What a simulated installation says, and what of it is a bug."""

import pytest

from tests.simulation.diary import Diary
from tests.simulation.loop import SimulatedLoop
from tests.simulation.poison import Poison


def diary() -> Diary:
    """A diary that nobody reads along with."""
    loop = SimulatedLoop(1)
    loop.close()  # only its clock is read
    return Diary(loop, None)


@pytest.mark.parametrize("what", ["conversation parked", "command quarantined", "command set aside"])
def test_whatever_an_engine_sets_aside_is_a_bug(what: str) -> None:
    """Nobody was told to raise: the run is bad, whatever became of it."""
    told = diary()
    told.log.error(what, why="KeyError", exc_info=KeyError("c1"))
    assert len(told.bugs) == 1


def test_what_is_poison_is_no_bug() -> None:
    """A decider that raised on purpose, however deep."""
    told = diary()
    error = RuntimeError("deciding raised")
    error.__cause__ = Poison("AcceptOffer")
    told.log.error("command quarantined", exc_info=error)
    told.log.error("command set aside", why="Poison")
    assert told.bugs == []


def test_warnings_are_no_bugs() -> None:
    """What an installation mends by itself it only warns of."""
    told = diary()
    told.log.warning("cell suspect", cell="c00")
    assert told.bugs == []
