"""When things are due is decided by rate and seed alone."""

import random
from itertools import pairwise

import pytest

from loadtests.load.arrivals import along, by_chance, even, of_share


def test_an_even_rate_has_even_steps() -> None:
    """Ten a second for two seconds are twenty, a tenth of a second apart."""
    times = list(even(10.0, 10.0, 2.0))
    assert len(times) == 20
    assert all(later - earlier == pytest.approx(0.1) for earlier, later in pairwise(times))


def test_a_rate_that_grows_has_more_in_its_second_half() -> None:
    """From 10 to 30 a second in ten seconds: 200 in all, of which 75 in the first half."""
    times = list(even(10.0, 30.0, 10.0))
    assert len(times) == pytest.approx(200, abs=2)
    assert sum(at < 5.0 for at in times) == pytest.approx(75, abs=2)


def test_chance_keeps_the_rate_and_the_seed() -> None:
    """The same seed gives the same times, another seed others, and both are about as many as the rate says."""
    one, same, other = (list(by_chance(random.Random(seed), 50.0, 50.0, 100.0)) for seed in (1, 1, 2))
    assert one == same != other
    assert len(one) == pytest.approx(5_000, rel=0.1)
    assert one == sorted(one)
    assert one[0] > 0
    assert one[-1] < 100


def test_a_curve_moves_arrivals_and_keeps_their_number() -> None:
    """A part with nothing has nobody, and the others have as many more."""
    times = list(along(random.Random(1), 10.0, [0, 1, 3], 300.0))
    parts = [sum(part * 100 <= at < (part + 1) * 100 for at in times) for part in range(3)]
    assert parts[0] == 0
    assert parts[1] == pytest.approx(750, rel=0.15)
    assert parts[2] == pytest.approx(2_250, rel=0.15)


@pytest.mark.parametrize("shares", [1, 2, 5])
def test_shares_keep_each_time_once(shares: int) -> None:
    """However many processes share them, together they keep exactly the same."""
    kept = [each for share in range(shares) for each in of_share(iter(even(7, 7, 3)), share, shares)]
    assert sorted(kept) == list(enumerate(even(7, 7, 3)))
