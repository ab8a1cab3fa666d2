"""The page of a run: whole, safe, readable by everybody, and in need of nothing."""

import base64
import gzip
import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from loadtests.load.report import write
from loadtests.load.results import Figure, Judgement, Run, Series
from tests.kit.load_runs import a_minute, a_run

PLANTED = "<script>alert('x')</script>\"'&$a_1$"


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: "Element | None" = None
    children: "list[Element]" = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def all(self, *tags: str) -> "Iterator[Element]":
        for child in self.children:
            if not tags or child.tag in tags:
                yield child
            yield from child.all(*tags)

    @property
    def text(self) -> str:
        return "".join(self.texts) + "".join(child.text for child in self.children)


class Parsed(HTMLParser):
    """A page as a tree; what is not closed in order is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.root = self._open = Element("", {})
        self.feed(page)
        self.close()
        assert self._open is self.root, f"{self._open.tag} is never closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.children.append(element)
        if tag != "meta":
            self._open = element

    def handle_endtag(self, tag: str) -> None:
        assert self._open.tag == tag, f"{tag} closes {self._open.tag}"
        assert self._open.inside is not None
        self._open = self._open.inside

    def handle_data(self, data: str) -> None:
        self._open.texts.append(data)


def page_of(run: Run, folder: Path) -> Element:
    return Parsed(write(run, folder).read_text(encoding="utf-8")).root


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Element:
    return page_of(a_run(), tmp_path_factory.mktemp("page"))


def planted(value: object) -> object:
    """Return `value` with PLANTED for every text in it, keys included; histograms and numbers stay."""
    if isinstance(value, str):
        return PLANTED
    if isinstance(value, list):
        return [planted(each) for each in value]
    if isinstance(value, dict):
        return {
            key if key in FIELDS else PLANTED: each if key in KEPT else planted(each) for key, each in value.items()
        }
    return value


FIELDS = set(re.findall(r'"(\w+)":', msgspec.json.encode(a_run()).decode())) - {"rate_limited", "overloaded", "samtale"}
KEPT = {"encoded", "percentiles_ms", "panel"}


def test_the_page_refers_to_nothing_outside(page: Element) -> None:
    """What is mailed or kept is whole: addresses are data of the page's own or places in it."""
    for element in page.all():
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            assert element.attributes.get(name, "#").startswith(("#", "data:"))
    assert not re.search(r"url\((?!#)|@import|https?://", "".join(style.text for style in page.all("style")))
    assert not list(page.all("script", "link", "img", "iframe"))


def test_every_place_referred_to_is_there_once(page: Element) -> None:
    """The plots keep out of each other's names."""
    names = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
    assert len(names) == len(set(names))
    told = " ".join(" ".join(element.attributes.values()) for element in page.all() if element.tag != "a")
    assert set(re.findall(r"url\(#([^)]+)\)", told)) <= set(names)


def test_every_plot_is_told_in_words(page: Element) -> None:
    """Who cannot see has a title and the numbers."""
    plots = [svg for figure in page.all("figure") for svg in figure.children if svg.tag == "svg"]
    assert len(plots) == 7
    for plot in plots:
        title, told = (next(plot.all(tag)) for tag in ("title", "desc"))
        assert plot.attributes["aria-labelledby"].split() == [title.attributes["id"], told.attributes["id"]]
        assert title.text
        assert any(digit in told.text for digit in "123456789")


def test_every_plot_names_its_axes(page: Element) -> None:
    """No number without its unit."""
    texts = [{text.text for text in figure.all("text")} for figure in page.all("figure")]
    assert all(each & {"seconds since the run began", "percentile"} for each in texts)
    assert all(each & {"/s", "ms", "% of a core", "MiB", "conversations", "sessions"} for each in texts)


def test_what_the_uprights_of_plots_stand_for_is_told(page: Element) -> None:
    """In the order of their numbers."""
    marks = next(page.all("ol"))
    assert [item.text for item in marks.children] == ["warm up, from 0.0 s", "a thousand a second, from 10.0 s"]


def test_every_table_has_heads(page: Element) -> None:
    """Each cell stands below one and beside one."""
    tables = list(page.all("table"))
    assert len(tables) > 4
    for table in tables:
        heads = [head for head in table.all("th") if head.attributes["scope"] == "col"]
        for row in next(table.all("tbody")).children:
            assert row.children[0].attributes["scope"] == "row"
            assert len(row.children) == len(heads)


def test_a_table_too_wide_can_be_scrolled_by_keys(page: Element) -> None:
    """Its frame takes the focus and has a name."""
    for frame in (table.inside for table in page.all("table")):
        assert frame is not None
        assert frame.attributes["tabindex"] == "0"
        assert frame.attributes["aria-label"]


def test_headings_go_down_one_level_at_a_time(page: Element) -> None:
    """One h1, and no level is skipped."""
    levels = [int(element.tag[1]) for element in page.all("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))


def test_the_verdict_comes_before_every_figure(page: Element) -> None:
    """Speed is only told after its verdict."""
    assert next(page.all("h2")).text == "Good: nothing lost, nothing twice, everything in order"


def test_a_broken_promise_is_told_with_counts_and_examples(tmp_path: Path) -> None:
    """Every count that is not zero, in words, and what was seen."""
    run = a_run()
    run.verdict = Judgement(lost=1_204, two_assignees=1, sessions=9, examples=["c1 lost m3"])
    verdict = next(section for section in page_of(run, tmp_path).all("section"))
    assert next(verdict.all("h2")).text == "Broken: 1,204 lost, 1 with two assignees"
    assert [item.text for item in verdict.all("li")] == ["c1 lost m3"]


def test_a_run_that_nobody_looked_at_is_not_called_good(tmp_path: Path) -> None:
    """No counts of nothing are no promise kept."""
    run = a_run()
    run.verdict = Judgement()
    assert next(page_of(run, tmp_path).all("h2")).text.startswith("Not judged")


def test_the_raw_run_comes_with_the_page(page: Element) -> None:
    """The file it carries is the run, unrounded."""
    saved = next(page.all("a")).attributes
    assert saved["download"] == "run.json"
    raw = base64.b64decode(saved["href"].partition(";base64,")[2])
    assert msgspec.json.decode(raw, type=Run) == a_run()


def test_a_long_run_still_fits(tmp_path: Path) -> None:
    """Twenty minutes of thirty lines, once a second, stay below a megabyte; the raw run is packed then, and whole."""
    run = a_run()
    lines = list(a_minute(random.Random(1), seconds=1_200))
    run.series = [
        Series(f"{each.name} {at}", each.panel, each.unit, each.at_s, each.values) for at in range(3) for each in lines
    ]
    file = write(run, tmp_path)
    assert file.stat().st_size < 1_000_000
    saved = next(Parsed(file.read_text(encoding="utf-8")).root.all("a")).attributes
    assert saved["download"] == "run.json.gz"
    raw = gzip.decompress(base64.b64decode(saved["href"].partition(";base64,")[2]))
    assert msgspec.json.decode(raw, type=Run) == run


def test_every_text_of_a_run_is_only_text(tmp_path: Path) -> None:
    """Whatever a scenario, a server or a message says, no element and no attribute comes of it."""
    run = msgspec.convert(planted(msgspec.to_builtins(a_run())), Run)
    assert run.usages[0].role == run.refusals.popitem()[0] == PLANTED
    root = page_of(run, tmp_path)
    assert not list(root.all("script"))
    assert not [name for element in root.all() for name in element.attributes if name.startswith("on")]
    shown = [element.text for element in root.all("h1", "dt", "dd", "li", "th", "td", "pre", "text")]
    assert sum(PLANTED in text for text in shown) > 40


def test_a_run_with_nothing_in_it_still_has_a_page(tmp_path: Path) -> None:
    """A run that failed at once is shown like any other."""
    run = a_run()
    run.figures, run.latencies, run.series, run.usages, run.refusals, run.notes, run.document = (
        [],
        [],
        [],
        [],
        {},
        [],
        "",
    )
    assert next(page_of(run, tmp_path).all("h1")).text == run.title


def test_a_number_nobody_has_is_a_dash(tmp_path: Path) -> None:
    """It is not zero, and it breaks nothing."""
    run = a_run()
    run.figures = [Figure("lag", float("nan"), "s")]
    run.series = [Series("lag", "queue", "s", [0.0, 1.0], [None, None])]
    root = page_of(run, tmp_path)
    assert next(root.all("strong")).text == "—"


def test_the_page_says_how_to_run_it_again(page: Element) -> None:
    """The command, the scenario and the seed."""
    assert [each.text for each in page.all("pre")] == [
        "samtale load steady --seed 7",
        "scenario: steady\nrate_per_s: 1000\n",
    ]
    assert any(each.text == "The seed was 7." for each in page.all("p"))


def test_the_drivers_share_is_stated(page: Element) -> None:
    """Of all CPU, and per message."""
    assert any("The driver used 14.4 % of all CPU, 150 µs per message." in each.text for each in page.all("p"))
