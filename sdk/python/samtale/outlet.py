"""The ways out of a client: to the app, to the journal, and onto the line.

Invariant: all return at once.
"""

from collections.abc import Callable, Iterator
from typing import Any

from samtale.events import Event
from samtale.journal import Fact
from samtale.stream import EventStream
from samtale.surroundings import Surroundings

Frame = dict[str, Any]


class Outlet:
    """`wake`, `renew` and `is_ready` are those of the present lifeline."""

    def __init__(self, world: Surroundings) -> None:
        self.world = world
        self.stream = EventStream()
        self.device = ""
        self.is_ready: Callable[[], bool] = lambda: False
        self.wake: Callable[[], None] = lambda: None
        self.renew: Callable[[], None] = lambda: None
        self._passing: list[Frame] = []

    def tell(self, event: Event) -> None:
        """Tell the app."""
        if self.world.listener is not None:
            self.world.listener(event)
        else:
            self.stream.put(event)

    def note(self, fact: Callable[[float], Fact]) -> None:
        """Tell the journal, if there is one."""
        if self.world.journal is not None:
            self.world.journal(fact(self.world.clock()))

    def put(self, frame: Frame) -> None:
        """Put an unnumbered frame on the line; dropped without one, since whoever connects begins anew."""
        if self.is_ready():
            self._passing.append(frame)
            self.wake()

    def due(self) -> Iterator[Frame]:
        """Yield what was put since the last time."""
        passing, self._passing = self._passing, []
        yield from passing

    def lost(self) -> None:
        self._passing = []
