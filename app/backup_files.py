"""What people sent, as a backup has it: each file as it lay, and a list of their sums that `sha256sum -c` reads too.

Invariant: the list names what was copied whole, and nothing outside; what is put back is on it, and is what it was.
Whatever was written is on the disk when it is said to be written.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from app.trouble import Trouble

_FILES, _LIST = "files", "files.sha256"
_CHUNK_BYTES = 1_048_576


def keep(source: Path, folder: Path) -> tuple[int, str]:
    """Copy every file below `source` into a backup; return how many, and the sum of the list of them.

    One that goes meanwhile is of a message that went.
    """
    target, lines = folder / _FILES, []
    target.mkdir(mode=0o700)
    for found in sorted(path for path in source.rglob("*") if path.is_file()):
        name = found.relative_to(source)
        with suppress(FileNotFoundError):
            lines.append(f"{_copy(found, target, name)}  {name.as_posix()}\n")
    _folders_to_disk(target)
    (folder / _LIST).touch(mode=0o600)
    with (folder / _LIST).open("w", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    return len(lines), sum_of(folder / _LIST)


def check(folder: Path, sum_of_list: str) -> None:
    """Raise Trouble unless all that the backup left there is there as it was."""
    _same([(folder / _LIST, sum_of_list)])
    _same((folder / _FILES / name, known) for name, known in _listed(folder))


def give(folder: Path, target: Path) -> None:
    """Copy what the list names to where files lie. Raises Trouble."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, known in _listed(folder):
        if _copy(folder / _FILES / name, target, name) != known:
            raise changed(folder / _FILES / name)
    _folders_to_disk(target)


def sum_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def changed(file: Path) -> Trouble:
    """Return what to say of a file that is not what it was."""
    return Trouble(f"{file} is not what the backup left there: it is missing, or was changed")


def folder_to_disk(folder: Path) -> None:
    """See to it that the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _same(files: Iterable[tuple[Path, str]]) -> None:
    for file, known in files:
        if not file.is_file() or sum_of(file) != known:
            raise changed(file)


def _listed(folder: Path) -> Iterable[tuple[Path, str]]:
    with (folder / _LIST).open(encoding="utf-8") as lines:
        for line in lines:
            known, _, name = line.removesuffix("\n").partition("  ")
            if not name or ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
                raise Trouble(f"{folder / _LIST} names something else than files of the backup: {name}")
            yield Path(name), known


def _copy(source: Path, target: Path, name: Path) -> str:
    """Copy a file to `name` below `target`, for this user alone, and return its sum."""
    digest = hashlib.sha256()
    with source.open("rb") as read:
        for step in reversed(name.parents[:-1]):
            (target / step).mkdir(exist_ok=True, mode=0o700)
        (target / name).touch(mode=0o600)
        with (target / name).open("wb") as written:
            while part := read.read(_CHUNK_BYTES):
                digest.update(part)
                written.write(part)
            written.flush()
            os.fsync(written.fileno())
    return digest.hexdigest()


def _folders_to_disk(root: Path) -> None:
    for place, _, _ in os.walk(root):
        folder_to_disk(Path(place))
