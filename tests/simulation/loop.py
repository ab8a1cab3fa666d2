"""An event loop whose time is a number and whose every choice comes from a seed.

Invariant: the same program under the same seed makes the same steps in the same order; nothing waits for real time.
What belongs to a part (`PART` in its context) can be frozen between any two of its steps, as SIGSTOP freezes a process,
and taken up again later, or never.
"""

import asyncio
import heapq
import random
import selectors
from collections.abc import Coroutine
from contextvars import Context, ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH_S = 1_800_000_000.0
"""Where virtual wall time begins, in seconds since 1970."""

PART: ContextVar[str] = ContextVar("part", default="")
"""Whose code runs; "" for the world around the parts: clients, wires, servers."""


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
        self._frozen: dict[str, list[Any]] = {}  # part → what it would have done meanwhile

    def time(self) -> float:
        return self.now_s

    def wall_ms(self) -> int:
        """Return virtual milliseconds since 1970."""
        return int((EPOCH_S + self.now_s) * 1000)

    def entropy(self, size: int) -> bytes:
        """Return `size` bytes of the seed's own."""
        return self.chance.randbytes(size)

    def freeze(self, part: str) -> None:
        """Let nothing of `part` run from now on."""
        self._frozen.setdefault(part, [])

    def thaw(self, part: str) -> None:
        """Let `part` go on where it was: it learns only from the clocks that it was away."""
        for handle in self._frozen.pop(part, []):
            if not handle.cancelled():
                self._ready.append(handle)

    def thaw_all(self) -> None:
        """Let everybody go on."""
        for part in list(self._frozen):
            self.thaw(part)

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def _process_events(self, event_list: list[Any]) -> None:
        """Between two turns: take away what the frozen would do in the next one."""
        self.steps += 1
        if self._frozen:
            self._set_aside_timers()
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                self._pile_of(handle).append(handle)

    def _set_aside_timers(self) -> None:
        due = self._scheduled and self._scheduled[0].when() <= self.now_s + self._clock_resolution
        while due:
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False
            if handle.cancelled():
                self._timer_cancelled_count -= 1
            else:
                self._pile_of(handle).append(handle)
            due = self._scheduled and self._scheduled[0].when() <= self.now_s + self._clock_resolution

    def _pile_of(self, handle: Any) -> Any:
        return self._frozen.get(handle._context.get(PART, ""), self._ready)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """Do it here, now: there is one thread."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def _write_to_self(self) -> None:
        raise AssertionError("the simulation has one thread")


def simulate(seed: int, main: Coroutine[Any, Any, T], loop: SimulatedLoop | None = None) -> T:
    """Run `main` to its end on a simulated loop; what is still running then is cancelled."""
    loop = loop or SimulatedLoop(seed)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        loop.thaw_all()
        rest = asyncio.all_tasks(loop)
        for task in rest:
            task.cancel()
        if rest:
            loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
