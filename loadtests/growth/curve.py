"""A curve: the same thing measured at several sizes, and the verdict of what grows with the size.

Invariant: a value is the median of rounds that were taken in turn with those of the other sizes, so that whatever else
the machine did, it did to all of them. A curve is flat if its greatest value is at most `FLAT` times its first.
"""

from collections.abc import Awaitable, Callable, Sequence
from statistics import median

from msgspec import Struct

FLAT = 1.15

Spent = dict[str, float]
Round = Callable[[], Awaitable[Spent]]


class Figure(Struct):
    """One line of a curve: a value per size. `rounds`: what each median was taken of.

    `judged`: the verdict speaks of it. `most`: how many times the first value breaks the run, counts of steps only.
    `drawn`: it is a line of the curve's picture, whose lines have one unit.
    """

    name: str
    unit: str
    values: list[float]
    rounds: list[list[float]]
    judged: bool = True
    most: float | None = None
    drawn: bool = False

    @property
    def growth(self) -> float:
        """The greatest value as a multiple of the first."""
        return max(self.values) / self.values[0] if self.values and self.values[0] else 1.0


class Curve(Struct):
    """`sizes`: the x axis, `size`: what they count. `delivered`: the verdict on what was sent, "" if nothing was."""

    name: str
    title: str
    size: str
    about: str
    command: str
    sizes: list[int]
    figures: list[Figure]
    delivered: str = ""
    is_broken: bool = False
    notes: list[str] = []
    took_s: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether everything was delivered, and no count of steps grew past its bound. Times break nothing."""
        return not self.is_broken and all(each.most is None or each.growth <= each.most for each in self.figures)

    @property
    def verdict(self) -> str:
        """What grows and by how much, or that nothing does."""
        judged = [each for each in self.figures if each.judged]
        grown = [each for each in judged if each.growth > FLAT]
        if not grown:
            return f"flat within {FLAT - 1:.0%}"
        told = "; ".join(_growth_of(each, self.sizes) for each in grown)
        flat = ", ".join(each.name for each in judged if each.growth <= FLAT)
        return f"grows: {told}" + (f"; flat within {FLAT - 1:.0%}: {flat}" if flat else "")


def number(value: float) -> str:
    """Return a value with as many digits as mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _growth_of(figure: Figure, sizes: Sequence[int]) -> str:
    most = max(figure.values)
    at = sizes[figure.values.index(most)]
    span = f"{number(figure.values[0])} → {number(most)} {figure.unit}".rstrip()
    return f"{figure.name} {figure.growth:.2f} times at {at:,} ({span})"


async def interleaved(rounds: Sequence[Round], times: int) -> list[list[Spent]]:
    """Take one round of each size to warm up, then `times` of each, there and back again; return them by size."""
    for each in rounds:
        await each()
    taken: list[list[Spent]] = [[] for _ in rounds]
    for turn in range(times):
        order = range(len(rounds)) if turn % 2 == 0 else reversed(range(len(rounds)))
        for at in order:
            taken[at].append(await rounds[at]())
    return taken


def figures(
    taken: Sequence[Sequence[Spent]], units: dict[str, str], *, judged: Sequence[str], drawn: bool = True
) -> list[Figure]:
    """Return a figure of each of `units` (name → unit), by the medians of what was taken at each size."""
    return [
        Figure(name, unit, [median(each[name] for each in at) for at in taken], [[s[name] for s in at] for at in taken],
               judged=name in judged, drawn=drawn)
        for name, unit in units.items()
    ]  # fmt: skip


def counted(name: str, unit: str, values: Sequence[float], *, judged: bool = True, most: float | None = None) -> Figure:
    """Return a figure that needs no rounds: a count, or a memory."""
    return Figure(name, unit, list(values), [[value] for value in values], judged, most)
