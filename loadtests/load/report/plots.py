"""Plots as figures of matplotlib, drawn to SVG.

Invariant: no text of a run passes through matplotlib, which would read mathematics into it: names stand beside the
plot, and the label of the y axis is put in afterwards. Nothing is left out of a line but what lies between the least
and the greatest of a stretch too short to see.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from loadtests.load.report.markup import Html
from loadtests.load.report.svg import DASHES, GRID, INK, LABEL, line_colour, painted

WIDTH_IN, HEIGHT_IN = 6.0, 3.3  # at 72 units an inch: text of 12 is 15 px on a desk and 10 px on a phone
MOST_POINTS = 300  # of one line: two to a pixel of a phone
_LOG_FROM = 20  # times the least
_HEADROOM = 1.15  # for the numbers of marks, above every line
_NINES = (50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot. A y of None is a gap."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot. On `by_percentile` the xs are percentiles below 100."""

    title: str
    unit: str
    lines: Sequence[Line]
    x_label: str = ""
    is_wide: bool = False  # may span decades; a logarithmic axis then
    by_percentile: bool = False
    marks: Sequence[float] = ()  # xs to draw an upright at, numbered from 1
    x_end: float | None = None  # so that plots side by side have one axis
    sizes: Sequence[float] = ()  # what was measured at, where the xs are sizes: marked, on a logarithmic axis

    @property
    def is_log(self) -> bool:
        """Whether its values need a logarithmic axis."""
        values = [y for line in self.lines for y in line.ys if y is not None and y > 0]
        return self.is_wide and bool(values) and max(values) > _LOG_FROM * min(values)


def drawn(plot: Plot, name: str, described: str) -> Html:
    """Return `plot` as an SVG element whose ids begin with `name`, with its title and, for ears, `described`."""
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.size": 12, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=72, layout="constrained")
        axes = figure.add_subplot()
        for at, line in enumerate(plot.lines):
            _add(axes, plot, line, at)
        _dress(axes, plot)
        _mark(axes, plot.marks)
        image = io.StringIO()
        figure.savefig(image, format="svg", metadata={"Date": None})
    return painted(image.getvalue(), name, plot.title, described, label=plot.unit)


def thinned(
    xs: Sequence[float], ys: Sequence[float | None], most: int = MOST_POINTS
) -> tuple[list[float], list[float]]:
    """Return at most `most` points (and NaN for gaps): of each stretch its least and its greatest, in their order."""
    points = [(x, math.nan if y is None else y) for x, y in zip(xs, ys, strict=True)]
    if len(points) > most:
        step = math.ceil(2 * len(points) / most)
        points = [kept for at in range(0, len(points), step) for kept in _extremes(points[at : at + step])]
    return [x for x, _ in points], [y for _, y in points]


def _extremes(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    known = [point for point in points if not math.isnan(point[1])]
    if not known:
        return [points[0]]
    return sorted({min(known, key=_height), max(known, key=_height)})


def _height(point: tuple[float, float]) -> float:
    return point[1]


def _add(axes: Axes, plot: Plot, line: Line, at: int) -> None:
    if plot.by_percentile:
        xs, ys = [1 / (1 - x / 100) for x in line.xs], [math.nan if y is None else y for y in line.ys]
    else:
        xs, ys = thinned(line.xs, line.ys)
    if plot.is_log:
        ys = [y if y > 0 else math.nan for y in ys]
    axes.plot(
        xs,
        ys,
        color=line_colour(at),
        linewidth=1.8,
        linestyle=DASHES[at % len(DASHES)],
        marker="o",
        markersize=3,
        markevery=_alone(ys),
        drawstyle="steps-pre" if plot.by_percentile else "default",
    )


def _alone(ys: Sequence[float]) -> list[int]:
    """Return which of `ys` stand between two gaps, where a line has no length."""
    gaps = [True, *(math.isnan(y) for y in ys), True]
    return [at for at in range(len(ys)) if gaps[at] and not gaps[at + 1] and gaps[at + 2]]


def _mark(axes: Axes, marks: Sequence[float]) -> None:
    for at, x in enumerate(marks, start=1):
        axes.axvline(x, color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
        axes.annotate(
            str(at),
            (x, 1),
            (3, -2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            color=INK,
        )


def _dress(axes: Axes, plot: Plot) -> None:
    """Axes, grid and their labels, in colours that the page chooses."""
    axes.figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.grid(True, color=GRID, linewidth=0.8)
    axes.tick_params(colors=INK, length=0, which="both")
    axes.set_xlabel(plot.x_label, color=INK)
    axes.set_title(LABEL, loc="left", fontsize=12, color=INK)
    if plot.by_percentile:
        _percentile_axis(axes, plot)
    elif plot.sizes:
        axes.set_xscale("log")
        axes.set_xticks(plot.sizes, [f"{size:,g}" for size in plot.sizes])
        axes.minorticks_off()
    else:
        axes.set_xlim(left=0, right=plot.x_end)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 3, 6, 10]))
    _y_axis(axes, plot)


def _percentile_axis(axes: Axes, plot: Plot) -> None:
    highest = max((x for line in plot.lines for x in line.xs), default=99.0)
    nines = [x for x in _NINES if x <= max(highest, 99.0)]
    axes.set_xscale("log")
    axes.set_xlim(1, 1 / (1 - max(highest, 99.0) / 100))
    axes.set_xticks([1 / (1 - x / 100) for x in nines], [f"{x:g}" for x in nines])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


def _y_axis(axes: Axes, plot: Plot) -> None:
    values = [y for line in plot.lines for y in line.ys if y is not None and y > 0]
    if plot.is_log:
        axes.set_yscale("log")
        many = max(values) > 300 * min(values)
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if many else (1.0, 2.0, 5.0)))
        axes.minorticks_off()
    else:
        axes.set_ylim(bottom=0, top=_HEADROOM * max(values, default=1.0))
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
