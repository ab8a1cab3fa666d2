"""Which clock is believed, and when."""

from engine.runtime.timers import Believed

HOUR_MS = 3_600_000


def seen(clock_ms: int, boot_ms: int) -> Believed:
    belief = Believed(5_000, 30_000)
    assert not belief.saw(clock_ms, boot_ms)
    return belief


def test_any_time_is_believed_at_first() -> None:
    """An owner that just began has nothing to compare with."""
    assert Believed(5_000, 30_000).latest_ms(0) == 0


def test_time_may_go_on_as_the_machine_does() -> None:
    """The clock is believed up to the jump's size ahead of the machine's uptime."""
    assert seen(1_000_000, 500).latest_ms(10_500) == 1_015_000


def test_a_slow_drift_is_followed() -> None:
    """Small differences add up to no jump."""
    belief = seen(1_000_000, 0)
    for step in range(1, 100):
        assert not belief.saw(1_000_000 + step * 1_400, step * 1_000)


def test_a_jump_in_either_direction_pauses_everything() -> None:
    """Nothing fires for the pause, whatever the clock says."""
    for jumped_ms in (1_000_000 + HOUR_MS, 1_000_000 - HOUR_MS):
        belief = seen(1_000_000, 0)
        assert belief.saw(jumped_ms, 100)
        assert belief.latest_ms(101) is None
        assert belief.latest_ms(30_099) is None


def test_after_the_pause_the_new_time_is_believed() -> None:
    """Once, with an alarm; from then on it is the measure."""
    belief = seen(1_000_000, 0)
    belief.saw(1_000_000 + HOUR_MS, 100)
    assert belief.latest_ms(30_100) == 0
    assert not belief.saw(1_030_000 + HOUR_MS, 30_100)
    assert belief.latest_ms(31_100) == 1_036_000 + HOUR_MS
