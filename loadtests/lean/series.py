"""Numbered frames of one sender (SPEC 5): what was asked, what is under way, what has its outcome.

Invariant: frames take effect in the order asked. One that came back keeps its number and its id; while frames come
back nothing new is sent, then the first goes alone (SPEC 5.2).
"""

import asyncio
from collections.abc import Callable
from time import perf_counter

from loadtests.lean.frames import Heard
from protocol.wire.limits import MAX_UNRESOLVED


class Series:
    """`make` gives the frame of a number and `say` puts it on the line; `on_ack` is called at each outcome."""

    __slots__ = (
        "_again", "_alone", "_loop", "_make", "_returned", "_say", "_wait_ms", "acked_s", "declined", "done", "due_s",
        "on_ack", "out_of_order", "put", "window",
    )  # fmt: skip

    def __init__(
        self, make: Callable[[int], bytes], say: Callable[[bytes], None], window: int = MAX_UNRESOLVED
    ) -> None:
        self.window = window
        self.due_s: list[float] = []  # of each that was asked, when it was due
        self.acked_s: list[float] = []  # of each with an outcome, when it came
        self.put = self.done = 0  # the highest number on the line, and with an outcome
        self.declined: list[int] = []  # what was refused for good: it is in no log
        self.out_of_order = 0
        self.on_ack: Callable[[], None] = _nothing
        self._make, self._say = make, say
        self._returned = 0  # of those under way, how many came back
        self._wait_ms = 0  # the longest time to wait that they were told
        self._alone = False  # the first goes alone
        self._again: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def unsettled(self) -> int:
        """How many were asked and have no outcome yet."""
        return len(self.due_s) - self.done

    def ask(self, due_s: float) -> None:
        """Send one more, as soon as it may be."""
        self.due_s.append(due_s)
        if not self._alone and self.put - self.done < self.window:
            self.put += 1
            self._say(self._make(self.put))

    def acked(self, n: int) -> None:
        """Take the outcome of number `n`."""
        if n != self.done + 1:
            self.out_of_order += n > self.done + 1  # below: told again, after a line was lost
            return
        self.done = n
        self.acked_s.append(perf_counter())
        if self._alone or self.put < len(self.due_s):
            self._go_on()
        self.on_ack()

    def refused(self, frame: Heard) -> None:
        """Take a refusal: with `expected` the frame comes back, without it that is what became of it."""
        if not frame.expected:
            self.declined.append(frame.n)
            self.acked(frame.n)
        elif self.done < frame.n <= self.put:
            self._returned += 1
            self._alone = True
            self._wait_ms = max(self._wait_ms, frame.retry_after_ms)
            if self._returned >= self.put - self.done:
                self._wait()

    def give_up(self) -> int:
        """Forget what was asked and never put on the line; return how many that were."""
        given_up = len(self.due_s) - self.put
        del self.due_s[self.put :]
        return given_up

    def resumed(self) -> None:
        """Send what has no outcome again: there is a new line."""
        self._stop_waiting()
        self.put, self._returned, self._wait_ms, self._alone = self.done, 0, 0, False
        self._fill()

    def lost(self) -> None:
        """Send nothing until `resumed`: there is no line."""
        self._stop_waiting()
        self._alone = True

    def _go_on(self) -> None:
        if not self._alone:
            self._fill()
        elif self._returned and self._returned >= self.put - self.done:
            self._wait()  # the last that had not come back was taken after all
        elif not self._returned:
            self._alone = False  # it went alone, and was taken
            self._fill()

    def _fill(self) -> None:
        for n in range(self.put + 1, min(len(self.due_s), self.done + self.window) + 1):
            self.put = n
            self._say(self._make(n))

    def _wait(self) -> None:
        self._stop_waiting()
        self._again = self._loop.call_later(self._wait_ms / 1e3, self._first)

    def _first(self) -> None:
        self._again, self._returned, self._wait_ms = None, 0, 0
        self.put = self.done
        if len(self.due_s) > self.done:
            self.put += 1
            self._say(self._make(self.put))
        else:
            self._alone = False

    def _stop_waiting(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None


def _nothing() -> None:
    """Nobody waits for it."""
