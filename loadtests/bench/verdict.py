"""Whether a run kept the promises: what each reader got, against what was sent.

Invariant: messages are numbered 1, 2 … by their sender; a reader's story is right only if it is exactly those, once
each, in order.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """`sent` messages counted once per reader that had to get them."""

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


class Reader:
    """One reader of one sender's messages."""

    __slots__ = ("_ahead", "duplicated", "next", "out_of_order")

    def __init__(self) -> None:
        self.next = 1  # everything below it was read
        self._ahead: set[int] = set()  # read before their turn
        self.duplicated = self.out_of_order = 0

    def take(self, number: int) -> None:
        """Read message `number`."""
        if number < self.next or number in self._ahead:
            self.duplicated += 1
        elif number > self.next:
            self._ahead.add(number)
        else:
            self.next += 1
            self.out_of_order += bool(self._ahead)  # it came after one that it should precede
            while self.next in self._ahead:
                self._ahead.remove(self.next)
                self.next += 1

    @property
    def read(self) -> int:
        """How many different messages were read."""
        return self.next - 1 + len(self._ahead)

    def verdict(self, sent: int, refused: int = 0) -> Verdict:
        """Judge the whole story, of which `sent` messages had to be read."""
        return Verdict(sent, sent - self.read, self.duplicated, self.out_of_order, refused)
