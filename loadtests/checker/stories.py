"""What a reader of numbered messages was told, against what was sent: the verdict on loads too fast for a journal.

Invariant: messages are numbered 1, 2 … by their sender; a story is right only if it is exactly those, once each, in
order, and its events had no gap.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class Reader:
    """One reader of one sender's messages."""

    __slots__ = ("ahead", "duplicated", "next", "out_of_order")

    def __init__(self) -> None:
        self.next = 1  # everything below it was read
        self.ahead: set[int] = set()  # read before their turn
        self.duplicated = self.out_of_order = 0

    def take(self, number: int) -> None:
        """Read message `number`."""
        if number == self.next and not self.ahead:
            self.next = number + 1
        elif number < self.next or number in self.ahead:
            self.duplicated += 1
        elif number > self.next:
            self.ahead.add(number)
        else:
            self.next += 1
            self.out_of_order += 1  # it came after one that it should precede
            while self.next in self.ahead:
                self.ahead.remove(self.next)
                self.next += 1

    @property
    def read(self) -> int:
        """How many different messages were read."""
        return self.next - 1 + len(self.ahead)

    def verdict(self, sent: int, refused: int = 0) -> "Verdict":
        """Judge the whole story, of which `sent` messages had to be read."""
        return Verdict(sent, sent - self.read, self.duplicated, self.out_of_order, refused)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What many readers' stories come to. `sent`: messages, once per reader that had to get them."""

    sent: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    refused: int = 0

    @property
    def holds(self) -> bool:
        """Whether no promise was broken, and nothing was refused that a client may expect to be taken."""
        return not (self.lost or self.duplicated or self.out_of_order or self.refused)

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            self.sent + other.sent,
            self.lost + other.lost,
            self.duplicated + other.duplicated,
            self.out_of_order + other.out_of_order,
            self.refused + other.refused,
        )

    def __str__(self) -> str:
        wrong = f"{self.lost} lost, {self.duplicated} duplicated, {self.out_of_order} out of order"
        return f"{self.sent:,} to be read: {wrong}, {self.refused} refused: {'holds' if self.holds else 'BROKEN'}"


@dataclass(frozen=True, slots=True)
class Story:
    """One sender's messages as one reader has them: `due` had to be read; `gaps` of the log before the reader."""

    reader: str
    conversation: str
    due: int
    read: int
    duplicated: int = 0
    out_of_order: int = 0
    gaps: int = 0

    @property
    def lost(self) -> int:
        """How many are missing; more than were due were invented, and count as duplicated."""
        return max(0, self.due - self.read)

    @property
    def is_right(self) -> bool:
        return self.read == self.due and not (self.duplicated or self.out_of_order or self.gaps)

    def __str__(self) -> str:
        what = f"{self.lost} lost, {self.duplicated} duplicated, {self.out_of_order} out of order, {self.gaps} gaps"
        return f"{self.conversation}, as {self.reader} has it: of {self.due} messages {self.read} read; {what}"


def wrong(stories: Iterable[Story]) -> list[Story]:
    """Return the stories that are not right."""
    return [story for story in stories if not story.is_right]
