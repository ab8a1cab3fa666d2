"""How much a scribe reads at once, and how long it waits after a failure."""

from workers.backoff import BACKOFF_MAX_S, pause_s
from workers.batches import FIRST_COUNT, GATHER_S, MAX_COUNT, gather_s, next_count

MIB = 1024 * 1024


def test_full_batches_grow_up_to_the_most() -> None:
    """A scribe that is behind takes ever more at once."""
    count = FIRST_COUNT
    for _ in range(20):
        count = next_count(count, count, 1_000)
    assert count == MAX_COUNT


def test_batches_that_were_not_full_stay_as_they_are() -> None:
    """Nothing is behind, so nothing grows."""
    assert next_count(64, 63, 1_000) == 64


def test_heavy_batches_are_halved_down_to_one() -> None:
    """Memory is bounded whatever the size of commits."""
    count = MAX_COUNT
    for _ in range(20):
        count = next_count(count, count, 9 * MIB)
    assert count == 1


def test_batches_of_middling_weight_stay_as_they_are() -> None:
    """Twice as many would be too heavy."""
    assert next_count(64, 64, 5 * MIB) == 64


def test_pauses_double_and_end_growing() -> None:
    """Quick at first, patient later."""
    assert [pause_s(failures) for failures in (1, 2, 3)] == [0.1, 0.2, 0.4]
    assert pause_s(1_000_000) == BACKOFF_MAX_S


def test_who_is_behind_does_not_wait() -> None:
    """As many as were asked for means that there may be more: they are read at once."""
    assert gather_s(16, 16) == 0


def test_who_has_caught_up_lets_commits_gather() -> None:
    """A trickle of commits is one transaction now and then, not one each."""
    assert gather_s(16, 1) == GATHER_S
