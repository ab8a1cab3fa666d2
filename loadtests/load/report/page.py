"""The page: what a reader asks, in that order. Did it hold, how fast, at what cost, where, and how to do it again.

Invariant: everything in the run is on the page or in the file it carries; the page needs nothing from anywhere.
"""

import base64
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadtests.load.report import verdict
from loadtests.load.report.markup import Html, facts, h, joined, table
from loadtests.load.report.numbers import duration, number, share, tenths
from loadtests.load.report.panels import Panel, panels
from loadtests.load.report.plots import drawn
from loadtests.load.report.svg import swatch
from loadtests.load.results import Figure, Run
from loadtests.load.runs import FILE, encoded

_STYLE = Path(__file__).with_name("style.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # nothing from outside, no script: whatever a text holds
_LARGE_BYTES = 300_000  # a raw run above this is carried compressed
_DRIVER = "driver"


def page(run: Run) -> str:
    """Return the whole document."""
    title = f"{run.title}: {verdict.told(run.verdict).headline}"
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        h("title", title),
        h("style", Html(_STYLE.read_text(encoding="utf-8"))),
    )
    body = h("body", _heading(run), h("main", *_sections(run)))
    return f"<!doctype html>\n{h('html', head, body, lang='en').text}\n"


def _heading(run: Run) -> Html:
    return h(
        "header",
        h("h1", run.title),
        h("p", f"Scenario {run.scenario} on {run.target}", class_="quiet"),
        h("p", f"{run.started_at}, {duration(run.wall_s)}", class_="quiet"),
    )


def _sections(run: Run) -> Iterator[Html]:
    yield _verdict(run)
    yield from _figures(run.figures)
    yield _plots(run)
    yield from _latencies(run)
    yield from _usages(run)
    yield from _refusals(run)
    yield from _notes(run)
    yield _machine(run)
    yield _again(run)


def _verdict(run: Run) -> Html:
    said = verdict.told(run.verdict)
    examples = h("ul", *(h("li", example) for example in run.verdict.examples)) if run.verdict.examples else None
    return h("section", h("h2", said.headline), h("p", said.scope), examples, class_=f"verdict {said.look}")


def _figures(figures: Sequence[Figure]) -> Iterator[Html]:
    """The first group stands large, the others in tables."""
    groups: dict[str, list[Figure]] = {}
    for figure in figures:
        groups.setdefault(figure.group, []).append(figure)
    for at, (group, members) in enumerate(groups.items()):
        heading = group or "Figures"
        if at == 0:
            yield h("section", h("h2", heading), h("dl", *map(_card, members), class_="figures"))
        else:
            rows = [(joined([each.name, _note(each)]), number(each.value), each.unit) for each in members]
            yield h("section", h("h2", heading), table(heading, ("figure", "value", "unit"), rows))


def _card(figure: Figure) -> Html:
    return h("div", h("dt", figure.name), h("dd", h("strong", number(figure.value)), f" {figure.unit}", _note(figure)))


def _note(figure: Figure) -> Html | None:
    return h("small", figure.note) if figure.note else None


def _plots(run: Run) -> Html:
    """The plots, and what the numbers on their uprights stand for."""
    shown = [_figure(panel, at) for at, panel in enumerate(panels(run))]
    key = h("ol", *(h("li", f"{mark.text}, from {duration(mark.at_s)}") for mark in run.marks), class_="marks")
    return h("section", h("h2", "Plots"), key if run.marks else None, h("div", *shown, class_="plots"))


def _figure(panel: Panel, at: int) -> Html:
    legend = h(
        "ul", *(h("li", swatch(which), line.name) for which, line in enumerate(panel.plot.lines)), class_="legend"
    )
    numbers = h("details", h("summary", "In numbers"), table(panel.plot.title, panel.heads, panel.rows))
    return h("figure", h("h3", panel.plot.title), drawn(panel.plot, f"plot{at}", panel.described), legend, numbers)


def _latencies(run: Run) -> Iterator[Html]:
    if not run.latencies:
        return
    names = list(dict.fromkeys(name for latency in run.latencies for name in latency.percentiles_ms))
    rows = [
        [each.name, number(each.count)]
        + [
            number(value if each.count else None)
            for value in (each.mean_ms, *map(each.percentiles_ms.get, names), each.max_ms)
        ]
        for each in run.latencies
    ]
    heads = ("latency, ms", "count", "mean", *(f"p{name}" for name in names), "longest")
    told = h("p", "Each counted from when it was due, so that a stall is not hidden.", class_="quiet")
    yield h("section", h("h2", "Latencies"), told, table("Latencies", heads, rows))


def _usages(run: Run) -> Iterator[Html]:
    if not run.usages:
        return
    whole = sum(usage.cpu_s for usage in run.usages)
    heads = ("role", "processes", "CPU, s", "share", "CPU, µs/message", "memory at first, MiB", "at most", "at last")
    rows = [
        [
            each.role,
            number(each.processes),
            tenths(each.cpu_s),
            share(each.cpu_s, whole),
            number(each.cpu_us_per_message),
        ]
        + [tenths(mib) for mib in (each.start_mib, each.peak_mib, each.end_mib)]
        for each in run.usages
    ]
    yield h("section", h("h2", "CPU and memory"), _driver_share(run, whole), table("CPU and memory", heads, rows))


def _driver_share(run: Run, whole: float) -> Html:
    driver = [usage for usage in run.usages if usage.role == _DRIVER]
    if not driver:
        return h("p", "What the driver itself used is not known.", class_="quiet")
    part, each = sum(usage.cpu_s for usage in driver), sum(usage.cpu_us_per_message for usage in driver)
    served = sum(usage.cpu_us_per_message for usage in run.usages) - each
    text = (
        f"The server used {number(served)} µs of CPU per message. "
        f"The driver used {share(part, whole)} of all CPU, {number(each)} µs per message."
    )
    return h("p", text)


def _refusals(run: Run) -> Iterator[Html]:
    if not run.refusals:
        yield h("section", h("h2", "Refusals"), h("p", "Nothing was refused."))
        return
    rows = [[code, number(count)] for code, count in sorted(run.refusals.items(), key=lambda one: -one[1])]
    yield h("section", h("h2", "Refusals"), table("Refusals", ("code", "count"), rows))


def _notes(run: Run) -> Iterator[Html]:
    if run.notes:
        yield h("section", h("h2", "Notes"), h("ul", *(h("li", note) for note in run.notes)))


def _machine(run: Run) -> Html:
    machine = run.machine
    return h(
        "section",
        h("h2", "Machine and versions"),
        facts(
            [
                ("processor", f"{machine.cores} × {machine.processor}"),
                ("memory", f"{number(machine.memory_gib)} GiB"),
                ("kernel", machine.kernel),
                ("Python", machine.python),
                ("server", machine.server),
                *machine.versions.items(),
            ]
        ),
    )


def _again(run: Run) -> Html:
    """The command, the scenario and the raw run."""
    name, address = _attachment(encoded(run))
    scenario = joined([h("h3", "The scenario"), h("pre", run.document, tabindex="0")]) if run.document else None
    return h(
        "section",
        h("h2", "Again"),
        h("pre", run.command, class_="wrap"),
        h("p", f"The seed was {run.seed}.", class_="quiet"),
        scenario,
        h("h3", "The raw run"),
        h("p", h("a", f"Save {name}", download=name, href=address), ": everything above, unrounded."),
    )


def _attachment(raw: bytes) -> tuple[str, str]:
    """Return the name and the data: address of the raw run."""
    name, kind = FILE, "application/json"
    if len(raw) > _LARGE_BYTES:
        name, kind, raw = f"{FILE}.gz", "application/gzip", gzip.compress(raw, mtime=0)
    return name, f"data:{kind};base64,{base64.b64encode(raw).decode()}"
