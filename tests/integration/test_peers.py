"""Every contender of `make peers` carries its messages, each once and in order. No test looks at a time."""

import os
import sys

import pytest

from loadtests.peers.contenders.children import NotStarted, children
from loadtests.peers.contenders.socketio import NoNode, installed
from loadtests.peers.measure import Course, Measured, round_of
from loadtests.peers.talk import Load

COURSE = Course(4, Load("warm-up", 40, in_flight=2), [Load("closed", 200, in_flight=4), Load("open", 80, per_s=1_000)])
ALL = 40 + 200 + 80


async def carried(contender: str) -> str:
    """Return the verdict on `contender` after it carried everything."""
    told: list[Measured] = []
    judged = await round_of(contender, 1, COURSE, told.append)
    assert judged.holds, judged.text
    assert [(each.load, each.messages) for each in told] == [("closed", 200), ("open", 80)]
    assert all(each.cpu_us >= 0 and each.per_s > 0 for each in told)
    return judged.text


async def test_the_minimum_carries_everything() -> None:
    """Read by the agents and acknowledged to the visitors: two readers of every message."""
    assert (await carried("minimum")).startswith(f"{2 * ALL} to be read: 0 lost")


async def test_samtale_carries_everything() -> None:
    """With consent and routing: the agents, the acknowledgements and the senders' own copies, the first word too."""
    assert (await carried("samtale")).startswith(f"{3 * (ALL + COURSE.pairs):,} to be read: 0 lost")


@pytest.mark.xdist_group("peers")  # its libraries are installed once
async def test_socketio_carries_everything() -> None:
    """Two Node processes and the adapter between them."""
    try:
        await installed()
    except NoNode as missing:
        pytest.skip(f"SKIPPED LOUDLY: {missing}")
    assert (await carried("socketio")).startswith(f"{2 * ALL} to be read: 0 lost")


async def test_a_process_that_ends_at_once_is_told() -> None:
    """A peer that cannot start is an error with its name, and leaves nothing running."""
    async with children() as found:
        with pytest.raises(NotStarted, match="crooked ended at once"):
            await found.start("crooked", [sys.executable, "-c", "raise SystemExit(3)"])


async def test_nothing_of_a_peer_outlives_its_turn() -> None:
    """Its processes have ended when it is left, even one that takes no hint."""
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    )
    async with children() as found:
        await found.start("stubborn", [sys.executable, "-c", stubborn])
        pids = [found.processes["stubborn"].pid, found.valkey.pid]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
