"""A terminal where one types while others speak.

Invariant: what is being typed is never torn apart by what arrives. Without a terminal (a pipe) it reads plain lines.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

TYPING_AGAIN_S = 3.0  # SPEC 9.2
_LINES_AHEAD = 16


class Console:
    """`typing` is called when the user begins to type, every 3 s while it lasts, and when the line is empty again."""

    def __init__(self, prompt: Callable[[], str], typing: Callable[[bool], None]) -> None:
        self._prompt = prompt
        self._typing = typing
        self._told_typing_at = float("-inf")
        self._passing = ""
        self._gone: asyncio.TimerHandle | None = None
        self._session: PromptSession[str] | None = None

    def say(self, text: str, colour: str | None = None, *, dim: bool = False) -> None:
        """Print one line above what is being typed."""
        click.echo(click.style(text, fg=colour, dim=dim))

    def show_passing(self, text: str, for_s: float | None = None) -> None:
        """Show what is only true now: below the line being typed, for that long or until the next; "" shows nothing."""
        if self._session is None and text and text != self._passing:
            self.say(text, dim=True)
        self._passing = text
        if self._gone is not None:
            self._gone.cancel()
        self._gone = asyncio.get_running_loop().call_later(for_s, self.show_passing, "") if for_s else None
        if self._session is not None:
            self._session.app.invalidate()

    async def lines(self) -> AsyncIterator[str]:
        """Yield each line the user enters, until Ctrl-C, Ctrl-D or the end of the pipe."""
        typed = self._typed() if sys.stdin.isatty() else self._piped()
        async for line in typed:
            yield line.strip()

    async def _typed(self) -> AsyncIterator[str]:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.patch_stdout import patch_stdout
        from prompt_toolkit.styles import Style

        options: dict[str, Any] = {
            "erase_when_done": True,  # it comes back as an entry of the log, when it is one
            "bottom_toolbar": lambda: self._passing,
            "style": Style.from_dict({"bottom-toolbar": "noreverse ansibrightblack"}),
        }
        self._session = PromptSession(self._prompt, **options)
        self._session.default_buffer.on_text_changed += lambda buffer: self._notice(buffer.text)
        with patch_stdout(raw=True):
            while True:
                try:
                    line = await self._session.prompt_async()
                except (EOFError, KeyboardInterrupt):
                    return
                self._notice("")
                yield line

    async def _piped(self) -> AsyncIterator[str]:
        # In a thread: an event loop can wait for a pipe, but not for a file or /dev/null.
        lines: asyncio.Queue[bytes] = asyncio.Queue()
        room = threading.Semaphore(_LINES_AHEAD)
        loop = asyncio.get_running_loop()

        def put(line: bytes) -> None:
            loop.call_soon_threadsafe(lines.put_nowait, line)

        threading.Thread(target=_read_lines, args=(put, room), daemon=True).start()
        while line := await lines.get():
            room.release()
            yield line.decode(errors="replace")

    def _notice(self, text: str) -> None:
        now_s = asyncio.get_running_loop().time()
        if text and not text.startswith("/"):
            if now_s >= self._told_typing_at + TYPING_AGAIN_S:
                self._told_typing_at = now_s
                self._typing(True)
        elif self._told_typing_at > float("-inf"):
            self._told_typing_at = float("-inf")
            self._typing(False)


def _read_lines(put: Callable[[bytes], object], room: threading.Semaphore) -> None:
    """Put each line of standard input, with its end, and b"" at the end of all; `room` is taken for each."""
    begun = b""
    with suppress(RuntimeError):  # the loop is closed: nobody listens any more
        while more := os.read(0, 65_536):
            *whole, begun = (begun + more).split(b"\n")
            for line in whole:
                room.acquire()
                put(line + b"\n")
        if begun:
            put(begun)
        put(b"")
