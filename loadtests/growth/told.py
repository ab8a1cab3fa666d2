"""Curves in words: a table for a terminal, one column per size."""

from loadtests.growth.curve import Curve, Figure, number

_NAME, _CELL = 58, 11


def rendered(curve: Curve) -> str:
    """Return `curve` as lines for a terminal."""
    lines = [f"\n{curve.title}: {curve.about} ({curve.took_s:.0f} s)", f"  $ {curve.command}"]
    lines.append("  " + f"{curve.size}".ljust(_NAME) + "".join(f"{size:>{_CELL},}" for size in curve.sizes))
    lines += [_line(figure) for figure in curve.figures]
    lines += [f"  {note}" for note in curve.notes]
    if curve.delivered:
        lines.append(f"  {curve.delivered}")
    lines.append(f"  verdict: {curve.verdict}")
    return "\n".join(lines)


def _line(figure: Figure) -> str:
    name = f"{figure.name}, {figure.unit}" if figure.unit else figure.name
    grown = f"   × {figure.growth:.2f}" if figure.judged else ""
    return "  " + name.ljust(_NAME) + "".join(f"{number(value):>{_CELL}}" for value in figure.values) + grown
