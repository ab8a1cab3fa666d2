"""Latencies of a run, each with the second that it belongs to; folded into HDR histograms when the run is over.

Invariant: to note one is an append, so that measuring does not weigh on what is measured; nothing is sampled away.
"""

from array import array
from collections import Counter, defaultdict

from hdrh.histogram import HdrHistogram

from loadtests.load.outcome import Outcome
from loadtests.load.results import Latency

ACK, DELIVERED, READY, ASSIGNED, CAUGHT_UP = (
    "send → ack",
    "send → delivered",
    "connect → ready",
    "wait → assigned",
    "resume → caught up",
)
NAMES = (ACK, DELIVERED, READY, ASSIGNED, CAUGHT_UP)
PERCENTILES = (50.0, 90.0, 99.0, 99.9)
MOST_US = 3_600_000_000  # an hour
DIGITS = 3


class Recorder:
    """What one driver process measured. Times are of the machine's monotonic clock, in seconds."""

    def __init__(self) -> None:
        self.ended: dict[str, array[float]] = defaultdict(lambda: array("d"))
        self.took: dict[str, array[float]] = defaultdict(lambda: array("d"))
        self.refusals: Counter[str] = Counter()
        self.happened: Counter[str] = Counter()  # what befell phones and their networks
        self._under_way: dict[str, tuple[str, float]] = {}  # what nobody else has heard yet: who said it, and when

    def add(self, name: str, began_s: float, ended_s: float) -> None:
        """Note that what was due at `began_s` had come about at `ended_s`."""
        self.ended[name].append(ended_s)
        self.took[name].append(ended_s - began_s)

    def into(self, outcome: Outcome) -> None:
        """Put everything into what a share leaves."""
        outcome.ended = {name: times.tobytes() for name, times in self.ended.items()}
        outcome.took = {name: times.tobytes() for name, times in self.took.items()}
        outcome.refusals = dict(self.refusals)
        outcome.happened = dict(self.happened)

    def said(self, who: str, words: str, at_s: float) -> None:
        """Take that `who` said something for the first time; `words` stands for it, and for nothing else."""
        self._under_way[words] = (who, at_s)

    def heard(self, who: str, words: str, at_s: float) -> None:
        """Note how long something took to the first who heard it but for whoever said it."""
        said_by, said_s = self._under_way.get(words, (who, 0.0))
        if said_by != who:
            del self._under_way[words]
            self.add(DELIVERED, said_s, at_s)

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self.refusals[code] += 1


def histogram() -> HdrHistogram:
    """Return an empty one, from a microsecond to an hour."""
    return HdrHistogram(1, MOST_US, DIGITS)


def folded(took: "array[float]") -> HdrHistogram:
    """Return the histogram of seconds `took`."""
    made = histogram()
    for seconds in took:
        made.record_value(max(1, min(MOST_US, round(seconds * 1e6))))
    return made


def latency(name: str, of: HdrHistogram) -> Latency:
    """Return what a run's document says of a histogram."""
    return Latency(
        name,
        of.get_total_count(),
        of.get_mean_value() / 1e3,
        of.get_max_value() / 1e3,
        {f"{share:g}": of.get_value_at_percentile(share) / 1e3 for share in PERCENTILES},
        of.encode().decode(),
    )
