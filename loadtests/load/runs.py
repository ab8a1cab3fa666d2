"""Runs in files: `run.json` in a folder, written once and read to be shown again or compared.

Invariant: what is read is a whole run of a format we know, or it is refused with what is wrong and where.
"""

import gzip
import zlib
from pathlib import Path

import msgspec

from loadtests.load.results import FORMAT, Run

FILE = "run.json"
_GZIP = b"\x1f\x8b"


class NoRun(Exception):
    """No run can be read here; the text says why."""


class _Format(msgspec.Struct):
    format: int | None = None


def write_run(run: Run, folder: Path) -> Path:
    """Write `run` into `folder`, which is made; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    file.write_bytes(encoded(run))
    return file


def encoded(run: Run) -> bytes:
    """Return `run` as JSON for people too: indented, a line per value."""
    return msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n"


def read_run(path: Path) -> Run:
    """Return the run in the file `path` or in the folder `path`; raises NoRun."""
    file = path / FILE if path.is_dir() else path
    try:
        raw = file.read_bytes()
        raw = gzip.decompress(raw) if raw.startswith(_GZIP) else raw
    except FileNotFoundError:
        raise NoRun(f"{file}: there is no such file") from None
    except (OSError, EOFError, zlib.error) as trouble:
        raise NoRun(f"{file}: {trouble}") from None
    try:
        number = msgspec.json.decode(raw, type=_Format).format
        if number is not None and number != FORMAT:
            raise NoRun(f"{file}: format {number}; this Samtale reads format {FORMAT}")
        return msgspec.json.decode(raw, type=Run)
    except (msgspec.DecodeError, UnicodeDecodeError) as trouble:
        raise NoRun(f"{file}: not a run of samtale load: {trouble}") from None
