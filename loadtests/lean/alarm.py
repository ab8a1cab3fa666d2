"""Being woken when something is due, to the microsecond: event loops count in milliseconds, which is what we measure.

Invariant: never wakes early; late only by what the machine makes it.
"""

import asyncio
import contextlib
import ctypes
import os
import struct
import sys
from time import monotonic
from types import TracebackType
from typing import Self

_CLOCK_MONOTONIC, _ABSOLUTE, _NON_BLOCKING = 1, 1, os.O_NONBLOCK
_TIMES = struct.Struct("qqqq")  # the interval (none), and when


class Alarm:
    """Wakes one task. Where the kernel has no timers that are files, the event loop's have to do."""

    def __init__(self) -> None:
        self._rang: asyncio.Future[None] | None = None
        self._file = -1
        if sys.platform == "linux":
            self._kernel = ctypes.CDLL(None, use_errno=True)
            self._file = self._kernel.timerfd_create(_CLOCK_MONOTONIC, _NON_BLOCKING)

    def __enter__(self) -> Self:
        if self._file >= 0:
            asyncio.get_running_loop().add_reader(self._file, self._ring)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file >= 0:
            asyncio.get_running_loop().remove_reader(self._file)
            os.close(self._file)

    async def until(self, at_s: float) -> None:
        """Wait until second `at_s` of the machine's monotonic clock."""
        if self._file < 0:
            await asyncio.sleep(max(0.0, at_s - monotonic()))
            return
        whole = int(at_s)
        self._rang = asyncio.get_running_loop().create_future()
        when = _TIMES.pack(0, 0, whole, max(1, int((at_s - whole) * 1e9)))
        self._kernel.timerfd_settime(self._file, _ABSOLUTE, when, None)
        await self._rang

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._file, 8)
        if self._rang is not None and not self._rang.done():
            self._rang.set_result(None)
