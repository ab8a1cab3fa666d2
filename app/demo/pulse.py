"""Waiting for something to become so, anywhere in the story.

Invariant: every wait has a deadline, and says what it was for when that passes.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from app.demo.facts import NotSo

T = TypeVar("T")

PATIENCE_S = 40.0  # a machine may have other work


class Pulse:
    """Beats whenever anybody was told anything."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def beat(self) -> None:
        """Have everybody who waits look again."""
        self._next.set()
        self._next = asyncio.Event()

    async def until(self, what: str, look: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
        """Return what `look` finds, looking now and at each beat; NotSo that `what` did not happen in time."""
        try:
            async with asyncio.timeout(within_s):
                while (found := look()) is None:
                    await self._next.wait()
                return found
        except TimeoutError:
            raise NotSo(f"did not happen within {within_s:g} s: {what}") from None

    async def until_true(self, what: str, look: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
        """Return when `look` is true; NotSo that `what` did not happen in time."""
        await self.until(what, lambda: True if look() else None, within_s)
