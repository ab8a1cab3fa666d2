"""Pictures written anew, each by a process of its own (store.files.redraw).

Invariant: at most two are decoded at a time and a bounded number waits; a process that takes too long is killed, and
whatever it does, ours goes on.
"""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from store.files.sniffing import PICTURES

AT_ONCE = 2
MAX_WAITING = 32
DEADLINE_S = 30.0
_GROWN = 2  # a picture written anew may be larger than it was, but not beyond this
_PROGRAM = Path(__file__).with_name("redraw.py")


class NoPicture(Exception):
    """It cannot be decoded, or is larger than is taken."""


class Busy(Exception):
    """Too many pictures wait."""


@dataclass(frozen=True, slots=True)
class Size:
    """In pixels, upright; and in bytes, as it was written."""

    width: int
    height: int
    bytes: int


class Pictures:
    """The decoding of one process."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def write_anew(self, source: Path, target: Path, type_: str, most_bytes: int) -> Size:
        """Write the picture in `source` to `target` without anything but its pixels. Raises NoPicture or Busy."""
        if self._waiting >= MAX_WAITING:
            raise Busy
        self._waiting += 1
        try:
            async with self._turns:
                return await _run(str(source), str(target), PICTURES[type_], str(_GROWN * most_bytes))
        finally:
            self._waiting -= 1


async def _run(*arguments: str) -> Size:
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(_PROGRAM), *arguments, stdin=null, stdout=pipe, stderr=null, env={}
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            said, _ = await child.communicate()
    except TimeoutError:
        raise NoPicture("it takes too long") from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode != 0:
        raise NoPicture(said.decode(errors="replace").strip()[:100] or f"status {child.returncode}")
    return Size(*map(int, said.split()))
