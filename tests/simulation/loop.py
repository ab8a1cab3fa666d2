"""An event loop whose time is a number and whose every choice comes from a seed.

Invariant: the same program under the same seed makes the same steps in the same order; nothing waits for real time.
"""

import asyncio
import random
import selectors
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH_S = 1_800_000_000.0
"""Where virtual wall time begins, in seconds since 1970."""


class Deadlock(Exception):
    """Everybody waits and nothing is scheduled: in reality this would hang for ever."""


class _Clockwork(selectors.BaseSelector):
    """Instead of waiting for files, moves the loop's clock to the next deadline."""

    def __init__(self, loop: "SimulatedLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Deadlock("nothing is scheduled and nobody can go on")
        self._loop.now_s += timeout
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        raise AssertionError("the simulation has no files")

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        raise AssertionError("the simulation has no files")

    def get_map(self) -> Any:
        return {}


class SimulatedLoop(asyncio.BaseEventLoop):
    """asyncio's own loop over a virtual clock; `chance` is the run's only source of randomness."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.now_s = 0.0
        self.chance = random.Random(seed)
        self._selector = _Clockwork(self)
        self._clock_resolution = 1e-9
        self.steps = 0

    def time(self) -> float:
        return self.now_s

    def wall_ms(self) -> int:
        """Return virtual milliseconds since 1970."""
        return int((EPOCH_S + self.now_s) * 1000)

    def entropy(self, size: int) -> bytes:
        """Return `size` bytes of the seed's own."""
        return self.chance.randbytes(size)

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def _process_events(self, event_list: list[Any]) -> None:
        self.steps += 1

    def _write_to_self(self) -> None:
        raise AssertionError("the simulation has one thread")


def simulate(seed: int, main: Coroutine[Any, Any, T], loop: SimulatedLoop | None = None) -> T:
    """Run `main` to its end on a simulated loop; what is still running then is cancelled."""
    loop = loop or SimulatedLoop(seed)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        rest = asyncio.all_tasks(loop)
        for task in rest:
            task.cancel()
        if rest:
            loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
