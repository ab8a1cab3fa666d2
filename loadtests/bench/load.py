"""Load on pairs: closed loops, which send when something was delivered, and open ones, which send by the clock.

Invariant: a load is a count of messages, never a span of time; it ends when all are delivered and acknowledged, or
when nothing has come for `PATIENCE_S`.
"""

import asyncio
import math
from time import perf_counter

from loadtests.bench.people import Desk, Phone
from loadtests.bench.verdict import Verdict

PATIENCE_S = 10.0
RECEIPT_EVERY_S = 1.0


class Pair:
    """A phone and the desk that reads it. `target`: the number of the last message to send."""

    def __init__(self, phone: Phone, desk: Desk) -> None:
        self.phone, self.desk = phone, desk
        self.in_flight = self.target = 0
        self.done = asyncio.Event()
        phone.on_ack = desk.on_read = self._go_on

    @property
    def settled(self) -> int:
        """How many messages were both acknowledged and delivered."""
        return min(len(self.phone.acked_s), len(self.desk.read_s))

    def aim(self, messages: int, in_flight: int) -> None:
        """Send `messages` more, never more than `in_flight` unsettled (0: when told to)."""
        self.done.clear()
        self.in_flight, self.target = in_flight, len(self.phone.sent_s) + messages
        self._go_on()

    def verdict(self) -> Verdict:
        """Judge both readers of this pair's messages."""
        return self.phone.verdict() + self.desk.verdict(len(self.phone.sent_s))

    def _go_on(self) -> None:
        settled = self.settled
        if settled >= self.target:
            self.done.set()
            return
        for _ in range(min(self.target - len(self.phone.sent_s), self.in_flight - len(self.phone.sent_s) + settled)):
            self.phone.send()


async def closed(pairs: list[Pair], messages: int, in_flight: int) -> float:
    """Send `messages` per pair, `in_flight` at a time each; return the seconds it took."""
    began_s = perf_counter()
    for pair in pairs:
        pair.aim(messages, in_flight)
    await _settled(pairs)
    return perf_counter() - began_s


async def opened(pairs: list[Pair], messages: int, per_s: float) -> tuple[float, list[float]]:
    """Send `messages` altogether, `per_s` by the clock, to each pair in turn.

    Returns the seconds it took, and how late the driver was with each message.
    """
    for pair in pairs:
        pair.aim(math.ceil(messages / len(pairs)), 0)
    total = len(pairs) * math.ceil(messages / len(pairs))
    late_s: list[float] = []
    began_s = perf_counter()
    while len(late_s) < total:
        ago_s = perf_counter() - began_s
        for number in range(len(late_s), min(total, int(ago_s * per_s) + 1)):
            late_s.append(perf_counter() - began_s - number / per_s)
            pairs[number % len(pairs)].phone.send()
        await asyncio.sleep(max(0.0, len(late_s) / per_s - (perf_counter() - began_s)))
    await _settled(pairs)
    return perf_counter() - began_s, late_s


async def read_receipts(pairs: list[Pair]) -> None:
    """Say once a second at each end how far it has read, one after the other, until cancelled."""
    while True:
        for pair in pairs:
            pair.phone.acknowledge()
            pair.desk.acknowledge()
            await asyncio.sleep(RECEIPT_EVERY_S / len(pairs))


async def _settled(pairs: list[Pair]) -> None:
    """Wait for every pair; give up when nothing moves any more, which the verdict will tell."""
    for pair in pairs:
        while not pair.done.is_set():
            before = pair.settled
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await pair.done.wait()
            except TimeoutError:
                if pair.settled == before:
                    return
