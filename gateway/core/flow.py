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


class Flow:
    """What is under way in each series of one session."""

    def __init__(self) -> None:
        self._asked: dict[str, set[tuple[str, int]]] = {}
        self._awaited: dict[str, int] = {}
        self._used: dict[str, int] = {}  # the highest n known here to be used up

    def check(self, series: str, n: int, frame_id: str) -> No | None:
        """Return why frame `n` may not pass yet, or None."""
        awaited = self._awaited.get(series)
        if awaited is not None and n > awaited:
            return No(Code.OUT_OF_ORDER, awaited)
        if len(self._asked.get(series, ())) >= MAX_UNRESOLVED and not self.is_asked(series, n, frame_id):
            return self.refuse(series, No(Code.TOO_MANY_UNRESOLVED, n))
        return None

    def is_asked(self, series: str, n: int, frame_id: str) -> bool:
        """Whether this very frame is under way, so that its outcome will come."""
        return (frame_id, n) in self._asked.get(series, ())

    def refuse(self, series: str, no: No) -> No:
        """Keep the place of a refused frame; return the refusal."""
        _make_room(self._awaited, series)
        self._awaited[series] = min(no.expected, self._awaited.get(series, no.expected))
        return no

    def take(self, series: str, n: int, frame_id: str) -> None:
        """A frame passes."""
        self._asked.setdefault(series, set()).add((frame_id, n))
        if self._awaited.get(series) == n:
            del self._awaited[series]

    def drop(self, series: str, n: int, frame_id: str) -> None:
        """A frame that passed did not get out after all."""
        asked = self._asked.get(series, set())
        asked.discard((frame_id, n))
        if not asked:
            self._asked.pop(series, None)

    def resolve(self, series: str, outcome: Outcome) -> None:
        """An outcome came: a numbering refusal is about that n only, any other about the id for good."""
        if not outcome.expected:
            _make_room(self._used, series)
            self._used[series] = max(outcome.n, self._used.get(series, 0))
        asked = self._asked.get(series)
        if asked is None:
            return
        if outcome.expected:
            asked.discard((outcome.id, outcome.n))
            self._awaited.pop(series, None)  # the ledger knows better
        else:
            asked -= {each for each in asked if each[0] == outcome.id}
        if not asked:
            del self._asked[series]

    def next_n(self, series: str, read: int) -> int:
        """Return the next n to tell, given the one `read` from the ledger: outcomes may have come since.

        Too high a number is refused in order; one that is too low would let a later frame in before it (SPEC 5.2).
        """
        self.saw(series, read)
        return self._used[series] + 1

    def saw(self, series: str, next_n: int) -> None:
        """The ledger has taken everything below `next_n`."""
        _make_room(self._used, series)
        self._used[series] = max(next_n - 1, self._used.get(series, 0))

    def is_repeat(self, series: str, n: int) -> bool:
        """Whether frame `n` can only be one that was taken before, sent again: it makes nothing happen."""
        return n <= self._used.get(series, 0)


def _make_room(kept: dict[str, int], series: str) -> None:
    while len(kept) >= MAX_SERIES and series not in kept:
        del kept[next(iter(kept))]


def is_past(cursor: str, entry: str, index: int) -> bool:
    """Whether the command at `index` of inbox entry `entry` was decided, by the cell's cursor "entry:decided"."""
    at, _, decided = cursor.rpartition(":")
    if at == entry:
        return int(decided) > index
    return _entry(at) > _entry(entry)


def _entry(name: str) -> tuple[int, int]:
    ms, _, number = name.partition("-")
    return int(ms or 0), int(number or 0)
