"""What a run and the processes that drive it say to each other, over a pipe each way.

Invariant: every message is whole and typed; a process whose pipe ends is gone, and so is whoever it was started by.
"""

import asyncio
import struct
from typing import TypeAlias

import msgspec

from loadtests.load.scenario import Scenario

_SIZE = struct.Struct("!I")


class Word(msgspec.Struct, frozen=True, tag_field="t"):
    """Any message."""


class Ground(msgspec.Struct, frozen=True):
    """One account to drive: where it is, how to come in, and as whom."""

    account: str
    app_key: str
    tag: str
    agents: list[tuple[str, str]] = []  # id and e-mail
    password: str = ""
    redis_url: str = ""  # of an installation of our own: tickets are issued there, without passwords
    cell: str = ""


class Plan(Word, frozen=True, tag="plan"):
    """What one process is to do: its share of the scenario. `scratch`: where its results go."""

    scenario: Scenario
    urls: list[str]
    grounds: list[Ground]
    share: int  # 0, 1 …
    shares: int
    began_s: float  # of the machine's monotonic clock
    seed: int
    scratch: str


class Enter(Word, frozen=True, tag="enter"):
    """Everybody comes in."""


class Do(Word, frozen=True, tag="do"):
    """Begin phase `number` of the scenario at `at_s` of the machine's clock; `per_s`: the rate, if it is a share."""

    number: int
    at_s: float
    per_s: float = 0.0


class Finish(Word, frozen=True, tag="finish"):
    """Let what is under way come to its end, and leave the results."""


class Ready(Word, frozen=True, tag="ready"):
    """Whatever costs only the first time was done; nobody is there."""


class Entered(Word, frozen=True, tag="entered"):
    """Everybody of this share is there."""

    sessions: int


class Second(Word, frozen=True, tag="second"):
    """What happened in the last second."""

    values: dict[str, float]


class Did(Word, frozen=True, tag="did"):
    """A phase is over. Times are of the machine's clock."""

    began_s: float
    ended_s: float
    asked: int  # messages that were due
    sent: int
    delivered: int  # in this phase, until it ended
    cpu_s: float
    late_p99_ms: float = 0.0  # how far the driver was behind its own clock
    facts: dict[str, float] = {}


class Left(Word, frozen=True, tag="left"):
    """The results are in this file."""

    path: str


class Failed(Word, frozen=True, tag="failed"):
    """It cannot go on; the text says why."""

    why: str


ToShare: TypeAlias = Plan | Enter | Do | Finish
ToRun: TypeAlias = Ready | Entered | Second | Did | Left | Failed
TO_SHARE: msgspec.msgpack.Decoder[ToShare] = msgspec.msgpack.Decoder(ToShare)
TO_RUN: msgspec.msgpack.Decoder[ToRun] = msgspec.msgpack.Decoder(ToRun)
_encode = msgspec.msgpack.Encoder().encode


def framed(word: Word) -> bytes:
    """Return a message as it goes over the pipe."""
    packed = _encode(word)
    return _SIZE.pack(len(packed)) + packed


async def received(pipe: asyncio.StreamReader) -> bytes | None:
    """Return the next message, None when the other side is gone."""
    try:
        (size,) = _SIZE.unpack(await pipe.readexactly(_SIZE.size))
        return await pipe.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
