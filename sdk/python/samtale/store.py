"""Where a client keeps what must outlive it: its device key, its secrets and what it has not delivered.

Invariant: `load` returns what the last `keep` gave, whole, or None; never half of it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgpack  # type: ignore[import-untyped] # it ships no types

State = dict[str, Any]


class Store(Protocol):
    """What a client needs of a store. `keep` is called often, at most once per turn of the event loop."""

    def load(self) -> State | None:
        """Return what was kept, or None."""

    def keep(self, state: Callable[[], State]) -> None:
        """Keep what `state()` returns."""


class MemoryStore:
    """Lives as long as the process: what a visitor gets who declines storage. Asks for the state only when read."""

    def __init__(self) -> None:
        self._state: Callable[[], State] | None = None

    def load(self) -> State | None:
        return self._state() if self._state else None

    def keep(self, state: Callable[[], State]) -> None:
        self._state = state


class FileStore:
    """One file, readable by its owner only, replaced whole."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def load(self) -> State | None:
        try:
            state: State = msgpack.unpackb(self._path.read_bytes())
        except FileNotFoundError:
            return None
        return state

    def keep(self, state: Callable[[], State]) -> None:
        fresh = self._path.with_name(f"{self._path.name}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgpack.packb(state()))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
