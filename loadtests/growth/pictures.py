"""Curves as pictures that stand by themselves: one SVG file each, readable on dark and on light.

Invariant: drawn by the same hand and in the same colours as the page of a load run; nothing outside the file is needed.
"""

from pathlib import Path

from loadtests.growth.curve import Curve, Figure, number
from loadtests.load import report
from loadtests.load.report.markup import Html, h
from loadtests.load.report.plots import HEIGHT_IN, WIDTH_IN, Line, Plot, drawn
from loadtests.load.report.svg import swatch

PER_IN = 72
MARGIN, LINE, HEAD = 14, 19, 26
_STYLE = Path(report.__file__).with_name("style.css")
_COLOURS_END = "* {"  # what is before it are the variables of dark and light
_TEXT = """text { font: 12px system-ui, sans-serif; fill: var(--quiet); }
.title { font: 600 14px system-ui, sans-serif; fill: var(--ink); }"""


def write(curve: Curve, directory: Path) -> None:
    """Write the picture of `curve` into `directory`, as growth-NAME.svg."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"growth-{curve.name}.svg").write_text(picture(curve) + "\n", encoding="utf-8")


def picture(curve: Curve) -> str:
    """Return `curve` as the text of an SVG file."""
    lines = [figure for figure in curve.figures if figure.drawn]
    plot = Plot(
        curve.title, lines[0].unit, [Line(each.name, curve.sizes, each.values) for each in lines], curve.size,
        is_wide=True, sizes=curve.sizes,
    )  # fmt: skip
    width, height = round(WIDTH_IN * PER_IN), round(HEIGHT_IN * PER_IN)
    body = drawn(plot, f"growth-{curve.name}", _spoken(curve, lines))
    legend = [_legend(at, each.name, HEAD + height + (at + 1) * LINE) for at, each in enumerate(lines)]
    full = (width + 2 * MARGIN, HEAD + height + len(lines) * LINE + 2 * MARGIN)
    return h(
        "svg",
        h("style", Html(_STYLE.read_text(encoding="utf-8").partition(_COLOURS_END)[0] + _TEXT)),
        h("rect", width="100%", height="100%", fill="var(--paper)"),
        h("text", curve.title, x=str(MARGIN), y=str(HEAD - 4), class_="title"),
        _placed(body, (MARGIN, HEAD, width, height)),
        *legend,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {full[0]} {full[1]}",
        width=str(full[0]),
        height=str(full[1]),
    ).text


def _legend(at: int, name: str, top: int) -> Html:
    return h(
        "g", _placed(swatch(at), (MARGIN, top - 9, 28, 10)), h("text", name, x=str(MARGIN + 36), y=str(top))
    )  # fmt: skip


def _placed(inner: Html, at: tuple[int, int, int, int]) -> Html:
    """Return an SVG element at its place (x, y, width, height) within another."""
    x, y, width, height = at
    return Html(inner.text.replace("<svg ", f'<svg x="{x}" y="{y}" width="{width}" height="{height}" ', 1))


def _spoken(curve: Curve, lines: list[Figure]) -> str:
    """Return in words what the picture shows."""
    told = [(each, zip(curve.sizes, each.values, strict=True)) for each in lines]
    points = (f"{each.name}: " + ", ".join(f"{number(y)} {each.unit} at {x:,}" for x, y in at) for each, at in told)
    return ". ".join(points) + "."
