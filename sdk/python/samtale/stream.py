"""Events on their way to the app.

Invariant: nothing is dropped. Past the bound the client stops reading from the server until the app has caught up; a
server whose client does not read cuts it with a resumable code (SPEC 11: 4001), and nothing is lost by that either.
"""

import asyncio
from collections import deque

from samtale.events import Event

BOUND = 1_000


class EventStream:
    """One writer, one reader."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._changed = asyncio.Event()
        self._ended = False

    def put(self, event: Event) -> None:
        self._events.append(event)
        self._changed.set()

    def end(self) -> None:
        """After what is here nothing comes any more."""
        self._ended = True
        self._changed.set()

    def reopen(self) -> None:
        self._ended = False

    async def room(self) -> None:
        """Return when there is room for more."""
        while len(self._events) >= BOUND:
            await self._wait()

    async def next(self) -> Event | None:
        """Return the next event; None after the last."""
        while not self._events:
            if self._ended:
                return None
            await self._wait()
        event = self._events.popleft()
        if len(self._events) == BOUND - 1:
            self._changed.set()
        return event

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()
