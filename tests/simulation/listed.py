"""The list of erasures, without a disk.

Invariant: as in its file, no line stands there twice.
"""

from store.files.erased import Erased, ErasedList


class InMemory(ErasedList):
    """`lines`: in the order in which they were added."""

    def __init__(self) -> None:
        self.lines: list[Erased] = []

    def add(self, erased: Erased) -> None:
        if erased not in self.lines:
            self.lines.append(erased)
