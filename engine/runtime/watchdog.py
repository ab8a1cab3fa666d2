"""A watch on the processor time of a single step of deciding.

Invariant: only a decider at work is ever interrupted; time that passes while the process is stopped does not count. So
a decider that would turn in circles for ever becomes one that raised, and its conversation is parked.
"""

import signal
from types import FrameType

from engine.runtime.faults import Overran


class Watchdog:
    """`inside` and `serial` are set around each stretch of deciding, by whoever decides.

    A stretch may last `looks` looks, one in every `every_s` seconds of this process's processor time.
    """

    def __init__(self, looks: int = 5, every_s: float = 1.0) -> None:
        self.inside = False
        self.serial = 0
        self._looks, self._every_s = looks, every_s
        self._seen = -1
        self._lasted = 0

    def install(self) -> None:
        """Begin to look. Main thread only."""
        signal.signal(signal.SIGVTALRM, self.look)
        signal.setitimer(signal.ITIMER_VIRTUAL, self._every_s, self._every_s)

    def remove(self) -> None:
        """Look no more."""
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)

    def look(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Raise Overran, in the decider, if the same stretch has gone on for the limit."""
        if not self.inside or self.serial != self._seen:
            self._seen, self._lasted = self.serial if self.inside else -1, 0
            return
        self._lasted += 1
        if self._lasted >= self._looks:
            self._lasted = 0
            raise Overran(f"deciding took {self._looks * self._every_s:g} s of processor time")
