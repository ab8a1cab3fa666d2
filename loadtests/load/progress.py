"""What a run looks like while it runs: one picture that changes in a terminal, a line now and then anywhere else.

Invariant: it only shows what it is handed, by the run's own clock; nothing it does can stop or slow a run by more
than the drawing.
"""

import math
import sys
from collections import deque
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from loadtests.load.report.numbers import duration, number

PLAIN_EVERY_S = 5.0
_KEPT = 40  # samples of the rate that are drawn
_BARS = "▁▂▃▄▅▆▇█"
_NAMES = {
    "rate": "messages/s",
    "acks": "acknowledged/s",
    "p50_ms": "p50, ms",
    "p99_ms": "p99, ms",
    "sessions": "sessions",
    "refusals": "refusals",
    "queue": "queue",
}


class Progress:
    """Shows a run. `stage` says what happens now; `sample` brings the last second's values, named as above or not."""

    def __init__(self, title: str = "", *, console: Console | None = None) -> None:
        self._title, self._stage = _plain(title), ""
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        self._at_s = 0.0
        self._values: dict[str, float] = {}
        self._rates: deque[float] = deque(maxlen=_KEPT)
        self._said_s = -math.inf

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def stage(self, text: str) -> None:
        """Say what the run does from now on."""
        self._stage = _plain(text)
        if self._live is None:
            self._say(f"{duration(self._at_s):>12}  {self._stage}")
        else:
            self._draw()

    def sample(self, at_s: float, values: dict[str, float]) -> None:
        """Show `values`, known at `at_s` of the run."""
        self._at_s, self._values = at_s, values
        self._rates.append(values.get("rate", math.nan))
        if self._live is not None:
            self._draw()
        elif at_s - self._said_s >= PLAIN_EVERY_S:
            self._said_s = at_s
            told = "  ".join(f"{_name(name)} {number(value)}" for name, value in _ordered(values))
            self._say(f"{duration(at_s):>12}  {told}")

    def _draw(self) -> None:
        assert self._live is not None, "no terminal"
        self._live.update(self._picture(), refresh=True)

    def _picture(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        grid.add_row(Text(self._title, style="bold"), Text(duration(self._at_s)))
        grid.add_row(Text("now", style="dim"), Text(self._stage))
        for name, value in _ordered(self._values):
            shown = Text(f"{number(value):>9}")
            if name == "rate":
                shown.append(f"  {bars(self._rates)}", style="cyan")
            grid.add_row(Text(_name(name), style="dim"), shown)
        return grid

    def _say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


def bars(values: deque[float]) -> str:
    """Return `values` as bars from nothing to the greatest of them; a gap where one is not known."""
    greatest = max((value for value in values if math.isfinite(value)), default=0.0)
    if greatest <= 0:
        return ""
    top = len(_BARS) - 1
    return "".join(_BARS[round(top * max(0.0, value) / greatest)] if math.isfinite(value) else " " for value in values)


def _ordered(values: dict[str, float]) -> list[tuple[str, float]]:
    known = [(name, values[name]) for name in _NAMES if name in values]
    return known + [(name, value) for name, value in values.items() if name not in _NAMES]


def _name(name: str) -> str:
    return _NAMES.get(name) or _plain(name)


def _plain(text: str) -> str:
    """Return `text` on one line and without what a terminal would obey."""
    return "".join(each if each.isprintable() else " " for each in text)
