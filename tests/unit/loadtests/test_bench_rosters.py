"""The roster that is measured, and the verdict on it."""

from loadtests.bench.office import Office
from loadtests.bench.rosters import ACTS, MOST, Growth
from routing.core.queue import Talking, Waiting


def test_everybody_talks_and_the_rest_wait() -> None:
    """What is measured is a full house with a queue."""
    office = Office(agents=6, rules=2, waiting=9)
    phases = [type(held.phase) for held in office.roster.held.values()]
    assert (phases.count(Talking), phases.count(Waiting)) == (6, 9)


def test_a_freed_place_goes_to_somebody_who_waits() -> None:
    """The decision that is measured is one."""
    office = Office(agents=6, rules=2, waiting=9)
    ACTS["a place is freed and the next assigned"](office, 0)
    phases = [type(held.phase) for held in office.roster.held.values()]
    assert (phases.count(Talking), phases.count(Waiting)) == (6, 8)


def test_more_steps_than_a_few_times_as_many_are_a_scan() -> None:
    """The verdict says so, and ends the run with status 1."""
    assert (Growth(MOST).holds, Growth(MOST + 0.1).holds) == (True, False)
    assert "SOMETHING SCANS" in str(Growth(90.0))
