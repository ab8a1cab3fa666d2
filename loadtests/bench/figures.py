"""Measured figures, and how they are told.

Invariant: a figure names its unit, and a result names the command that makes it again; nothing here measures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Judged(Protocol):
    """Whether a run kept what it promised; its `str` says so to people."""

    @property
    def holds(self) -> bool:
        """Whether it did."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `note` says what it is made of, where the name does not."""

    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(slots=True)
class Result:
    """What one benchmark found. No verdict: nothing was sent that could be lost."""

    name: str
    command: str
    about: str
    figures: list[Figure] = field(default_factory=list)
    verdict: Judged | None = None

    def add(self, name: str, value: float, unit: str, note: str = "") -> None:
        """Note one more figure."""
        self.figures.append(Figure(name, value, unit, note))


def percentile(ascending: Sequence[float], share: float) -> float:
    """Return the least of `ascending` that at least `share` (0–1) of them do not exceed; NaN of none."""
    if not ascending:
        return math.nan
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]


def add_latency(result: Result, name: str, seconds: Sequence[float]) -> None:
    """Note p50, p99 and the longest of `seconds`, in milliseconds."""
    ascending = sorted(seconds)
    for title, share in (("p50", 0.5), ("p99", 0.99), ("longest", 1.0)):
        result.add(f"{name}, {title}", percentile(ascending, share) * 1e3, "ms")


def rendered(result: Result) -> str:
    """Return `result` as lines for a terminal."""
    lines = [f"\n{result.name}: {result.about}", f"  $ {result.command}"]
    lines += [
        f"  {each.name:<44}{_number(each.value):>12} {each.unit:<8} {each.note}".rstrip() for each in result.figures
    ]
    if result.verdict is not None:
        lines.append(f"  {result.verdict}")
    return "\n".join(lines)


def _number(value: float) -> str:
    if math.isnan(value):
        return "—"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}"
