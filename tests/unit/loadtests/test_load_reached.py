"""The figures that goals are about, made of what a run measured."""

from collections.abc import Iterable

from loadtests.load.link import Did
from loadtests.load.measured import Done
from loadtests.load.observing import Redis
from loadtests.load.outcome import Outcome
from loadtests.load.reached import reached
from loadtests.load.recorder import DELIVERED, Recorder
from loadtests.load.scenario import Exchange, Send

PEAK = Done(Exchange(name="peak"), [Did(0.0, 10.0, 1_000, 1_000, 1_000, 1.0)], ({}, {}), Redis(), 0.0)
OVER = Done(
    Send(name="overload", seconds=20, times_peak=3), [Did(10.0, 30.0, 6_000, 3_000, 1_900, 1.0)], ({}, {}), Redis(), 0.0
)
UNDER = [(10.0 + at / 100, 10.5 + at / 100) for at in range(1_900)]  # due and delivered under overload, 100 a second


def figures(deliveries: Iterable[tuple[float, float]]) -> dict[str, float]:
    recorder, outcome = Recorder(), Outcome(sessions=1)
    for due_s, delivered_s in deliveries:
        recorder.add(DELIVERED, due_s, delivered_s)
    recorder.into(outcome)
    return {name: round(figure.value, 3) for name, figure in reached([PEAK, OVER], outcome, ({}, {}), 1).items()}


def second(after_s: int, lasted_s: float, count: int = 200) -> list[tuple[float, float]]:
    """Return deliveries that were due in that second after the overload."""
    return [(30.0 + after_s + at / count + 0.001, 30.0 + after_s + at / count + lasted_s) for at in range(count)]


def test_goodput_is_what_was_delivered_while_too_much_was_due() -> None:
    """What came after the time of the overload does not count."""
    late = [(29.0, 31.0)] * 500
    assert figures([*UNDER, *late])["goodput_of_peak"] == 0.95


def test_recovery_is_over_when_what_is_left_of_the_overload_is_delivered() -> None:
    """However quick everything else is."""
    assert figures([*UNDER, (25.0, 34.5), *second(1, 0.1)])["recovery_s"] == 4.5


def test_recovery_lasts_until_the_last_second_that_was_not_calm() -> None:
    """By its p99: one straggler among two hundred is no overload."""
    calm, slow = [*second(1, 0.1), *second(4, 0.1)], [*second(2, 0.9), *second(3, 0.9)]
    assert figures([*UNDER, *calm, *slow])["recovery_s"] == 4.0
    assert figures([*UNDER, *calm, (35.2, 36.9), *second(5, 0.1)])["recovery_s"] == 0.0
