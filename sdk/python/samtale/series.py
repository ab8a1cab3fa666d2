"""One numbering of what was asked: what goes on the line now, and which number it has (SPEC 5).

Invariant: items keep their order, and of one item a line carries one copy at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]

MAX_UNRESOLVED = 16  # half for what is under way, the other half for what a server that lost data may need again


@dataclass(slots=True)
class Item:
    """One thing the user did. `fields` is its frame without number and id; `line_n` its number on the line, or 0.

    `tried`: it was on a line, so it may have been taken. `counted`: it took its share of the pace.
    """

    id: str
    n: int
    fields: Frame
    line_n: int = 0
    again: bool = False  # was acknowledged before the epoch rose
    tried: bool = False
    counted: bool = False

    def frame(self) -> Frame:
        return {**self.fields, "n": self.n, "id": self.id}


@dataclass(slots=True)
class Series:
    """One numbering: of a conversation, or of an agent's device."""

    name: str
    next_n: int = 1
    top_n: int = 0  # the highest n that may have been taken
    items: list[Item] = field(default_factory=list)
    kept: list[Item] = field(default_factory=list)
    held: bool = False
    leads_to: str = ""  # the conversation it goes on as, once all that may have been taken here has its outcome
    probe: str = ""  # the id of the item that goes alone, to find out whether the numbers are right

    def renumber(self, start: int, expected: int) -> None:
        """Number the items from index `start` on as `expected`, `expected` + 1 …"""
        for n, item in enumerate(self.items[start:], start=expected):
            item.n = n
        self.next_n = expected + len(self.items) - start

    def not_taken(self, item: Item, expected: int) -> None:
        """The server refused `item` without using up a number, and wants `expected` first.

        If that is its own number, or that of an item before it, it only has to wait: numbers that are too high are
        refused in order, while one that is too low lets a later item in before it.
        """
        at = self.items.index(item)
        is_right = item.line_n == expected or (at > 0 and self.items[at - 1].n >= expected)
        item.line_n, self.probe = 0, item.id
        if not is_right:
            self.renumber(at, expected)

    def not_counted(self, item: Item) -> None:
        """The server found `item` too early; of those behind it, which come back too, it counts none."""
        for behind in self.items[self.items.index(item) :]:
            behind.counted = False

    def settle(self, item: Item) -> None:
        self.items.remove(item)
        if item.id == self.probe:
            self.probe = ""

    def due(self) -> Iterator[Item]:
        """Yield what may go on the line now, in order.

        Behind an item that was not taken none is: each comes back refused, and until the last has, nothing goes out.
        So a line carries one copy of an item at a time, and a refusal is not out of date.
        """
        waiting: list[Item] = []
        for item in self.items[:MAX_UNRESOLVED]:
            if item.n >= self.items[0].n + MAX_UNRESOLVED:
                break
            waiting.append(item)
            if item.id == self.probe or item.fields["t"] == "answer":
                break  # its number may be wrong yet; the gate opens when the answer is stored, not when it is sent
        first = next((at for at, item in enumerate(waiting) if not item.line_n), len(waiting))
        if not any(item.line_n for item in self.items[first:]):
            yield from waiting[first:]
