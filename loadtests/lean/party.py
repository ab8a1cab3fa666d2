"""Whoever holds a line to a server: what a phone and a desk have in common.

Invariant: nothing but `hello` is said before the server is ready, and nothing at all without a line.
"""

import asyncio
from collections import Counter
from time import perf_counter

from loadtests.lean import frames
from loadtests.lean.line import Line, LineEnded, connect

READY_S = 30.0


class Party:
    """Whoever holds a line: what both ends have in common."""

    path: str

    def __init__(self) -> None:
        self.refusals: Counter[str] = Counter()
        self.troubles: list[str] = []  # lines that ended and had to live
        self.limits: frames.Allowance | None = None  # as `ready` states them
        self.ready_s = self.caught_up_s = 0.0  # when, the last time
        self._line: Line | None = None
        self._wanted = False
        self.is_ready = False  # nothing but `hello` may be said before
        self._caught_up: asyncio.Future[None] | None = None

    async def enter(self, url: str, hello: bytes) -> None:
        """Connect and say `hello`. Raises LineEnded or OSError."""
        self._wanted, self.is_ready = True, False
        self._caught_up = asyncio.get_running_loop().create_future()
        self._line = await connect(url, self.path, self._hear, self._ended)
        self._line.send(hello)

    async def caught_up(self) -> None:
        """Wait until everything so far was read and what follows is live; raises LineEnded or TimeoutError."""
        assert self._caught_up is not None, "not entered"
        async with asyncio.timeout(READY_S):
            await self._caught_up

    def say(self, frame: bytes) -> None:
        """Send a frame; before `ready`, or without a line, it goes nowhere."""
        if self._line is not None and self.is_ready:
            self._line.send(frame)

    def put(self, frame: bytes) -> None:
        """Send what was framed before; without a line it goes nowhere."""
        if self._line is not None:
            self._line.send_framed(frame)

    def leave(self) -> None:
        """Cut the line."""
        self._wanted = False
        if self._line is not None:
            self._line.end()
            self._line = None

    @property
    def is_there(self) -> bool:
        return self._line is not None and self._line.is_open

    def heard(self, frame: frames.Heard, message: bytes) -> None:
        """Take a frame that is not one of the two that nearly all are."""
        raise NotImplementedError

    def _hear(self, message: bytes) -> None:
        raise NotImplementedError

    def _live(self) -> None:
        self.caught_up_s = perf_counter()
        if self._caught_up is not None and not self._caught_up.done():
            self._caught_up.set_result(None)

    def _ended(self, why: str) -> None:
        self.is_ready = False
        if self._wanted:
            self.troubles.append(why)
            self._line = None
        if self._caught_up is not None and not self._caught_up.done():
            self._caught_up.set_exception(LineEnded(why))
            self._caught_up.exception()
