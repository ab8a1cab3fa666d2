"""What a phone was told of its chatflow, and when it is told anew (SPEC 4.9).

Invariant: what is told is what stood at that moment; not oftener than once in 2 s, and never without news.
"""

from gateway.core.actions import Action, Say, Wake
from gateway.core.showing import short
from gateway.core.storefront import Shown, Storefront, next_change_ms
from protocol.ids import ChatflowId
from protocol.wire.server import ChatflowView, Serving

EVERY_MS = 2_000


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
            return self._wake(next_change_ms(self.front.gate.config, now.flow, at_ms), at_ms)
        if at_ms < self._next_ms:
            return self._wake(self._next_ms, at_ms)
        self.shown, self._next_ms = now, at_ms + EVERY_MS
        frame = Serving(self._view(now.view), now.conversation, now.steps, now.availability, now.reason)
        return [Say(frame), *self._wake(next_change_ms(self.front.gate.config, now.flow, at_ms), at_ms)]

    def _view(self, view: ChatflowView | None) -> ChatflowView | None:
        """Return as much of `view` as the phone does not hold."""
        if view is None:
            return None
        held, self._etag = self._etag, view.etag
        return short(view) if view.etag == held else view

    def _wake(self, then_ms: int | None, at_ms: int) -> list[Action]:
        if then_ms is None or at_ms < self._wake_ms <= then_ms:
            return []  # asked already, or nothing to wait for
        self._wake_ms = then_ms
        return [Wake(then_ms)]
