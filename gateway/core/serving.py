"""What a phone was told of its chatflow, and when it is told anew (SPEC 4.9).

Invariant: what is told is what stood at that moment; not oftener than once a second, and never without news.
"""

from gateway.core.actions import Action, Say, Wake
from gateway.core.clock import next_change_ms
from gateway.core.showing import short
from gateway.core.storefront import Shown, Storefront
from protocol.ids import ChatflowId
from protocol.wire.server import ChatflowView, Serving

EVERY_MS = 1_000  # with SPREAD_MS and the way there: what is published is on phones within two seconds
SPREAD_MS = 1_000  # over which the phones of a gateway look when something changes for all of them
LOOK = Wake(0)  # look at once whether something is to be told
SOON = Wake(0, SPREAD_MS)  # the same, of what thousands are told


class Told:
    """The last that one phone heard, `ready` being the first. `etag`: of the view that it holds."""

    def __init__(self, front: Storefront, shown: Shown) -> None:
        self.front, self.shown = front, shown
        self._etag = shown.view.etag if shown.view is not None else ""
        self._next_ms = 0
        self._wake_ms = 0

    @property
    def chatflow(self) -> ChatflowId | None:
        """The chatflow that the phone was shown last."""
        return self.shown.flow.id if self.shown.flow is not None else None

    @property
    def version(self) -> int:
        """The version of it; 0 if there is none."""
        return self.shown.flow.version if self.shown.flow is not None else 0

    def version_of(self, chatflow: ChatflowId) -> int:
        """Return the version of a chatflow as the phone was shown it; 0: it was not."""
        return self.version if chatflow == self.chatflow else 0

    def look(self, at_ms: int) -> list[Action]:
        """Say what is new, or ask to be woken when it may be said or when the clock changes it."""
        record = self.front.gate.record
        if record is None:
            return []
        now = self.front.show(record, at_ms)
        if not now.is_news(self.shown):
            self.shown = now
            return self._when_the_clock(now, at_ms)
        if at_ms < self._next_ms:
            return self._wake(self._next_ms, at_ms)
        self.shown, self._next_ms = now, at_ms + EVERY_MS
        frame = Serving(self._view(now.view), now.conversation, now.steps, now.availability, now.reason)
        return [Say(frame), *self._when_the_clock(now, at_ms)]

    def stood(self, at_ms: int) -> list[Action]:
        """What was shown stood at that time, perhaps a while ago: ask to be woken when the clock changes it."""
        return self._when_the_clock(self.shown, at_ms)

    def _view(self, view: ChatflowView | None) -> ChatflowView | None:
        """Return as much of `view` as the phone does not hold."""
        if view is None:
            return None
        held, self._etag = self._etag, view.etag
        return short(view) if view.etag == held else view

    def _when_the_clock(self, now: Shown, at_ms: int) -> list[Action]:
        """Ask to be woken when an hour comes, with every other phone of the chatflow."""
        then_ms = next_change_ms(self.front.gate.config, now.flow, at_ms)
        return self._wake(then_ms, at_ms, SPREAD_MS) if then_ms is not None else []

    def _wake(self, then_ms: int, at_ms: int, spread_ms: int = 0) -> list[Action]:
        if at_ms < self._wake_ms <= then_ms:
            return []  # asked already
        self._wake_ms = then_ms
        return [Wake(then_ms, spread_ms)]
