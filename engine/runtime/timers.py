"""The cell's clock: deadlines and lapsed gateways become commands of the inbox, on Redis TIME.

Invariant: a deadline fires at most once per setting, never before its time by a clock that can be believed. When Redis
TIME jumps against the machine's uptime, nothing fires for a while, so that gateways renew before they are called lost;
then the new time is believed, with an alarm.
"""

import asyncio
from dataclasses import dataclass
from typing import NoReturn

from engine.runtime import metrics
from engine.runtime.faults import LeaseLost
from engine.runtime.surroundings import EngineSettings, Surroundings
from protocol.ids import CellName
from store.redis import scripts
from store.redis.connection import Connection

LATE_MS = 1_000


@dataclass(slots=True)
class Believed:
    """Pure judgement of a clock by another that only counts up; all in milliseconds."""

    jump_ms: int
    pause_ms: int
    _offset_ms: int | None = None
    _paused_until_ms: int | None = None

    def latest_ms(self, boot_ms: int) -> int | None:
        """Return the latest time to believe now, 0 for any; None while nothing is to fire."""
        if self._paused_until_ms is not None:
            if boot_ms < self._paused_until_ms:
                return None
            self._paused_until_ms = self._offset_ms = None
        return 0 if self._offset_ms is None else boot_ms + self._offset_ms + self.jump_ms

    def saw(self, clock_ms: int, boot_ms: int) -> bool:
        """Take note of both clocks; True if the clock has jumped, and firing is paused from now on."""
        offset_ms = clock_ms - boot_ms
        if self._offset_ms is not None and abs(offset_ms - self._offset_ms) >= self.jump_ms:
            self._paused_until_ms = boot_ms + self.pause_ms
            return True
        self._offset_ms = offset_ms
        return False


def believed(settings: EngineSettings) -> Believed:
    """Return a judgement that has seen nothing yet."""
    return Believed(round(settings.clock_jump_s * 1000), round(settings.clock_pause_s * 1000))


async def keep(line: Connection, cell: CellName, token: str, around: Surroundings) -> NoReturn:
    """Fire what is due, for ever; raises LeaseLost when the cell is another's."""
    belief = believed(around.settings)
    while True:
        again = False
        asked_ms = around.boot_ms()
        latest_ms = belief.latest_ms(asked_ms)
        if latest_ms is not None:
            tick = await scripts.tick(line, cell, token, latest_ms=latest_ms)
            if tick is None:
                raise LeaseLost
            again = tick.fired >= scripts.MAX_DUE
            heard_ms = around.boot_ms()
            # An answer that was long under way, or that a paused process read late, says nothing about the clock.
            if heard_ms - asked_ms < LATE_MS and belief.saw(tick.now_ms, heard_ms):
                metrics.CLOCK_JUMPS.labels(cell).inc()
                around.log.error("clock jumped", cell=cell, clock_ms=tick.now_ms)
        if not again:
            await asyncio.sleep(around.settings.tick_ms / 1000)
