"""Percentiles are of the values themselves, and a result is told with its command and its verdict."""

import math

from loadtests.bench.figures import Result, add_latency, percentile, rendered
from loadtests.checker.stories import Verdict


def test_a_percentile_is_one_of_the_values() -> None:
    """Nothing is interpolated: p50 of four is the second, p99 of a hundred the ninety-ninth."""
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile(range(1, 101), 0.99) == 99


def test_the_extremes_are_percentiles_too() -> None:
    """Share 0 is the least and share 1 the greatest."""
    assert (percentile([3, 5, 8], 0), percentile([3, 5, 8], 1)) == (3, 8)


def test_one_value_is_every_percentile() -> None:
    """Of a single measurement there is nothing else to say."""
    assert {percentile([7], share) for share in (0, 0.5, 0.99, 1)} == {7}


def test_of_nothing_there_is_no_percentile() -> None:
    """An empty run shows no number rather than zero."""
    assert math.isnan(percentile([], 0.5))


def test_latencies_are_sorted_and_told_in_milliseconds() -> None:
    """Seconds in any order become three figures in ms."""
    result = Result("x", "", "")
    add_latency(result, "ack", [0.003, 0.001, 0.002])
    assert [(each.name, each.value, each.unit) for each in result.figures] == [
        ("ack, p50", 2.0, "ms"), ("ack, p99", 3.0, "ms"), ("ack, longest", 3.0, "ms"),
    ]  # fmt: skip


def test_a_result_names_its_command_and_its_verdict() -> None:
    """What is printed can be run again, and says whether it may be believed."""
    result = Result("closed-1", "python -m loadtests.bench closed-1", "2 pairs", verdict=Verdict(sent=4, lost=1))
    result.add("delivered", 12_345.6, "/s")
    told = rendered(result)
    assert "$ python -m loadtests.bench closed-1" in told
    assert "12,346 /s" in told
    assert told.endswith("4 to be read: 1 lost, 0 duplicated, 0 out of order, 0 refused: BROKEN")
