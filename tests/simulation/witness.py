"""Who looks over Redis's shoulder: was each script that ran allowed to do what it said it did?

Invariant: judges by the cell's record as it stood before the script, never by the script; so a script that forgot one
of its own checks is found out the first time that check was needed.
"""

from collections.abc import Callable
from typing import Any

from loadtests.checker.history import Violation

Stored = Callable[[str], int]
"""Returns the commit_no that SQL has of a cell."""


class Witness:
    """`found`: what should not have happened."""

    def __init__(self, stored: Stored) -> None:
        self.found: list[Violation] = []
        self._stored = stored

    def saw(self, script: str, args: list[bytes], before: dict[str, str], reply: Any) -> None:
        """Judge one script that ran: its keys and arguments, the cell's record before it, its reply."""
        cell = args[0].decode().partition("}")[0].lstrip("{")
        words = [arg.decode(errors="replace") for arg in args[:9]]
        if script == "commit" and reply == b"ok":
            self._committed(cell, words[1:8], before)
        elif script == "trim" and reply == 1:
            self._trimmed(cell, int(words[3]))

    def _committed(self, cell: str, fence: list[str], before: dict[str, str]) -> None:
        names = ("owner", "status", "epoch", "cursor", "", "commit_no", "")
        for name, expected in zip(names, fence, strict=True):
            if name and before.get(name, "") != expected:
                why = f"a commit that expects {name} {expected} was taken at {before.get(name, '')}"
                self.found.append(Violation("effect-after-fence", cell, why))

    def _trimmed(self, cell: str, upto: int) -> None:
        stored = self._stored(cell)
        if upto > stored:
            why = f"commits up to {upto} were trimmed, SQL has {stored}"
            self.found.append(Violation("trimmed-ahead", cell, why))
