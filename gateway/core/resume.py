"""How a reader comes from what it has to what there is, and stays there.

`merge` joins a page of the log with the hints that arrived while it was read. A `Reader` is one session's place in one
log: hints go straight through while they fit, and make it read the log when they do not.

Invariant: what a reader delivers is contiguous in seq from its position, without gap, repeat or reorder, or it says
resync first. Entries of another epoch than the one its position was checked under are never joined by seq alone.
"""

from msgspec import Struct

from protocol.bus.records import Head
from protocol.bus.topics import Hint
from protocol.ids import epoch_of

MAX_WAITING = 1_000  # hints kept while a page is read; beyond them the log is read once more


class Place(Struct, frozen=True):
    """The last entry read: seq 0 and "" before the first."""

    seq: int
    id: str


NOWHERE = Place(0, "")


class Page(Struct, frozen=True):
    """Part of a log as read from `from_seq` on. `epoch` is the cell's, read before the log; `head` None: no such log.

    `receipts`: who → (delivered, read). `next_n`: what the reading device sends next; 0 if that was not asked.
    """

    epoch: int
    entries: list[Hint]
    more: bool = False
    head: Head | None = None
    receipts: dict[str, tuple[int, int]] = {}
    next_n: int = 0


class Merged(Struct, frozen=True):
    """`entries` may be delivered, after a resync if so; `again`: there may be more, read on from `place`."""

    entries: list[Hint]
    place: Place
    resync: bool = False
    again: bool = False


def merge(place: Place, page: Page, waiting: list[Hint]) -> Merged:
    """Join what follows `place` in `page` with the hints that came meanwhile."""
    history = page.entries
    if place.seq:
        if not history or (history[0].seq, history[0].id) != (place.seq, place.id):
            return Merged([], NOWHERE, resync=True, again=True)
        history = history[1:]
    entries: list[Hint] = []
    for entry in history:
        if entry.seq != place.seq + 1:  # trimmed while it was read
            return Merged(entries, place, again=True)
        entries.append(entry)
        place = Place(entry.seq, entry.id)
    if page.more:
        return Merged(entries, place, again=True)
    for hint in waiting:
        epoch = epoch_of(hint.id)
        if epoch > page.epoch or hint.seq > place.seq + 1:
            return Merged(entries, place, again=True)
        if epoch == page.epoch and hint.seq == place.seq + 1:
            entries.append(hint)
            place = Place(hint.seq, hint.id)
    return Merged(entries, place)


class Reader:
    """One session's place in one log."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.epoch = 0  # the place was last checked under it
        self.turn = 0
        self.reading = False
        self.admitted = False  # the session may read it: known from the first page on
        self.announce = True  # caught_up is owed
        self.head: Head | None = None  # as the last page had it
        self._waiting: list[Hint] = []
        self._overflowed = False

    def begin(self) -> int:
        """Start to read the log from the present place; returns the turn. Hints wait from now on."""
        self.turn += 1
        self.reading = True
        self._waiting = []
        self._overflowed = False
        return self.turn

    def hinted(self, hints: list[Hint]) -> list[Hint] | None:
        """Take hints as they come; return what may be delivered, or None if the log must be read."""
        if self.reading:
            self._overflowed = self._overflowed or len(self._waiting) + len(hints) > MAX_WAITING
            if not self._overflowed:
                self._waiting.extend(hints)
            return []
        if self._fit(hints):
            self.place = Place(hints[-1].seq, hints[-1].id)
            return hints
        merged = merge(self.place, self._nothing_new(), hints)
        if merged.again:
            return None
        self.place = merged.place
        return merged.entries

    def take(self, page: Page) -> Merged:
        """Take the page that was asked for; if it is not the last one, call `begin` and read on."""
        merged = merge(self.place, page, self._waiting)
        self.place = merged.place
        self.epoch = page.epoch
        self.reading = False
        self._waiting = []
        if merged.resync:
            self.announce = True
        return Merged(merged.entries, merged.place, merged.resync, merged.again or self._overflowed)

    def behind(self, seq: int, epoch: int) -> bool:
        """Whether the log must be read, given how far it is said to be and under which epoch."""
        return not self.reading and (seq > self.place.seq or epoch > self.epoch)

    def _fit(self, hints: list[Hint]) -> bool:
        """Whether they are just what comes next: they nearly always are."""
        seq, epoch = self.place.seq, f"{self.epoch}."
        for hint in hints:
            seq += 1
            if hint.seq != seq or not hint.id.startswith(epoch):
                return False
        return bool(hints)

    def _nothing_new(self) -> Page:
        return Page(self.epoch, [Hint(self.place.seq, self.place.id, b"")] if self.place.seq else [])
