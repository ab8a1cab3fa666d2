"""A watch on the processor time of a single step of deciding.

Invariant: only a decider at work is ever interrupted; time that passes while the process is stopped does not count. So
a decider that would turn in circles for ever becomes one that raised, and its conversation is parked.
"""

import signal
from types import FrameType

from engine.runtime.faults import Overran


class Watchdog:
    """`inside` and `serial` are set around each stretch of deciding, by whoever decides."""

    def __init__(self, limit_s: int = 5) -> None:
        self.inside = False
        self.serial = 0
        self._limit_s = limit_s
        self._seen = -1
        self._seconds = 0

    def install(self) -> None:
        """Look once in every second of this process's processor time. Main thread only."""
        signal.signal(signal.SIGVTALRM, self.look)
        signal.setitimer(signal.ITIMER_VIRTUAL, 1.0, 1.0)

    def remove(self) -> None:
        """Look no more."""
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)

    def look(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Raise Overran, in the decider, if the same stretch has gone on for the limit."""
        if not self.inside or self.serial != self._seen:
            self._seen, self._seconds = self.serial if self.inside else -1, 0
            return
        self._seconds += 1
        if self._seconds >= self._limit_s:
            self._seconds = 0
            raise Overran(f"deciding took {self._limit_s} s of processor time")
