"""Who is interrupted by the watchdog, and who is not."""

import pytest

from engine.runtime.faults import Overran
from engine.runtime.watchdog import Watchdog


def test_a_stretch_that_outlasts_the_limit_is_interrupted() -> None:
    """The same stretch, seen again and again for as many looks."""
    watchdog = Watchdog(3)
    watchdog.serial, watchdog.inside = 7, True
    watchdog.look()
    watchdog.look()
    watchdog.look()
    with pytest.raises(Overran):
        watchdog.look()


def test_many_short_stretches_are_not() -> None:
    """Each look finds another one at work."""
    watchdog = Watchdog(1)
    for serial in range(100):
        watchdog.serial, watchdog.inside = serial, True
        watchdog.look()


def test_time_between_stretches_does_not_count() -> None:
    """Only a decider is ever interrupted."""
    watchdog = Watchdog(2)
    watchdog.serial = 7
    for inside in (True, True, False, True, True):
        watchdog.inside = inside
        watchdog.look()
