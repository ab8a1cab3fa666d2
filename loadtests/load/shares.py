"""The driver's processes, as the run sees them: started, told what to do together, heard.

Invariant: all shares do the same phase at the same time; when one cannot go on the run ends, and says why.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from loadtests.load import outcome
from loadtests.load.link import (
    TO_RUN,
    Did,
    Do,
    Enter,
    Entered,
    Failed,
    Finish,
    Left,
    Plan,
    Ready,
    Second,
    ToRun,
    Word,
    framed,
    received,
)
from loadtests.load.outcome import Outcome

AHEAD_S = 0.1  # from being told to beginning: long enough to hear it everywhere
W = TypeVar("W", bound=Word)


class DriverFailed(Exception):
    """A process of the driver cannot go on; the text says why."""


class Shares:
    """All processes of the driver. `on_second` hears what each says of its last second."""

    def __init__(self, children: list[asyncio.subprocess.Process], on_second: Callable[[int, Second], None]) -> None:
        self._children = children
        self._answers: list[asyncio.Queue[ToRun]] = [asyncio.Queue(maxsize=1_000) for _ in children]
        self._hearing = [asyncio.create_task(self._hear(at, on_second)) for at in range(len(children))]

    @property
    def pids(self) -> list[int]:
        return [child.pid for child in self._children]

    async def plan(self, plans: list[Plan]) -> None:
        """Hand each its plan, and wait until it has warmed up."""
        for child, plan in zip(self._children, plans, strict=True):
            self._say(child, plan)
        await self._answered(Ready)

    async def enter(self) -> int:
        """Let everybody come in; return how many are there."""
        self._tell(Enter())
        return sum(entered.sessions for entered in await self._answered(Entered))

    async def do(self, number: int, now_s: float, per_s: float = 0.0) -> list[Did]:
        """Let all do a phase; `now_s` is the machine's monotonic clock."""
        self._tell(Do(number, now_s + AHEAD_S, per_s))
        return await self._answered(Did)

    async def finish(self) -> Outcome:
        """Let all settle and leave; return what they found together."""
        self._tell(Finish())
        left = await self._answered(Left)
        found = await asyncio.to_thread(lambda: [outcome.read(Path(each.path)) for each in left])
        return outcome.merged(found)

    async def stop(self) -> None:
        """End every process that has not ended by itself."""
        for child in self._children:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
        await asyncio.gather(*(child.wait() for child in self._children))
        for task in self._hearing:
            task.cancel()
        await asyncio.gather(*self._hearing, return_exceptions=True)

    def _tell(self, word: Word) -> None:
        for child in self._children:
            self._say(child, word)

    def _say(self, child: asyncio.subprocess.Process, word: Word) -> None:
        assert child.stdin is not None, "a pipe"
        child.stdin.write(framed(word))

    async def _answered(self, kind: type[W]) -> list[W]:
        """Wait for one answer of each; raises DriverFailed."""
        return await asyncio.gather(*(self._answer(answers, kind) for answers in self._answers))

    async def _answer(self, answers: asyncio.Queue[ToRun], kind: type[W]) -> W:
        word = await answers.get()
        if isinstance(word, Failed):
            raise DriverFailed(word.why)
        assert isinstance(word, kind), f"{word} in place of {kind}"
        return word

    async def _hear(self, at: int, on_second: Callable[[int, Second], None]) -> None:
        pipe = self._children[at].stdout
        assert pipe is not None, "a pipe"
        while (raw := await received(pipe)) is not None:
            word = TO_RUN.decode(raw)
            if isinstance(word, Second):
                on_second(at, word)
            else:
                await self._answers[at].put(word)
        await self._answers[at].put(Failed(f"process {at + 1} of the driver ended by itself"))


@asynccontextmanager
async def shares(count: int, on_second: Callable[[int, Second], None]) -> AsyncIterator[Shares]:
    """Start `count` processes and end them at the end."""
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "loadtests.load.share", str(os.getpid()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**26,
        )
        for _ in range(count)
    ]  # fmt: skip
    standing = Shares(children, on_second)
    try:
        yield standing
    finally:
        await standing.stop()
