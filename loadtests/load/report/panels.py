"""Which plots a run has: one per panel and unit over time, and the percentile curves.

Invariant: every series and every histogram of the run is in exactly one plot, and what a plot shows is told in words
and numbers too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hdrh.histogram import HdrHistogram

from loadtests.load.report.numbers import number
from loadtests.load.report.plots import Line, Plot
from loadtests.load.results import Latency, Mark, Run, Series

_TITLES = {  # in the order a reader asks
    "throughput": "Throughput",
    "latency": "Latency over time",
    "percentiles": "Latency by percentile",
    "cpu": "CPU by role",
    "memory": "Memory by role",
    "queue": "Queue length",
    "sessions": "Sessions",
}
_TICKS_PER_HALVING = 5  # points of a percentile curve from 50 to 75, from 75 to 87.5, and so on
_MINUTES_FROM_S = 300.0
SPAN_HEADS = ("line", "first", "least", "greatest", "last")


@dataclass(frozen=True, slots=True)
class Panel:
    """A plot, and the same as a table: its heads and its rows."""

    plot: Plot
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def described(self) -> str:
        """What the plot shows, in one sentence per line of it."""
        unit = f" {self.plot.unit}" if self.plot.unit else ""
        told = [
            ", ".join(f"{head} {cell}{unit}" for head, cell in zip(self.heads[1:], row[1:], strict=True))
            for row in self.rows
        ]
        return " ".join(f"{row[0]}: {text}." for row, text in zip(self.rows, told, strict=True))


def panels(run: Run) -> list[Panel]:
    """Return the plots of `run`, in the order a reader asks."""
    order = list(_TITLES)
    found: dict[tuple[str, str], list[Series]] = {}
    for series in run.series:
        found.setdefault((series.panel, series.unit), []).append(series)
    ends_s = [at for series in run.series for at in series.at_s] + [mark.at_s for mark in run.marks]
    end_s = max(ends_s, default=0.0)
    shown = [(name, _over_time(name, members, run.marks, end_s)) for (name, _), members in found.items()]
    if measured := [latency for latency in run.latencies if latency.count]:
        shown.append(("percentiles", _percentiles(measured)))
    shown.sort(key=lambda one: order.index(one[0]) if one[0] in order else len(order))
    return [panel for _, panel in shown]


def _over_time(name: str, members: Sequence[Series], marks: Sequence[Mark], end_s: float) -> Panel:
    clock, length_s = ("minutes", 60.0) if end_s > _MINUTES_FROM_S else ("seconds", 1.0)
    lines = [Line(series.name, [at / length_s for at in series.at_s], series.values) for series in members]
    plot = Plot(
        _TITLES.get(name) or name[:1].upper() + name[1:],
        members[0].unit,
        lines,
        f"{clock} since the run began",
        is_wide=name == "latency",
        marks=[mark.at_s / length_s for mark in marks],
        x_end=end_s / length_s or None,
    )
    return Panel(plot, SPAN_HEADS, [_span(line) for line in lines])


def _span(line: Line) -> list[str]:
    known = [y for y in line.ys if y is not None]
    span = (known[0], min(known), max(known), known[-1]) if known else (None,) * 4
    return [line.name, *map(number, span)]


def _percentiles(latencies: Sequence[Latency]) -> Panel:
    curves = [_curve(latency) for latency in latencies]
    plot = Plot(_TITLES["percentiles"], "ms", curves, "percentile", is_wide=True, by_percentile=True)
    names = list(dict.fromkeys(name for latency in latencies for name in latency.percentiles_ms))
    rows = [[each.name, *(number(each.percentiles_ms.get(name)) for name in names)] for each in latencies]
    return Panel(plot, ["latency", *(f"p{name}" for name in names)], rows)


def _curve(latency: Latency) -> Line:
    """Return the curve of a histogram, up to the last value that is one of its count."""
    if not latency.encoded:
        points = [(float(name), value) for name, value in latency.percentiles_ms.items()]
    else:
        steps = HdrHistogram.decode(latency.encoded).get_percentile_iterator(_TICKS_PER_HALVING)
        points = [(step.percentile_level_iterated_to, step.value_iterated_to / 1_000) for step in steps]
    points = [point for point in points if point[0] < 100]
    points = sorted([*points, (100 * (1 - 1 / (latency.count + 1)), latency.max_ms)])
    return Line(latency.name, [x for x, _ in points], [y for _, y in points])
