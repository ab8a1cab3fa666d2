"""Rows as people read them: columns with a heading.

Invariant: shares are percent, times of the clock are dates, and what there is not is a dash.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Rows = list[dict[str, Any]]


def table(rows: Rows) -> str:
    """Return `rows` as aligned columns with a heading; a word where there is nothing."""
    if not rows:
        return "nothing yet"
    names = list(rows[0])
    cells = [names, *([_shown(name, row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def _shown(name: str, value: Any) -> str:
    return _form(name)(value) if value not in (None, "") else "–"


def _form(name: str) -> Callable[[Any], str]:
    return _percent if name.endswith("_rate") else _FORMS.get(name, str)


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _scores(counts: dict[str, int]) -> str:
    return " ".join(f"{score}:{count}" for score, count in counts.items()) or "–"


_FORMS: dict[str, Callable[[Any], str]] = {
    "csat": _percent,
    "drop_off": _percent,
    "mean": "{:.2f}".format,
    "scores": _scores,
    **dict.fromkeys(("at_ms", "created_at_ms", "changed_at_ms", "opened_at_ms"), _clock),
}
