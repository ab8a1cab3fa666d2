"""A terminal where one types while others speak.

Invariant: what is being typed is never torn apart by what arrives. Without a terminal (a pipe) it reads plain lines.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable

import click

TYPING_AGAIN_S = 3.0  # SPEC 9.2


class Console:
    """`typing` is called when the user begins to type, every 3 s while it lasts, and when the line is empty again."""

    def __init__(self, prompt: str, typing: Callable[[bool], None]) -> None:
        self._prompt = prompt
        self._typing = typing
        self._told_typing_at = float("-inf")
        self._last = ""

    def say(self, text: str, colour: str | None = None, *, dim: bool = False, once: bool = False) -> None:
        """Print one line above what is being typed; `once`: unless it is the last line already."""
        if not (once and text == self._last):
            click.echo(click.style(text, fg=colour, dim=dim))
        self._last = text

    async def lines(self) -> AsyncIterator[str]:
        """Yield each line the user enters, until Ctrl-C, Ctrl-D or the end of the pipe."""
        typed = self._typed() if sys.stdin.isatty() else self._piped()
        async for line in typed:
            yield line.strip()

    async def _typed(self) -> AsyncIterator[str]:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.patch_stdout import patch_stdout

        session: PromptSession[str] = PromptSession(self._prompt)
        session.default_buffer.on_text_changed += lambda buffer: self._notice(buffer.text)
        while True:
            try:
                with patch_stdout(raw=True):
                    yield await session.prompt_async()
            except (EOFError, KeyboardInterrupt):
                return

    async def _piped(self) -> AsyncIterator[str]:
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            yield line.decode()

    def _notice(self, text: str) -> None:
        now_s = asyncio.get_running_loop().time()
        if text and not text.startswith("/"):
            if now_s >= self._told_typing_at + TYPING_AGAIN_S:
                self._told_typing_at = now_s
                self._typing(True)
        elif self._told_typing_at > float("-inf"):
            self._told_typing_at = float("-inf")
            self._typing(False)
