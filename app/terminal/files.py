"""Files in a terminal: sent from the disk, and saved to it.

Invariant: nothing on the disk is ever overwritten, and a name that came over the network is only a name.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import samtale

from app.terminal.console import Console

Sends = Callable[[Path, str], Awaitable[samtale.Asked]]
Fetches = Callable[[str, str], Awaitable[bytes]]


class Files:
    """`asks` is told of each message that was made."""

    def __init__(self, fetches: Fetches, console: Console, asks: Callable[[samtale.Asked, str], None]) -> None:
        self._fetches, self._console, self._asks = fetches, console, asks
        self._newest: samtale.LogEvent | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def saw(self, event: samtale.LogEvent) -> None:
        """Remember the newest message that has files; say how they are saved."""
        if isinstance(event.body, samtale.Message) and isinstance(event.body.content, samtale.Files):
            self._newest = event
            self._console.say("       /save DIRECTORY", dim=True)

    def send(self, sends: Sends, path: str, caption: str) -> None:
        """Upload a file and say it."""
        self._begin(self._send(sends, Path(path).expanduser(), caption))

    def save(self, directory: str) -> None:
        """Save what the newest message with files holds."""
        event = self._newest
        if event is None or not isinstance(event.body, samtale.Message):
            self._console.say("nobody sent a file", "red")
        elif isinstance(event.body.content, samtale.Files):
            where = Path(directory or ".").expanduser()
            for file in event.body.content.files:
                self._begin(self._save(event.conversation, file, where))

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send(self, sends: Sends, path: Path, caption: str) -> None:
        try:
            self._asks(await sends(path, caption), path.name)
        except samtale.RefusedError as error:
            self._console.say(f"       not sent, {path.name}: {error.refused.text}", "red")
        except (samtale.LineLost, OSError) as error:
            self._console.say(f"       not sent, {path.name}: {_why(error)}", "red")

    async def _save(self, conversation: str, file: samtale.File, where: Path) -> None:
        try:
            content = await self._fetches(conversation, file.id)
            path = await asyncio.to_thread(_write, where, Path(file.name).name, content)
        except (samtale.RefusedError, samtale.LineLost, OSError) as error:
            self._console.say(f"       not saved, {file.name}: {_why(error)}", "red")
        else:
            self._console.say(f"       saved {path}", dim=True)


def _why(error: Exception) -> str:
    """Return what an error says to somebody who wrote no program."""
    return getattr(error, "strerror", None) or str(error)


def path_in(rest: str) -> tuple[str, str]:
    """Return the path that an order begins with, quoted if it has blanks, and the caption behind it."""
    quote = rest[0] if rest[0] in "\"'" and rest[0] in rest[1:] else ""
    if quote:
        path, _, caption = rest[1:].partition(quote)
        return path, caption.strip()
    path, _, caption = rest.partition(" ")
    return path, caption.strip()


def _write(where: Path, name: str, content: bytes) -> Path:
    """Write under `name`, or under the first `name (2)`, `name (3)` … that is free; return where."""
    path, number = where / name, 1
    while True:
        try:
            with path.open("xb") as file:
                file.write(content)
            return path
        except FileExistsError:
            number += 1
            path = where / f"{Path(name).stem} ({number}){Path(name).suffix}"
