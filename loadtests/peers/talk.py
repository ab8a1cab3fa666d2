"""Talk between pairs, the same for every contender: a visitor sends, an agent reads, and each counts.

Invariant: a load is a count of messages, never a span of time; what was not both acknowledged and read when nothing has
come for `PATIENCE_S` is lost, and the verdict says so. Nothing here knows how a contender writes its frames.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from loadtests.checker.stories import Reader, Verdict
from loadtests.lean.alarm import Alarm

PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """`messages` altogether: `in_flight` at a time per pair, or (0) `per_s` by the clock."""

    name: str
    messages: int
    in_flight: int = 0
    per_s: float = 0.0


class Pair:
    """A visitor and the agent who reads them. Message n is due at `due_s[n - 1]`, and so on.

    `say(number)` sends a message; whoever makes the pair sets it, and calls `acked` and `read` as answers come.
    """

    def __init__(self) -> None:
        self.say: Callable[[int], None] = _mute
        self.due_s: list[float] = []
        self.acked_s: list[float] = []
        self.read_s: list[float] = []
        self.troubles: list[str] = []  # refusals, and lines that ended
        self.done = asyncio.Event()
        self._acks, self._reader = Reader(), Reader()
        self._is_closed, self._target = False, 0

    @property
    def settled(self) -> int:
        """How many messages were both acknowledged and read."""
        return min(len(self.acked_s), len(self.read_s))

    def acked(self, number: int) -> None:
        """Note that the visitor was told that message `number` is safe."""
        self.acked_s.append(perf_counter())
        self._acks.take(number)
        if len(self.acked_s) <= len(self.read_s):
            self._go_on()

    def read(self, number: int) -> None:
        """Note that the agent has read message `number`."""
        self.read_s.append(perf_counter())
        self._reader.take(number)
        if len(self.read_s) <= len(self.acked_s):
            self._go_on()

    def send(self, due_s: float) -> None:
        """Send the next message, which was due at that time."""
        self.due_s.append(due_s)
        self.say(len(self.due_s))

    def aim(self, messages: int, in_flight: int) -> None:
        """Send `messages` more, never more than `in_flight` unsettled (0: when told to)."""
        self.done.clear()
        self._is_closed, self._target = in_flight > 0, len(self.due_s) + messages
        for _ in range(min(messages, in_flight)):
            self.send(perf_counter())

    def verdict(self) -> Verdict:
        """Judge what the agent read, and what the visitor was told: unacknowledged counts as lost."""
        sent = len(self.due_s)
        return self._reader.verdict(sent, len(self.troubles)) + self._acks.verdict(sent)

    def _go_on(self) -> None:
        """One more is settled: the next may leave."""
        if self._is_closed and len(self.due_s) < self._target:
            self.send(perf_counter())
        elif self.settled >= self._target:
            self.done.set()


async def closed(pairs: list[Pair], messages: int, in_flight: int) -> float:
    """Send `messages` altogether, `in_flight` at a time per pair; return the seconds it took."""
    began_s = perf_counter()
    for pair in pairs:
        pair.aim(-(-messages // len(pairs)), in_flight)
    await _settled(pairs)
    return perf_counter() - began_s


async def opened(pairs: list[Pair], messages: int, per_s: float) -> float:
    """Send `messages` altogether, `per_s` by the clock, to each pair in turn; return the seconds it took."""
    total = len(pairs) * -(-messages // len(pairs))
    for pair in pairs:
        pair.aim(total // len(pairs), 0)
    began_s = perf_counter()
    with Alarm() as alarm:
        for number in range(total):
            due_s = began_s + number / per_s
            if due_s > perf_counter():
                await alarm.until(due_s)
            pairs[number % len(pairs)].send(due_s)
            if number % 64 == 0:
                await asyncio.sleep(0)  # hopelessly behind, answers still have to be heard
    await _settled(pairs)
    return perf_counter() - began_s


async def _settled(pairs: list[Pair]) -> None:
    """Wait for every pair; give up when nothing moves any more."""
    while waiting := [pair for pair in pairs if not pair.done.is_set()]:
        before = sum(pair.settled for pair in pairs)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await waiting[0].done.wait()
        except TimeoutError:
            if sum(pair.settled for pair in pairs) == before:
                return


def _mute(number: int) -> None:
    raise AssertionError(f"message {number} before the pair was ready")
