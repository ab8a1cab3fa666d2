"""The colours of a run's page can be read, in light and in dark."""

import re
from pathlib import Path

import pytest

import loadtests.load.report as report

SHEET = (Path(report.__file__).parent / "style.css").read_text(encoding="utf-8")
LIGHT, DARK = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for part in SHEET.split("@media (prefers", 1))
SCHEMES = pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_both_schemes_say_every_colour() -> None:
    """None is left over from the other."""
    assert LIGHT.keys() == DARK.keys()
    assert len(LIGHT) > 18


@SCHEMES
@pytest.mark.parametrize("ink", ["ink", "quiet", "link"])
def test_text_stands_out_on_both_papers(scheme: dict[str, str], ink: str) -> None:
    """WCAG AA asks for 4.5."""
    assert min(contrast(scheme[ink], scheme[paper]) for paper in ("paper", "card")) >= 4.5


@SCHEMES
@pytest.mark.parametrize("look", ["good", "bad", "unsure"])
def test_a_verdict_stands_out_on_its_paper(scheme: dict[str, str], look: str) -> None:
    """Its headline and what is below it."""
    assert min(contrast(scheme[ink], scheme[f"{look}-paper"]) for ink in (look, "ink")) >= 4.5


@SCHEMES
def test_lines_stand_out_on_the_card(scheme: dict[str, str]) -> None:
    """WCAG AA asks for 3 of what is drawn."""
    assert min(contrast(colour, scheme["card"]) for name, colour in scheme.items() if name.startswith("line-")) >= 3
