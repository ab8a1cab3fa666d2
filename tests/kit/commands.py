"""The `samtale` command as people run it: to its end, or typed at through a pipe or a terminal.

Invariant: real processes, which end with the test; whatever is waited for is a line they print, with a deadline.
"""

import asyncio
import os
import pty
import re
import sys
import termios
from dataclasses import dataclass
from typing import Any, Self

ENDS_WITHIN_S = 180.0
SAYS_WITHIN_S = 120.0
_WHERE_IS_THE_CURSOR, _HERE = b"\x1b[6n", b"\x1b[1;1R"  # what a program asks, and a terminal answers
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[=>]|\][^\x07]*\x07)")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


async def run_samtale(*arguments: str, environment: dict[str, str], typed: str = "") -> Ended:
    """Run `samtale` with these arguments to its end."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", *arguments, env=environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            out, err = await child.communicate(typed.encode())
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode is not None
    return Ended(child.returncode, out.decode(), err.decode())


async def run_samtale_for_one_line(*arguments: str, environment: dict[str, str]) -> str:
    """Run `samtale`, read the beginning of what it prints and no more; return what it says of that."""
    ours, its = os.pipe()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", *arguments, env=environment, stdout=its, stderr=asyncio.subprocess.PIPE
    )
    os.close(its)
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            await asyncio.to_thread(os.read, ours, 1)
            os.close(ours)
            _, err = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return err.decode()


class Terminal:
    """`samtale` with somebody at it: through pipes, or in a real terminal (`in_pty`)."""

    def __init__(self, *arguments: str, environment: dict[str, str], in_pty: bool = False) -> None:
        self._arguments, self._environment, self._in_pty = arguments, environment, in_pty
        self._screen = ""
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        ends = pty.openpty() if self._in_pty else None
        if ends is not None:
            termios.tcsetwinsize(ends[1], (40, 120))
        own_end: Any = ends[1] if ends is not None else asyncio.subprocess.PIPE
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app.cli", *self._arguments, env=self._environment | {"TERM": "xterm"},
            stdin=own_end, stdout=own_end, stderr=own_end if ends is not None else asyncio.subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self._master = None
        if ends is not None:
            os.close(ends[1])
            self._master = ends[0]
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._child.returncode is None:
            self._child.kill()
        await self._child.wait()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        if self._master is not None:
            os.close(self._master)

    def type(self, text: str, *, enter: bool = True) -> None:
        """Type, and press Enter."""
        if self._master is not None:
            os.write(self._master, text.encode() + (b"\r" if enter else b""))
        else:
            assert self._child.stdin is not None
            self._child.stdin.write(text.encode() + b"\n")

    async def shows(self, text: str) -> str:
        """Wait until `text` is shown after what was last waited for; return everything up to its end."""
        return await self.shows_like(re.escape(text))

    async def shows_like(self, pattern: str) -> str:
        """The same, of what fits a regular expression."""
        try:
            async with asyncio.timeout(SAYS_WITHIN_S):
                while (found := re.search(pattern, self._screen)) is None:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(
                f"“{pattern}” was not shown within {SAYS_WITHIN_S:g} s; but:\n{self._screen}"
            ) from None
        shown, self._screen = self._screen[: found.end()], self._screen[found.end() :]
        return shown

    async def ended(self) -> int:
        """Wait until it has ended; return its exit status."""
        async with asyncio.timeout(ENDS_WITHIN_S):
            return await self._child.wait()

    async def _read(self) -> None:
        if self._master is None:
            assert self._child.stdout is not None
            while more := await self._child.stdout.read(65_536):
                self._take(more)
            return
        loop, closed = asyncio.get_running_loop(), asyncio.Event()
        os.set_blocking(self._master, False)
        loop.add_reader(self._master, self._read_some, self._master, closed)
        try:
            await closed.wait()
        finally:
            loop.remove_reader(self._master)

    def _read_some(self, master: int, closed: asyncio.Event) -> None:
        try:
            more = os.read(master, 65_536)
            os.write(master, _HERE * more.count(_WHERE_IS_THE_CURSOR))
            self._take(more)
        except BlockingIOError:
            pass  # told twice of the same
        except OSError:
            closed.set()  # the other end is

    def _take(self, more: bytes) -> None:
        self._screen += _ESCAPES.sub("", more.decode(errors="replace"))
        self._changed.set()
