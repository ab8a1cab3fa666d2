"""An SVG of matplotlib made fit for the page: its colours are the page's, its ids its own, its words for everybody.

Invariant: what comes out refers to nothing outside itself, and every colour in it is a variable of the style sheet, so
that one drawing serves dark and light.
"""

import re
from xml.etree import ElementTree as Xml

from loadtests.load.report.markup import Html, h

INK, GRID, LABEL = "#0a0b01", "#0a0b02", "y-label"
DASHES = ("-", "--", "-.", ":")
COLOURS = 8  # how many variables --line-0 … the style sheet has

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_LINE = "#0a0c{:02x}"
_REFERENCE = re.compile(r"#(?=[A-Za-z_])")
_COORDINATE = re.compile(r"-?\d+\.\d+")
_FONT = re.compile(r"font-family: [^;]*; ?")
_DROPPED = {f"{_SVG}metadata", f"{_SVG}style"}


def line_colour(at: int) -> str:
    """Return the colour to draw line `at` in, which `painted` turns into the page's."""
    return _LINE.format(at % COLOURS)


_PAGE = {
    INK: "var(--quiet)",
    GRID: "var(--grid)",
    **{_LINE.format(at): f"var(--line-{at})" for at in range(COLOURS)},
}


_STROKES = {"-": "", "--": "7 4", "-.": "8 3 2 3", ":": "2 3"}


def swatch(at: int) -> Html:
    """Return a short piece of line `at`, to stand before its name."""
    stroke = (
        f"stroke: var(--line-{at % COLOURS}); stroke-width: 3; stroke-dasharray: {_STROKES[DASHES[at % len(DASHES)]]}"
    )
    line = h("line", x1="0", y1="5", x2="28", y2="5", style=stroke)
    return h("svg", line, viewBox="0 0 28 10", aria_hidden="true")


def painted(drawing: str, name: str, title: str, described: str, *, label: str) -> Html:
    """Return `drawing` as an element to stand in HTML. Its ids begin with `name`; LABEL in it becomes `label`."""
    root = Xml.fromstring(drawing)
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in _DROPPED]:
            parent.remove(child)
    for element in root.iter():
        _clean(element, name)
        if element.text == LABEL:
            element.text = label
    view = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"viewBox": view, "role": "img", "aria-labelledby": f"{name}-title {name}-text"})
    for at, (tag, text) in enumerate((("title", title), ("desc", described))):
        spoken = Xml.Element(tag, {"id": f"{name}-{'text' if at else 'title'}"})
        spoken.text = text
        root.insert(at, spoken)
    return Html(Xml.tostring(root, encoding="unicode", short_empty_elements=False))


def _clean(element: Xml.Element, name: str) -> None:
    """Drop namespaces and the names of groups, own the other ids, and round what is finer than a tenth of a pixel."""
    element.tag = element.tag.removeprefix(_SVG)
    if element.tag == "g":
        element.attrib.pop("id", None)
    if _XLINK in element.attrib:
        element.set("href", element.attrib.pop(_XLINK))
    for key, value in element.attrib.items():
        element.set(key, _own(key, value, name))
    if element.text and not element.text.strip():
        element.text = None
    element.tail = None


def _own(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    for drawn, shown in _PAGE.items():
        value = value.replace(drawn, shown)
    if key in ("href", "clip-path"):
        return _REFERENCE.sub(f"#{name}-", value)
    if key in ("d", "x", "y", "width", "height", "transform"):
        return _COORDINATE.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)
    return _FONT.sub("", value) if key == "style" else value
