"""The data directory: made private, and locked by whoever supervises it.

Invariant: two supervisors never share one; the lock is the kernel's and dies with its holder, however it dies.
"""

import fcntl
import os
from pathlib import Path
from typing import IO


class DirectoryInUse(Exception):
    """Another supervisor runs in this data directory."""


def open_directory(path: Path) -> Path:
    """Create `path` for this user alone, if it is not there, and return it resolved."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path.resolve()


def lock(path: Path) -> IO[str]:
    """Lock the directory until the returned file is closed; raises DirectoryInUse with the holder's process id."""
    file = (path / "supervisor.lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise DirectoryInUse(
            f"{path} is in use by process {holder}: stop that one, or choose another directory"
        ) from None
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file
