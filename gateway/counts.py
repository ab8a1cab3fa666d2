"""What the sockets of this process did so far, for `/metrics`.

Invariant: counting on the hot path is an addition to an integer; names and labels are made only when somebody asks.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Counts(Collector):
    """Plain numbers; Prometheus collects them."""

    def __init__(self, open_now: Callable[[], int]) -> None:
        self._open_now = open_now
        self.frames_in = 0
        self.frames_out = 0
        self.bytes_out = 0
        self.handshakes: Counter[str] = Counter()  # by result: accepted, or why not
        self.ends: Counter[str] = Counter()  # by who ended it and how: a close code, "peer", or why we aborted
        self.logins: Counter[str] = Counter()
        self.uploads: Counter[str] = Counter()

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("samtale_sockets_open", "Sockets open now.", value=self._open_now())
        yield CounterMetricFamily("samtale_frames_received", "Messages from clients.", value=self.frames_in)
        yield CounterMetricFamily("samtale_frames_sent", "Messages to clients.", value=self.frames_out)
        yield CounterMetricFamily("samtale_sent_bytes", "Bytes to clients.", value=self.bytes_out)
        yield _by("samtale_handshakes", "Socket handshakes by result.", "result", self.handshakes)
        yield _by("samtale_socket_ends", "Sockets ended, by close code or cause.", "cause", self.ends)
        yield _by("samtale_logins", "Agent logins by result.", "result", self.logins)
        yield _by("samtale_uploads", "Uploads by HTTP status.", "status", self.uploads)


class Gauge(NamedTuple):
    """A number that is asked for when somebody looks. `only_grows`: it counts what ever happened."""

    name: str
    text: str
    now: Callable[[], int]
    only_grows: bool = False


class Gauges(Collector):
    """Numbers that others keep."""

    def __init__(self, gauges: list[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        for gauge in self._gauges:
            family = CounterMetricFamily if gauge.only_grows else GaugeMetricFamily
            yield family(gauge.name, gauge.text, value=gauge.now())


def _by(name: str, text: str, label: str, numbers: Counter[str]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, number in sorted(numbers.items()):
        family.add_metric([value], number)
    return family
