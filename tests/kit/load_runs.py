"""Runs of the load kit as they come out of it, for what shows and compares them.

Invariant: a run is built through its types and its histograms are real ones.
"""

import random
from collections.abc import Iterable

from hdrh.histogram import HdrHistogram

from loadtests.load.results import Figure, Judgement, Latency, Machine, Mark, Run, Series, Usage

SECONDS = 60


def a_run(seed: int = 7) -> Run:
    """Return a minute of `steady`, at a thousand messages a second."""
    chance = random.Random(seed)
    return Run(
        scenario="steady",
        title="Steady: 1,000 messages a second",
        command="samtale load steady --seed 7",
        target="own installation: 2 gateways, 1 engine, 1 worker",
        started_at="2025-11-03T09:12:44Z",
        wall_s=63.4,
        seed=seed,
        machine=Machine(
            processor="Example E5 @ 2.10GHz",
            cores=2,
            memory_gib=7.8,
            kernel="Linux 6.1.0",
            python="CPython 3.11.7",
            server="Valkey 9.0.1",
            versions={"samtale": "0.1.0", "msgspec": "0.20.0", "uvloop": "0.22.1"},
        ),
        verdict=Judgement(sessions=400, messages=60_000),
        figures=[
            Figure("delivered", 998.7, "/s", "at the agent, over the steady stage"),
            Figure("acknowledged", 999.2, "/s"),
            Figure("commands a commit", 5.31, "", "mean", group="Redis"),
            Figure("bytes to Redis", 1_211.0, "B/message", group="Redis"),
        ],
        latencies=[a_latency("send→ack", chance, 900.0), a_latency("send→delivered", chance, 1_300.0)],
        series=list(a_minute(chance)),
        marks=[Mark(0.0, "warm up"), Mark(10.0, "a thousand a second")],
        usages=[
            Usage("gateway", 2, 31.2, 512.4, 61.0, 74.5, 73.9),
            Usage("engine", 1, 22.8, 374.4, 52.0, 66.1, 66.1),
            Usage("driver", 2, 9.1, 149.5, 40.0, 48.2, 47.0),
        ],
        refusals={"rate_limited": 12, "overloaded": 3},
        notes=["The first ten seconds warm up and count in no figure."],
        document="scenario: steady\nrate_per_s: 1000\n",
    )


def a_latency(name: str, chance: random.Random, median_us: float) -> Latency:
    """Return the histogram of a thousand waits, most of them near `median_us`."""
    histogram = HdrHistogram(1, 60_000_000, 3)
    for _ in range(1_000):
        histogram.record_value(max(1, int(chance.lognormvariate(0, 0.4) * median_us)))
    percentiles = {name: histogram.get_value_at_percentile(float(name)) / 1e3 for name in ("50", "90", "99", "99.9")}
    return Latency(
        name,
        histogram.get_total_count(),
        histogram.get_mean_value() / 1e3,
        histogram.get_max_value() / 1e3,
        percentiles,
        histogram.encode().decode(),
    )


def a_minute(chance: random.Random, seconds: int = SECONDS) -> Iterable[Series]:
    """Return what is watched once a second, with a second in which nothing was known."""
    lines = (
        ("delivered", "throughput", "/s", 1_000.0),
        ("acknowledged", "throughput", "/s", 1_000.0),
        ("send→ack p50", "latency", "ms", 0.9),
        ("send→ack p99", "latency", "ms", 3.1),
        ("gateway", "cpu", "% of a core", 52.0),
        ("engine", "cpu", "% of a core", 38.0),
        ("gateway", "memory", "MiB", 70.0),
        ("engine", "memory", "MiB", 60.0),
        ("waiting", "queue", "conversations", 14.0),
        ("connected", "sessions", "sessions", 400.0),
    )
    for name, panel, unit, usual in lines:
        values: list[float | None] = [usual * chance.uniform(0.9, 1.1) for _ in range(seconds)]
        values[seconds // 2] = None
        yield Series(name, panel, unit, [float(at) for at in range(seconds)], values)
