"""The list of erasures outside SQL: what a restored backup is told, so that nobody comes back with it.

Invariant: an erasure's line is on the disk before the first word is erased; lines hold ids and times, nothing of the
person, and are only ever added.
"""

import fcntl
import os
from pathlib import Path

import msgspec

from protocol.ids import AccountId, CellName, ContactId, ErasureId, VisitorId


class Erased(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom an erasure concerned: the contact with all that were merged into it, and everybody known as one of them.

    `visitors`: under the names too that they had before they logged in, as a backup that is older has them.
    """

    id: ErasureId
    account: AccountId
    cell: CellName
    asked_at_ms: int
    contacts: list[ContactId]
    visitors: list[VisitorId]


class UnreadableList(Exception):
    """A file is no list of erasures; says which line."""


class ErasedList:
    """The list in the file at `path`, which several workers may share."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, erased: Erased) -> None:
        """Add a line, unless there is this very one. Raises OSError."""
        line = msgspec.json.encode(erased) + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            whole, newline, _ = file.read().rpartition(b"\n")
            if line in (whole + newline).splitlines(keepends=True):
                return
            file.seek(len(whole + newline))
            file.truncate()  # a writer who died in mid-line will be back with all of it
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def all(self) -> list[Erased]:
        """Return every line. A last one that was cut off is none. Raises OSError, UnreadableList."""
        whole, _, _ = self.path.read_bytes().rpartition(b"\n")
        found = []
        for number, line in enumerate(whole.split(b"\n"), 1):
            try:
                found += [msgspec.json.decode(line, type=Erased)] if line else []
            except (msgspec.MsgspecError, UnicodeDecodeError):
                raise UnreadableList(f"line {number} of {self.path} is no erasure") from None
        return found
