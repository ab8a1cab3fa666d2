"""What becomes of numbers on their way into a plot, and of words on theirs into markup."""

import math

import pytest

from loadtests.load.report.markup import Html, h, joined
from loadtests.load.report.numbers import duration, number, share, tenths
from loadtests.load.report.panels import panels
from loadtests.load.report.plots import Line, Plot, drawn, thinned
from loadtests.load.results import Series
from tests.kit.load_runs import a_run


def test_text_is_escaped_wherever_it_stands() -> None:
    """In content, in an attribute, and beside markup that is meant."""
    made = h("p", "<b>&", Html("<i>x</i>"), None, title='"><script>')
    assert made.text == '<p title="&quot;&gt;&lt;script&gt;">&lt;b&gt;&amp;<i>x</i></p>'
    assert joined(["<", Html("<")]).text == "&lt;<"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (12_345.6, "12,346"),
        (12.345, "12.3"),
        (0.012345, "0.0123"),
        (7.0, "7"),
        (-1.5, "−1.50"),
        (0.0, "0"),
        (None, "—"),
        (math.nan, "—"),
        (math.inf, "∞"),
        (1e-12, "0.000000"),
    ],
)
def test_a_number_is_written_with_three_figures(value: float | None, written: str) -> None:
    """More would be noise; whole numbers stay whole, and none is a dash."""
    assert number(value) == written


def test_spans_and_shares_are_written_for_people() -> None:
    """Minutes from a minute on, hours from an hour; a share of nothing is unknown."""
    assert [duration(each) for each in (4.21, 63.4, 3_725)] == ["4.2 s", "1 min 03 s", "1 h 02 min"]
    assert [share(1, 8), share(0, 0), tenths(1_234.56)] == ["12.5 %", "—", "1,234.6"]


def test_thinning_keeps_the_peak_and_the_pit() -> None:
    """A single bad second of an hour is still seen."""
    ys: list[float | None] = [10.0] * 3_600
    ys[1_000], ys[2_000] = 99.0, 1.0
    xs, kept = thinned(range(3_600), ys, most=100)
    assert len(kept) <= 100
    assert (kept[xs.index(1_000)], kept[xs.index(2_000)]) == (99.0, 1.0)
    assert xs == sorted(xs)


def test_a_gap_stays_a_gap() -> None:
    """Where nothing was known, no line is drawn across, thinned or not."""
    assert math.isnan(thinned([0, 1, 2], [5.0, None, 5.0])[1][1])
    long: list[float | None] = [5.0] * 500 + [None] * 500 + [5.0] * 500
    assert any(math.isnan(y) for y in thinned(range(1_500), long, most=100)[1])


def test_a_plot_has_no_colour_of_its_own() -> None:
    """One drawing serves dark and light: every colour is a variable of the page."""
    plot = Plot("T", "ms", [Line(str(at), [0, 1], [1, 900]) for at in range(10)], "seconds", is_wide=True)
    text = drawn(plot, "p", "").text
    assert "var(--line-7)" in text
    assert "#" not in text.replace("url(#p-", "").replace('href="#p-', "")


def test_a_lonely_value_between_gaps_is_a_dot() -> None:
    """A line of one point has no length."""
    dots = [
        drawn(Plot("T", "", [Line("a", [0, 1, 2], ys)], "s"), "p", "").text.count("<use")
        for ys in ([None, 4.0, None], [4.0, 5.0, 6.0])
    ]
    assert dots == [1, 0]


def test_mathematics_in_a_unit_is_only_text() -> None:
    """A dollar is a dollar, and a letter that no font has is no trouble."""
    assert ">$x_1$ 客\U0001f600</text>" in drawn(Plot("T", "$x_1$ 客\U0001f600", [], "s"), "p", "").text


def test_series_of_one_panel_and_one_unit_share_a_plot() -> None:
    """Two units would need two axes; a panel nobody foresaw comes last, under its own name."""
    run = a_run()
    run.series = [
        Series("keys", "redis keys", "keys", [0.0], [1.0]),
        Series("a", "throughput", "/s", [0.0], [1.0]),
        Series("b", "throughput", "MiB/s", [0.0], [1.0]),
        Series("c", "throughput", "/s", [0.0], [1.0]),
    ]
    found = [(each.plot.title, each.plot.unit, [line.name for line in each.plot.lines]) for each in panels(run)]
    assert found == [
        ("Throughput", "/s", ["a", "c"]),
        ("Throughput", "MiB/s", ["b"]),
        ("Latency by percentile", "ms", ["send→ack", "send→delivered"]),
        ("Redis keys", "keys", ["keys"]),
    ]


def test_plots_over_time_share_an_axis() -> None:
    """What happened at once stands below each other, however short a series is."""
    run = a_run()
    run.series[0].at_s, run.series[0].values = [3.0], [1.0]
    assert {each.plot.x_end for each in panels(run) if not each.plot.by_percentile} == {59.0}


def test_a_long_run_is_drawn_in_minutes() -> None:
    """Nobody reads 5,400 seconds."""
    run = a_run()
    run.latencies, run.series = [], [Series("a", "queue", "", [0.0, 600.0], [1.0, 2.0])]
    plot = panels(run)[0].plot
    assert (plot.x_label, list(plot.lines[0].xs)) == ("minutes since the run began", [0.0, 10.0])


def test_a_percentile_curve_is_the_histogram() -> None:
    """It rises, agrees with the percentiles beside it, and ends at the longest wait."""
    run = a_run()
    curve = next(each for each in panels(run) if each.plot.by_percentile).plot.lines[0]
    ys = [y for y in curve.ys if y is not None]
    assert ys == sorted(ys)
    assert max(curve.xs) < 100
    assert ys[-1] == run.latencies[0].max_ms
    median = next(y for x, y in zip(curve.xs, ys, strict=True) if x >= 50)
    assert median == pytest.approx(run.latencies[0].percentiles_ms["50"], rel=0.05)


def test_a_latency_without_a_histogram_has_its_percentiles() -> None:
    """A run of another tool may have no more than those."""
    run = a_run()
    run.latencies[0].encoded = ""
    curve = next(each for each in panels(run) if each.plot.by_percentile).plot.lines[0]
    assert list(curve.xs)[:2] == [50.0, 90.0]


def test_marks_stand_in_every_plot_over_time() -> None:
    """Numbered from 1, and in none by percentile."""
    shown = [each.plot for each in panels(a_run())]
    assert [plot.by_percentile for plot in shown if not plot.marks] == [True]
    assert all(f">{number}</text>" in drawn(shown[0], "p", "").text for number in (1, 2))


def test_only_what_spans_decades_is_drawn_on_a_logarithmic_axis() -> None:
    """Else differences would look smaller than they are."""
    assert [Plot("T", "ms", [Line("a", [0, 1], ys)], is_wide=True).is_log for ys in ([1, 900], [1, 9], [])] == [
        True,
        False,
        False,
    ]
