"""The numbering of frames that change state, as one session sees it (SPEC 5.1, 5.2).

A *series* is what `n` counts in: a conversation for visitors, "desk" for an agent's device. The ledger that decides is
the engine's; this only keeps a refused frame's place, and bounds what is under way.

Invariant: after a frame was refused here, no later one of its series passes before its n comes again.
"""

from msgspec import Struct

from protocol.bus.records import Outcome
from protocol.wire.codes import Code
from protocol.wire.limits import MAX_UNRESOLVED

MAX_SERIES = 256  # whose places are kept: more than a session can read


class No(Struct, frozen=True):
    """A frame may not pass: the server will next take `expected`."""

    code: Code
    expected: int
    retry_after_ms: int = 0


class _Series:
    """Where one series is: under which ns each id is `asked`, the n that must come next (0: any), the highest n known
    to be `used` up. `under_way`: how many frames `asked` holds."""

    __slots__ = ("asked", "awaited", "under_way", "used")

    def __init__(self) -> None:
        self.asked: dict[str, tuple[int, ...]] = {}
        self.awaited = self.used = self.under_way = 0

    def drop(self, n: int, frame_id: str) -> None:
        """Frame `n` with this id is under way no more."""
        ns = self.asked.get(frame_id, ())
        if n not in ns:
            return
        self.under_way -= 1
        if len(ns) == 1:
            del self.asked[frame_id]
        else:
            self.asked[frame_id] = tuple(each for each in ns if each != n)


class Flow:
    """What is under way in each series of one session."""

    def __init__(self) -> None:
        self._series: dict[str, _Series] = {}

    def check(self, series: str, n: int, frame_id: str) -> No | None:
        """Return why frame `n` may not pass yet, or None."""
        at = self._series.get(series)
        if at is None:
            return None
        if at.awaited and n > at.awaited:
            return No(Code.OUT_OF_ORDER, at.awaited)
        if at.under_way >= MAX_UNRESOLVED and n not in at.asked.get(frame_id, ()):
            return self.refuse(series, No(Code.TOO_MANY_UNRESOLVED, n))
        return None

    def is_asked(self, series: str, n: int, frame_id: str) -> bool:
        """Whether this very frame is under way, so that its outcome will come."""
        at = self._series.get(series)
        return at is not None and n in at.asked.get(frame_id, ())

    def refuse(self, series: str, no: No) -> No:
        """Keep the place of a refused frame; return the refusal."""
        at = self._of(series)
        at.awaited = min(no.expected, at.awaited or no.expected)
        return no

    def take(self, series: str, n: int, frame_id: str) -> None:
        """A frame passes."""
        at = self._series.get(series) or self._of(series)
        ns = at.asked.get(frame_id)
        if ns is None:
            at.asked[frame_id] = (n,)
            at.under_way += 1
        elif n not in ns:
            at.asked[frame_id] = (*ns, n)
            at.under_way += 1
        if at.awaited == n:
            at.awaited = 0

    def drop(self, series: str, n: int, frame_id: str) -> None:
        """A frame that passed did not get out after all."""
        self._of(series).drop(n, frame_id)

    def resolve(self, series: str, outcome: Outcome) -> None:
        """An outcome came: a numbering refusal is about that n only, any other about the id for good."""
        at = self._series.get(series) or self._of(series)
        if not outcome.expected:
            at.used = max(at.used, outcome.n)
            at.under_way -= len(at.asked.pop(outcome.id, ()))
            return
        if at.asked:
            at.awaited = 0  # the ledger knows better
        at.drop(outcome.n, outcome.id)

    def next_n(self, series: str, read: int) -> int:
        """Return the next n to tell, given the one `read` from the ledger: outcomes may have come since.

        Too high a number is refused in order; one that is too low would let a later frame in before it (SPEC 5.2).
        """
        self.saw(series, read)
        return self._of(series).used + 1

    def saw(self, series: str, next_n: int) -> None:
        """The ledger has taken everything below `next_n`."""
        at = self._of(series)
        at.used = max(at.used, next_n - 1)

    def is_repeat(self, series: str, n: int) -> bool:
        """Whether frame `n` can only be one that was taken before, sent again: it makes nothing happen."""
        at = self._series.get(series)
        return at is not None and n <= at.used

    def _of(self, series: str) -> _Series:
        at = self._series.get(series)
        if at is None:
            self._make_room()
            at = self._series[series] = _Series()
        return at

    def _make_room(self) -> None:
        """Forget the oldest series in which nothing is under way, if there are too many."""
        if len(self._series) >= MAX_SERIES:
            idle = (name for name, each in self._series.items() if not each.asked)
            self._series.pop(next(idle, ""), None)


def is_past(cursor: str, entry: str, index: int) -> bool:
    """Whether the command at `index` of inbox entry `entry` was decided, by the cell's cursor "entry:decided"."""
    at, _, decided = cursor.rpartition(":")
    if at == entry:
        return int(decided) > index
    return _entry(at) > _entry(entry)


def _entry(name: str) -> tuple[int, int]:
    ms, _, number = name.partition("-")
    return int(ms or 0), int(number or 0)
