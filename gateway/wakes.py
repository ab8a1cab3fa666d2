"""The times at which one session wants to be called again.

Invariant: each is kept once, however often it is asked for; none comes after `forget`.
"""

import asyncio
from collections.abc import Callable
from zlib import crc32

from gateway.core.actions import Wake
from protocol.ids import SessionId


class Wakes:
    """The timers of `session`, which `woke` is told of: the time that it is by then, in milliseconds since 1970."""

    __slots__ = ("_now_ms", "_session", "_timers", "_woke")

    def __init__(self, session: SessionId, now_ms: Callable[[], int], woke: Callable[[int], None]) -> None:
        self._session, self._now_ms, self._woke = session, now_ms, woke
        self._timers: dict[Wake, asyncio.TimerHandle] = {}

    def ask(self, wake: Wake) -> None:
        """Call at `wake.at_ms`, or later by this session's own part of the spread."""
        if wake not in self._timers:
            now_ms = self._now_ms()
            later_ms = crc32(self._session.encode()) % wake.spread_ms if wake.spread_ms else 0
            delay_s = (max(wake.at_ms, now_ms) + later_ms - now_ms) / 1000
            self._timers[wake] = asyncio.get_running_loop().call_later(delay_s, self._ring, wake)

    def forget(self) -> None:
        """Call no more."""
        for timer in self._timers.values():
            timer.cancel()

    def _ring(self, wake: Wake) -> None:
        del self._timers[wake]
        self._woke(max(wake.at_ms, self._now_ms()))  # the loop's clock may be ahead of the wall's
