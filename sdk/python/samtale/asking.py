"""Asking, and hearing what became of it (SPEC 5).

Invariant: what was asked is kept in the store until its outcome; the app hears exactly one outcome of it.
"""

import asyncio
from collections.abc import Callable

from samtale import events, journal
from samtale.asked import Asked, Outcomes
from samtale.outbox import Dropped, Held, Moved, Outbox, Spared
from samtale.outlet import Outlet
from samtale.pace import Pace
from samtale.reading import read
from samtale.series import Frame, Item


class Asking:
    """`changed`: the outbox is to be stored; `moved`: a conversation goes on as another; `acked`: an item was taken."""

    def __init__(
        self,
        outlet: Outlet,
        changed: Callable[[], None],
        moved: Callable[[Moved], None],
        acked: Callable[[Item], None],
    ) -> None:
        self.outbox = Outbox()
        self.epoch = 0
        self.pace = Pace()
        self._is_early = False  # something would be due, were it not for the pace
        self._outlet = outlet
        self.outcomes = Outcomes()
        self._changed = changed
        self._moved = moved
        self._acked = acked

    def ask(self, series: str, fields: Frame) -> Asked:
        """Put a numbered frame into the outbox; it goes on the line when it can."""
        item = self.outbox.add(series, self._outlet.world.new_id(), fields)
        self._outlet.note(lambda t: journal.Asked(t, item.id))
        self._changed()
        self._outlet.wake()
        return Asked(item.id, self.outcomes)

    def refuse(self, code: str, text: str) -> None:
        """Give up on what waits without a conversation."""
        for item in self.outbox.abandon(""):
            self._settled(item, events.Refused(code, text, id=item.id))

    def forget(self) -> None:
        """Another visitor begins here: nothing of the last one's is said any more, and whoever waits is told so."""
        for item in self.outbox.waiting():
            self._settled(
                item, events.Refused("visitor_unknown", "This was asked by a visitor who is no more.", id=item.id)
            )
        self.outbox.forget()
        self.epoch = 0

    def see_epoch(self, epoch: int) -> None:
        """Offer the last sends again if the server has lost its newest (SPEC 6.4)."""
        if 0 < self.epoch < epoch:
            self.outbox.epoch_rose()
        self.epoch = max(self.epoch, epoch)
        self._changed()

    def due_frames(self) -> list[Frame]:
        """Return what goes on the line now."""
        self._is_early = False
        return [self._sent(item) for item in self.outbox.due(self._may_go)]

    def due_in_s(self) -> float | None:
        """Return in how many seconds more goes on the line, if that is only a matter of pace."""
        return self.pace.wait_s(self._outlet.world.clock()) if self._is_early else None

    def on_ack(self, frame: Frame) -> None:
        acked, device = read(events.Acked, frame), self._outlet.device
        fact = (acked.conversation, device, frame["n"], acked.id, acked.seq, acked.event)
        self._outlet.note(lambda t: journal.Acked(t, *fact))
        item = self.outbox.acked(frame)
        if item is not None:
            self._changed()
            self._acked(item)
            self._settled(item, acked)

    def on_refused(self, frame: Frame) -> None:
        refused, device = read(events.Refused, frame), self._outlet.device
        fact = (refused.conversation, device, frame["n"], refused.id, refused.code, frame.get("expected", 0))
        verdict = self.outbox.refused(frame)
        if not isinstance(verdict, Spared):
            self._outlet.note(lambda t: journal.Refused(t, *fact))
        self._changed()
        match verdict:
            case Dropped(item):
                self._settled(item, refused)
            case Held(series, after_ms):
                if refused.code == "rate_limited":
                    self.pace.refused(self._outlet.world.clock(), after_ms / 1000)
                asyncio.get_running_loop().call_later(after_ms / 1000, self._release, series)
            case Moved():
                self._moved(verdict)

    def _settled(self, item: Item, outcome: events.Acked | events.Refused) -> None:
        if item.again and isinstance(outcome, events.Acked):
            return  # the app was told before the epoch rose
        self.outcomes.tell(outcome)
        self._outlet.tell(outcome)

    def _release(self, series: str) -> None:
        self.outbox.release(series)
        self._outlet.wake()

    def _may_go(self, item: Item) -> bool:
        """Whether the pace allows `item` on the line; what is sent again was counted, or is answered from memory."""
        if item.counted or item.again:
            return True
        now_s = self._outlet.world.clock()
        if self.pace.wait_s(now_s):
            self._is_early = True
            return False
        self.pace.take(now_s)
        item.counted = True
        return True

    def _sent(self, item: Item) -> Frame:
        content = {name: value for name, value in item.fields.items() if name != "conversation"}
        named, kind = item.fields.get("conversation", ""), item.fields["t"]
        fact = (named, self._outlet.device, item.n, item.id, kind)
        self._outlet.note(lambda t: journal.Sent(t, *fact, journal.digest_of(content)))
        return item.frame()
