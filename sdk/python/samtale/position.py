"""How far one conversation has been read (SPEC 6).

Invariant: what `take` calls new is exactly the next event: whoever shows only that never shows a gap, a repeat or a
reorder.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Take(Enum):
    NEW = auto()  # show it
    KNOWN = auto()  # it was shown
    GAP = auto()  # something is missing before it: resume
    WAITING = auto()  # something is missing, and the resume for it is under way


@dataclass(slots=True)
class Position:
    """The last event read: 0 and "" for none. `resuming`: the server was asked to go on from here."""

    conversation: str
    seq: int = 0
    id: str = ""
    resuming: bool = False

    def take(self, first: int, last: int, event_id: str) -> Take:
        """Take events `first` to `last` (one, or more for a `hidden`); `event_id` is that of `last`."""
        if last <= self.seq:
            return Take.KNOWN
        if first > self.seq + 1:
            missing = Take.WAITING if self.resuming else Take.GAP
            self.resuming = True
            return missing
        self.seq, self.id = last, event_id
        return Take.NEW

    def resync(self, first: int) -> None:
        """Everything from `first` on is void and follows anew."""
        if first <= self.seq:
            self.seq, self.id = first - 1, ""

    def caught_up(self, seq: int) -> bool:
        """Return whether that is so; if not, something was missed and is to be resumed."""
        self.resuming = False
        return seq <= self.seq

    def frame(self) -> dict[str, Any]:
        return {"conversation": self.conversation, "seq": self.seq, "id": self.id}
