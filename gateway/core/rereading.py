"""Reading the visitor's committed record again, and what is told only once it was read.

Invariant: one reading at a time, and what is told after one was asked for before it began: so a record is never older
than what is told with it, and none is replaced by an older one.
"""

from gateway.core.actions import Action, ReadVisitor
from protocol.ids import VisitorId
from protocol.wire.server import ServerFrame


class Rereading:
    """One session's."""

    __slots__ = ("_is_late", "_is_under_way", "_told_after", "_told_after_next", "_visitor")

    def __init__(self, visitor: VisitorId) -> None:
        self._visitor = visitor
        self._is_under_way = self._is_late = False  # late: something happened since it began
        self._told_after: list[ServerFrame] = []
        self._told_after_next: list[ServerFrame] = []

    def ask(self) -> list[Action]:
        """Read the record, or read it once more after the reading under way."""
        if self._is_under_way:
            self._is_late = True
            return []
        self._is_under_way, self._is_late = True, False
        self._told_after, self._told_after_next = self._told_after_next, []
        return [ReadVisitor(self._visitor)]

    def then_tell(self, frame: ServerFrame) -> list[Action]:
        """Read the record, and tell `frame` then."""
        self._told_after_next.append(frame)
        return self.ask()

    def done(self) -> tuple[list[ServerFrame], list[Action]]:
        """The reading is over: return what is told now, and the next reading if one is due."""
        told, self._told_after, self._is_under_way = self._told_after, [], False
        return told, self.ask() if self._is_late else []
