"""How times spread: median, nine tenths, mean.

Invariant: a quantile is the time of a conversation that there was (nearest rank), rounded down to whole seconds, from
ten minutes on to whole minutes; the mean is of milliseconds. Where there was none, all three are None.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

MEDIAN, NINE_TENTHS = 50, 90


@dataclass(slots=True)
class Spread:
    """How often which time was counted, in whole seconds, and the sum of the times themselves."""

    seconds: list[tuple[int, int]] = field(default_factory=list)  # (s, how often)
    total_ms: int = 0

    @property
    def count(self) -> int:
        return sum(often for _, often in self.seconds)

    def add(self, second: int, often: int, total_ms: int) -> None:
        """Count `often` times, rounded down to `second`, which together are `total_ms`."""
        self.seconds.append((second, often))
        self.total_ms += total_ms

    def told(self, name: str) -> dict[str, float | None]:
        """Return the columns of a report on the time `name`."""
        count = self.count
        return {
            f"{name}_median_s": quantile(self.seconds, count, MEDIAN),
            f"{name}_p90_s": quantile(self.seconds, count, NINE_TENTHS),
            f"{name}_mean_s": round(self.total_ms / count / 1000, 1) if count else None,
        }


def quantile(counted: Iterable[tuple[int, int]], count: int, percent: int) -> int | None:
    """Return the least value that at least `percent` of the `count` values do not exceed; None if there are none."""
    below, rank = 0, -(-count * percent // 100)
    for value, often in sorted(counted):
        below += often
        if below >= rank:
            return value
    return None
