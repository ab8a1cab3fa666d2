"""A process that holds idle phones: `python -m loadtests.growth.idlers URL FIRST COUNT`, until its input ends.

Invariant: one line of JSON says how many were admitted, another at the end how many were still there. A process of its
own, since each end of a socket is a file, and no process may have more than the machine allows.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from loadtests.bench.account import APP, TAG
from loadtests.growth.files import raise_limit
from loadtests.lean.line import LineEnded
from loadtests.lean.people import Phone

AT_ONCE = 50  # who come in at the same time
STARTED_WITHIN_S = 300.0


class NotHeld(Exception):
    """Phones were refused, or hung up on."""


@asynccontextmanager
async def held(url: str, first: int, count: int) -> AsyncIterator[None]:
    """Hold `count` idle phones, whose devices are numbered from `first` on, at a gateway. Raises NotHeld."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.growth.idlers", url, str(first), str(count), stdin=PIPE, stdout=PIPE
    )
    try:
        async with asyncio.timeout(STARTED_WITHIN_S):
            _check("came in", await _said(child), count)
        yield
        assert child.stdin is not None
        child.stdin.close()
        _check("stayed", await _said(child), count)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _said(child: Process) -> dict[str, int]:
    assert child.stdout is not None
    line = await child.stdout.readline()
    found: dict[str, int] = json.loads(line) if line else {"there": 0}
    return found


def _check(what: str, said: dict[str, int], count: int) -> None:
    if said["there"] != count:
        raise NotHeld(f"of {count} phones {said['there']} {what}: {said}")


async def _hold(url: str, first: int, count: int) -> None:
    phones = [Phone(APP, TAG, f"growth-idle-key-{number:08d}") for number in range(first, first + count)]
    some = asyncio.Semaphore(AT_ONCE)

    async def come(phone: Phone) -> None:
        async with some:
            try:
                await phone.begin(url)
            except (LineEnded, TimeoutError, OSError) as error:
                phone.troubles.append(f"{type(error).__name__}: {error}")

    await asyncio.gather(*map(come, phones))
    _tell(phones)
    await asyncio.to_thread(sys.stdin.read)
    _tell(phones)


def _tell(phones: list[Phone]) -> None:
    why = [trouble for phone in phones for trouble in phone.troubles]
    print(json.dumps({"there": sum(phone.is_there for phone in phones), "first troubles": why[:3]}), flush=True)


if __name__ == "__main__":
    raise_limit()
    uvloop.run(_hold(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
