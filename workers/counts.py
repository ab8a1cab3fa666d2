"""What this worker did so far, for `/metrics` and for whoever waits for it.

Invariant: counting is an addition to an integer; names and labels are made only when somebody asks.
"""

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from protocol.ids import CellName


class Counts(Collector):
    """Plain numbers; Prometheus collects them."""

    def __init__(self) -> None:
        self.stored: dict[CellName, int] = {}  # the commit_no last read back from SQL
        self.commits = 0
        self.events = 0
        self.faults: Counter[str] = Counter()  # by kind: away, hole, unreadable, refused, fenced
        self.jobs: Counter[str] = Counter()  # by kind and end, "publish done"

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily("samtale_stored_commits", "Commits copied into SQL.", value=self.commits)
        yield CounterMetricFamily("samtale_stored_events", "Log entries copied into SQL.", value=self.events)
        stored = GaugeMetricFamily("samtale_stored_commit_no", "How far SQL is with a cell.", labels=["cell"])
        for cell, commit_no in sorted(self.stored.items()):
            stored.add_metric([cell], commit_no)
        yield stored
        yield _by("samtale_scribe_faults", "What kept a scribe from copying.", "kind", self.faults)
        yield _by("samtale_jobs", "Jobs by kind and end.", "job", self.jobs)


def _by(name: str, text: str, label: str, numbers: Counter[str]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, number in sorted(numbers.items()):
        family.add_metric([value], number)
    return family
