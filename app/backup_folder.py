"""A backup as it lies in a folder: what a snapshot of SQL left there, what people sent, and a note of what it is.

Invariant: the note is written last, and tells the sums of what SQL left; a folder without it is no backup.
"""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Literal

import msgspec

from app.settings import Settings
from app.trouble import Trouble

Kind = Literal["sqlite", "postgresql"]
_NOTE, _FILES = "backup.json", "files"


class Note(msgspec.Struct, frozen=True):
    """What a backup is. `sql`: which database it goes back into; `sums`: SHA-256 by name."""

    version: str
    made_at_ms: int
    cells: int
    sql: Kind
    sums: dict[str, str]
    has_files: bool  # else they lie elsewhere, in a bucket


def kind_of(settings: Settings) -> Kind:
    """Return which database an installation keeps its record in."""
    return "sqlite" if settings.database_url is None else "postgresql"


def begin(folder: Path) -> None:
    """Make the folder, for this user alone; it may be there if nothing is in it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        raise Trouble(f"{folder} is not empty: a backup wants a folder of its own")


def finish(folder: Path, note: Note) -> None:
    """Write the note."""
    draft = folder / f"{_NOTE}.new"
    with draft.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(note)))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _NOTE)


def read(folder: Path) -> Note:
    """Return the note of a backup that is whole. Raises Trouble."""
    try:
        note = msgspec.json.decode((folder / _NOTE).read_bytes(), type=Note)
    except FileNotFoundError:
        raise Trouble(f"{folder} is no backup, or one that was not finished: it has no {_NOTE}") from None
    except (msgspec.MsgspecError, OSError) as error:
        raise Trouble(f"{folder / _NOTE} cannot be read: {error}") from None
    for name, known in note.sums.items():
        if not (folder / name).is_file() or sum_of(folder / name) != known:
            raise Trouble(f"{folder / name} is not what the backup left there: it is missing, or was changed")
    return note


def sum_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def keep_files(source: Path, folder: Path) -> int:
    """Copy what people sent into the backup; return how many files that are."""
    return _copied(source, folder / _FILES)


def give_files(folder: Path, target: Path) -> int:
    """Copy what people sent from the backup to where files lie; return how many files that are."""
    return _copied(folder / _FILES, target)


def _copied(source: Path, target: Path) -> int:
    """Copy every file; one that goes meanwhile is of a message that went. No other user may look in."""
    count = 0
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for found in sorted(source.rglob("*")):
        place = target / found.relative_to(source)
        if found.is_dir():
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            continue
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            shutil.copyfile(found, place)
        except FileNotFoundError:
            place.unlink(missing_ok=True)
            continue
        count += 1
    return count
