"""A backup as it lies in a folder: what a snapshot of SQL left there, what people sent, and a note of what it is.

Invariant: the note is written last, when all else is on the disk, and tells the sums of it; a folder without it is no
backup.
"""

import os
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from app import backup_files
from app.settings import Settings
from app.trouble import Trouble

Kind = Literal["sqlite", "postgresql"]
_NOTE = "backup.json"


class Note(msgspec.Struct, frozen=True):
    """What a backup is. `sql`: which database it goes back into; `sums`: SHA-256 of what SQL left, by name.

    `files`: that of the list of what people sent; None: it lies elsewhere, in a bucket.
    """

    version: str
    made_at_ms: int
    cells: int
    sql: Kind
    sums: dict[str, str]
    files: str | UnsetType | None = UNSET


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
    for place in (folder, folder.absolute().parent):
        backup_files.folder_to_disk(place)


def read(folder: Path) -> Note:
    """Return the note of a backup that is whole. Raises Trouble."""
    try:
        note = msgspec.json.decode((folder / _NOTE).read_bytes(), type=Note)
    except FileNotFoundError:
        raise Trouble(f"{folder} is no backup, or one that was not finished: it has no {_NOTE}") from None
    except (msgspec.MsgspecError, OSError) as error:
        raise Trouble(f"{folder / _NOTE} cannot be read: {error}") from None
    for name, known in note.sums.items():
        if not (folder / name).is_file() or backup_files.sum_of(folder / name) != known:
            raise backup_files.changed(folder / name)
    if note.files is UNSET:
        raise Trouble(f"{folder} is of a version that kept no sums of what people sent: it cannot be known to be whole")
    if note.files is not None:
        backup_files.check(folder, note.files)
    return note
