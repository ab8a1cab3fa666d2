"""What this device has asked for and has no outcome of yet, in order (SPEC 5).

Invariant: an item leaves only by its outcome, or by moving to the conversation that the server named. Whatever is sent
again keeps its id, and no item is on a line while 32 later ones may have been taken: so the server still knows it by
its id, and nothing is taken twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from samtale.series import Frame, Item, Series

KEPT = 32  # outcomes that the server remembers per series
RENUMBER = frozenset({"out_of_order", "n_conflict"})
WAIT = frozenset({"rate_limited", "overloaded", "unavailable", "too_many_unresolved"})


@dataclass(frozen=True, slots=True)
class Stale:
    """About something that is settled: nothing to do."""


@dataclass(frozen=True, slots=True)
class Again:
    """Renumbered: put what is due on the line."""


@dataclass(frozen=True, slots=True)
class Held:
    """The series waits; `release` it after `after_ms`."""

    series: str
    after_ms: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """The refusal is the outcome of `item`."""

    item: Item


@dataclass(frozen=True, slots=True)
class Spared:
    """`item` was acknowledged long ago and offered again in vain: what the app was told stands."""

    item: Item


@dataclass(frozen=True, slots=True)
class Moved:
    """The conversation goes on as `to`, and what was waiting with it."""

    conversation: str
    to: str


Verdict = Stale | Again | Held | Dropped | Spared | Moved


class Outbox:
    """All series of one device."""

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}

    def series(self, name: str) -> Series:
        return self._series.setdefault(name, Series(name))

    def add(self, name: str, id: str, fields: Frame) -> Item:  # noqa: A002 - the wire's word
        """Put something new behind everything else of its series, and of one that goes on as it."""
        series = self.series(name)
        for before in self._series.values():
            if before.items and before.leads_to == name != "":
                series, fields = before, {**fields, "conversation": before.name}
        item = Item(id, series.next_n, fields)
        series.next_n += 1
        series.items.append(item)
        return item

    def due(self, may_go: Callable[[Item], bool] = lambda _: True) -> Iterator[Item]:
        """Yield what is to be put on the line now, marking it so; of a series, up to the first that may not go yet."""
        for series in list(self._series.values()):
            if series.held or not series.name:
                continue
            for item in takewhile(may_go, series.due()):
                item.line_n, item.tried = item.n, True
                series.top_n = max(series.top_n, item.n)
                yield item

    def waiting(self) -> list[Item]:
        """Return everything that has no outcome yet."""
        return [item for series in self._series.values() for item in series.items]

    def lost(self) -> None:
        """The line is gone: everything without outcome is due again, same n, same id."""
        for series in self._series.values():
            for item in series.items:
                item.line_n = 0
            series.probe = series.items[0].id if series.items else ""

    def told(self, name: str, next_n: int) -> None:
        """The server says where this device goes on; what has no outcome yet keeps its number until refused.

        What was acknowledged meanwhile counts more: too high a number is refused in order, too low a one is not.
        """
        series = self.series(name)
        if not series.items:
            series.next_n = max(next_n, 1 + max((item.n for item in series.kept), default=0))

    def acked(self, ack: Frame) -> Item | None:
        """Settle what `ack` is about and return it; None if it was settled before."""
        found = self._find(ack)
        if found is None:
            return None
        series, item = found
        series.settle(item)
        item.n = ack.get("n", item.n)  # the number it was taken with, if it has another by now
        series.top_n = max(series.top_n, item.n)
        series.kept = [*series.kept, item][-KEPT:]
        return item

    def refused(self, refusal: Frame) -> Verdict:
        """Settle, renumber, hold or move what `refusal` is about (SPEC 5.2)."""
        found = self._find(refusal)
        if found is None:
            return Stale()
        series, item = found
        if refusal["code"] == "continued" and refusal.get("instead"):
            return self._continue(series, item, refusal["instead"])
        if not refusal.get("expected"):
            series.settle(item)
            return Spared(item) if item.again else Dropped(item)
        if refusal["n"] != item.line_n:
            return Stale()
        return self._not_taken(series, item, refusal)

    def release(self, name: str) -> None:
        """The wait of a held series is over."""
        self.series(name).held = False

    def move(self, name: str, to: str) -> Moved:
        """Put everything that waits under `name` behind what waits under `to`: ids and order kept.

        What `name` has counted it has counted: it may be gone on with after all, if the server loses `to`.
        """
        old = self.series(name)
        moving, old.items = old.items, []
        self._append(self.series(to), moving)
        return Moved(name, to)

    def _continue(self, old: Series, item: Item, to: str) -> Verdict:
        """Let `item` go on under `to`. Whatever else may have been taken is asked where it was; the rest follows."""
        old.settle(item)
        self._append(self.series(to), [item])
        if any(each.tried for each in old.items):
            old.leads_to = to
            return Moved(old.name, to)
        return self.move(old.name, to)

    def _append(self, series: Series, items: list[Item]) -> None:
        start = len(series.items)
        for item in items:
            item.fields, item.line_n = {**item.fields, "conversation": series.name}, 0
            item.tried = item.counted = False
        series.items += items
        series.renumber(start, series.next_n)

    def abandon(self, name: str) -> list[Item]:
        """Drop and return what waits in a series that leads nowhere."""
        series = self.series(name)
        items, series.items, series.next_n = series.items, [], 1
        return items

    def epoch_rose(self) -> None:
        """The server may have lost its newest: offer again what it acknowledged, before what it did not."""
        for series in self._series.values():
            known = [item for item in series.kept if item.n > series.top_n - KEPT]
            for item in known:
                item.again, item.line_n = True, 0
            series.items = known + series.items
            series.kept = []
            series.top_n = min(series.top_n, max((item.n for item in series.items), default=0))

    def forget(self) -> None:
        """Drop everything: the visitor is another one from here on."""
        self._series.clear()

    def freeze(self) -> list[Frame]:
        """Return plain values that `thaw` takes back, after the process died or not."""
        return [
            {
                "name": series.name,
                "next_n": series.next_n,
                "top_n": series.top_n,
                "items": [item.frame() for item in series.items],
                "kept": [item.frame() for item in series.kept],
            }
            for series in self._series.values()
        ]

    def thaw(self, frozen: list[Frame]) -> None:
        """Take back what `freeze` gave."""
        for row in frozen:
            items, kept = ([_item(frame) for frame in row[part]] for part in ("items", "kept"))
            self._series[row["name"]] = Series(row["name"], row["next_n"], row["top_n"], items, kept)

    def _find(self, outcome: Frame) -> tuple[Series, Item] | None:
        named = outcome.get("conversation")
        for series in self._series.values():
            for item in series.items:
                if item.id == outcome.get("id"):
                    elsewhere = named and item.fields.get("conversation", named) != named
                    return None if elsewhere else (series, item)
        return None

    def _not_taken(self, series: Series, item: Item, refusal: Frame) -> Verdict:
        if refusal["code"] not in RENUMBER | WAIT:
            series.settle(item)
            if not series.items:
                series.next_n = refusal["expected"]
            return Spared(item) if item.again else Dropped(item)
        if refusal["code"] == "rate_limited":
            series.not_counted(item)
        series.not_taken(item, refusal["expected"])
        if refusal["code"] in RENUMBER:
            return Again()
        series.held = True
        return Held(series.name, refusal.get("retry_after_ms") or 1_000)


def _item(frame: Frame) -> Item:
    fields = {name: value for name, value in frame.items() if name not in ("n", "id")}
    return Item(frame["id"], frame["n"], fields, tried=True)  # nobody knows
