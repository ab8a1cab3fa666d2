"""Load on talks: closed loops, which send when something was delivered, and open ones, which send by the clock.

Invariant: an open loop's times come from outside and never wait for the server; a closed loop ends when all is
delivered and acknowledged, or when nothing has come for `PATIENCE_S`, which the verdict will tell.
"""

import asyncio
from collections.abc import Iterable, Sequence
from time import perf_counter

from loadtests.lean.alarm import Alarm
from loadtests.lean.people import Desk, Phone
from loadtests.lean.thread import Thread, nothing

PATIENCE_S = 10.0
RECEIPT_EVERY_S = 1.0
TICK_S = 0.0002  # a driver that has much to do wakes no more often than that


class Talk:
    """A phone, and its conversation as the desk that has it hears it (None: nobody has)."""

    __slots__ = ("_in_flight", "_target", "desk", "done", "phone", "thread")

    def __init__(self, phone: Phone, desk: Desk | None, thread: Thread | None) -> None:
        self.phone, self.desk, self.thread = phone, desk, thread
        self._in_flight = self._target = 0
        self.done = asyncio.Event()

    @property
    def asked(self) -> int:
        return len(self.phone.series.due_s)

    @property
    def settled(self) -> int:
        """How many messages were both acknowledged and delivered."""
        acked = self.phone.series.done
        return acked if self.thread is None else min(acked, len(self.thread.read_s) + len(self.phone.series.declined))

    def aim(self, messages: int, in_flight: int) -> None:
        """Send `messages` more, never more than `in_flight` unsettled."""
        self.done.clear()
        self._in_flight, self._target = in_flight, self.asked + messages
        self.phone.series.on_ack = self._go_on
        if self.thread is not None:
            self.thread.on_read = self._go_on
        self._go_on()

    def rest(self) -> None:
        """Send nothing more by oneself."""
        self.phone.series.on_ack = nothing
        if self.thread is not None:
            self.thread.on_read = nothing

    def _go_on(self) -> None:
        series = self.phone.series
        asked, settled = len(series.due_s), series.done
        if self.thread is not None and (read := len(self.thread.read_s) + len(series.declined)) < settled:
            settled = read
        if asked < self._target:
            if asked - settled < self._in_flight:
                now_s = perf_counter()
                for _ in range(min(self._target - asked, self._in_flight - asked + settled)):
                    series.ask(now_s)
        elif settled >= self._target:
            self.done.set()


async def closed(talks: Sequence[Talk], messages: int, in_flight: int) -> None:
    """Send `messages` altogether, `in_flight` at a time in each talk, and wait for all of them."""
    each, more = divmod(messages, len(talks))
    for number, talk in enumerate(talks):
        talk.aim(each + (number < more), in_flight)
    for talk in talks:
        while not talk.done.is_set():
            before = _moved(talks)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await talk.done.wait()
            except TimeoutError:
                if _moved(talks) == before:
                    break
    for talk in talks:
        talk.rest()


async def opened(talks: Sequence[Talk], times: Iterable[tuple[int, float]], began_s: float) -> list[float]:
    """Send a message at each of `times` after `began_s`, to the talk of that number; return how late each was."""
    late_s: list[float] = []
    woke_s = began_s
    with Alarm() as alarm:
        for number, at in times:
            due_s = began_s + at
            if due_s > (now_s := perf_counter()):
                await alarm.until(max(due_s, woke_s + TICK_S))
                woke_s = now_s = perf_counter()
            late_s.append(now_s - due_s)
            talks[number % len(talks)].phone.send(due_s)
            if len(late_s) % 64 == 0:
                await asyncio.sleep(0)  # hopelessly behind, answers still have to be heard
    return late_s


async def settled(talks: Sequence[Talk]) -> None:
    """Wait until everything that was asked is acknowledged and delivered, or nothing moves any more."""
    before, since_s = _moved(talks), perf_counter()
    while any(talk.settled < talk.asked for talk in talks) and perf_counter() - since_s < PATIENCE_S:
        await asyncio.sleep(0.05)
        if (now := _moved(talks)) != before:
            before, since_s = now, perf_counter()


async def read_receipts(parties: Sequence[Phone | Desk]) -> None:
    """Say once a second at each end how far it has read, one after the other, until cancelled."""
    while True:
        for number, party in enumerate(parties):
            party.acknowledge()
            if number % 10 == 9:
                await asyncio.sleep(10 * RECEIPT_EVERY_S / len(parties))
        await asyncio.sleep(RECEIPT_EVERY_S * (len(parties) % 10) / max(1, len(parties)))


def _moved(talks: Sequence[Talk]) -> int:
    return sum(talk.phone.series.done + (len(talk.thread.read_s) if talk.thread is not None else 0) for talk in talks)
