"""When things are due: decided before a run begins, by the clock and by seeded chance, never by how the server does.

Invariant: the same seed gives the same times, however many processes share them; a stall moves none.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate


def even(per_s: float, to_per_s: float, seconds: float) -> Iterator[float]:
    """Yield times from 0 on at a rate that goes evenly from `per_s` to `to_per_s`, each one step after the other."""
    at, grows = 0.0, (to_per_s - per_s) / seconds
    while at < seconds:
        yield at
        at += 1 / (per_s + grows * at)


def by_chance(chance: random.Random, per_s: float, to_per_s: float, seconds: float) -> Iterator[float]:
    """Yield times of independent arrivals at a rate that goes evenly from `per_s` to `to_per_s` (a Poisson process)."""
    most = max(per_s, to_per_s)
    at = chance.expovariate(most)
    while at < seconds:
        if chance.random() * most < per_s + (to_per_s - per_s) * at / seconds:
            yield at
        at += chance.expovariate(most)


def along(chance: random.Random, per_s: float, curve: Sequence[float], seconds: float) -> Iterator[float]:
    """Yield times of independent arrivals, `per_s` on average, more and less along `curve`."""
    parts = list(curve) or [1.0]
    width, mean = seconds / len(parts), sum(parts) / len(parts)
    for begins, part in zip(accumulate([0.0] + [width] * (len(parts) - 1)), parts, strict=True):
        if part > 0:
            rate = per_s * part / mean
            yield from (begins + at for at in by_chance(chance, rate, rate, width))


def of_share(times: Iterator[float], share: int, shares: int) -> Iterator[tuple[int, float]]:
    """Yield the number and time of each that one of `shares` processes is to keep."""
    return ((number, at) for number, at in enumerate(times) if number % shares == share)
