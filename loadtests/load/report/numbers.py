"""How numbers are written for people: three figures that matter, thousands apart.

Invariant: only the writing is rounded; a number nobody has is a dash, never zero.
"""

import math

UNKNOWN = "—"


def number(value: float | None) -> str:
    """Return `value` to read: 12,346 or 12.3 or 0.0123."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}".replace("-", "−")
    decimals = min(6, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}".replace("-", "−")


def tenths(value: float) -> str:
    """Return `value` with one decimal, to stand in a column of such."""
    return f"{value:,.1f}" if math.isfinite(value) else number(value)


def share(part: float, whole: float) -> str:
    """Return how much of `whole` is `part`, in per cent."""
    return f"{tenths(100 * part / whole)} %" if whole else UNKNOWN


def duration(seconds: float) -> str:
    """Return a time span: 4.2 s, 3 min 05 s, 1 h 02 min."""
    if seconds < 60:
        return f"{tenths(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
