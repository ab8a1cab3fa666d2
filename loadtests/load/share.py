"""One process of a driver: `python -m loadtests.load.share`, started by a run, talking to it over its pipes.

Invariant: it does only what it is told and when; it dies with whoever started it.
"""

import asyncio
import contextlib
import gc
import os
import sys
from pathlib import Path
from typing import BinaryIO, Protocol

from app.lifeline import die_with
from loadtests.load import outcome
from loadtests.load.doors import NotFit
from loadtests.load.lean_cast import LeanCast
from loadtests.load.link import (
    TO_SHARE,
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
    Word,
    framed,
    received,
)
from loadtests.load.outcome import Outcome
from loadtests.load.storm import COME_BACK


class Cast(Protocol):
    """Everybody of one share."""

    async def warm_up(self) -> None:
        """Do once what costs only the first time; nobody stays."""

    async def enter(self) -> int:
        """Bring in whoever is there from the beginning; return how many."""

    async def do(self, order: Do) -> Did:
        """Do one phase of the scenario."""

    def counts(self) -> dict[str, float]:
        """Return how much there is so far of what a live view shows."""

    async def finish(self) -> Outcome:
        """Let everything settle, send everybody away, and tell what each has heard."""


class Share:
    """Obeys one run."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._cast: Cast | None = None
        self._plan: Plan | None = None

    async def obey(self, pipe: asyncio.StreamReader) -> None:
        """Do what comes over the pipe until it ends or says to finish."""
        telling = asyncio.create_task(self._tell())
        try:
            while (raw := await received(pipe)) is not None:
                match TO_SHARE.decode(raw):
                    case Plan() as plan:
                        self._plan = plan
                        self._cast = _cast(plan)
                        await self._cast.warm_up()
                        gc.collect()
                        gc.freeze()  # what the driver is made of is not looked at again while it measures
                        self._say(Ready())
                    case Enter():
                        self._say(Entered(await self._casting.enter()))
                    case Do() as order:
                        self._say(await self._casting.do(order))
                    case Finish():
                        self._say(Left(self._leave(await self._casting.finish())))
                        return
        except (NotFit, *COME_BACK) as fault:
            self._say(Failed(str(fault) or type(fault).__name__))
        finally:
            telling.cancel()

    @property
    def _casting(self) -> Cast:
        assert self._cast is not None, "the plan comes first"
        return self._cast

    def _leave(self, found: Outcome) -> str:
        assert self._plan is not None, "the plan comes first"
        path = Path(self._plan.scratch) / f"share-{self._plan.share}.msgpack"
        outcome.write(found, path)
        return str(path)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if self._cast is not None:
                self._say(Second(self._cast.counts()))

    def _say(self, word: Word) -> None:
        self._out.write(framed(word))
        self._out.flush()


def _cast(plan: Plan) -> Cast:
    if plan.scenario.people is None:
        return LeanCast(plan)
    from loadtests.load.people_cast import PeopleCast  # lean drivers do without the SDK's weight

    return PeopleCast(plan)


async def serve() -> None:
    """Obey the run at the other end of standard input and output."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that prints may get between the messages
    loop = asyncio.get_running_loop()
    pipe = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(pipe), sys.stdin)
    await Share(out).obey(pipe)


def main() -> None:
    """Be one process of a driver."""
    die_with(int(sys.argv[1]))
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        if sys.platform == "win32":
            asyncio.run(serve())
        else:
            import uvloop

            uvloop.run(serve())


if __name__ == "__main__":
    main()
