"""Processes as the kernel knows them.

Invariant: read from /proc; whether one has ended is waited for, never guessed.
"""

import asyncio
import os
import select
from pathlib import Path

ENDED_WITHIN_S = 120.0


def descendants(pid: int) -> dict[int, str]:
    """Return the command line of every process below `pid`, by process id."""
    parents = {child: parent for child in _all() if (parent := _parent(child)) is not None}
    below, found = {pid}, True
    while found:
        found = {child for child, parent in parents.items() if parent in below} - below
        below |= found
    return {each: _command(each) for each in below - {pid}}


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


async def all_ended(pids: list[int]) -> None:
    """Wait until none of these processes lives."""
    for pid in pids:
        assert await asyncio.to_thread(_ended, pid), f"process {pid} lives: {_command(pid)}"


def _ended(pid: int) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], ENDED_WITHIN_S)[0])
    finally:
        os.close(handle)
