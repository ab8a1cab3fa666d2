"""The two ends of a pair: a phone that sends, and an agent's desk that reads along.

Invariant: both speak SPEC and nothing else; each remembers enough to judge afterwards what it heard.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter

from loadtests.bench import frames
from loadtests.bench.account import APP, TAG
from loadtests.bench.generous import PLENTY
from loadtests.bench.verdict import Reader, Verdict
from loadtests.lean.line import Line, LineEnded, connect

READY_S = 30.0


class Party:
    """Whoever holds a line: what both ends have in common."""

    path: str

    def __init__(self) -> None:
        self.conversation = ""
        self.seq = 0  # the newest event seen
        self.refusals: list[str] = []
        self.reader = Reader()
        self._line: Line | None = None
        self._caught_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._leaving = False

    async def enter(self, url: str, hello: bytes) -> None:
        """Connect and say `hello`."""
        self._line = await connect(url, self.path, self._hear, self._ended)
        self._line.send(hello)

    async def caught_up(self) -> None:
        """Wait until everything so far was read and what follows is live; raises LineEnded or TimeoutError."""
        async with asyncio.timeout(READY_S):
            await self._caught_up

    def say(self, frame: bytes) -> None:
        """Send a frame."""
        if self._line is not None:
            self._line.send(frame)

    def acknowledge(self) -> None:
        """Say how far this end has read, as clients do once a second."""
        if self.seq:
            self.say(frames.receipt(self.conversation, self.seq))

    def leave(self) -> None:
        """Hang up."""
        self._leaving = True
        if self._line is not None:
            self._line.end()

    def heard(self, frame: frames.Heard) -> None:
        """Take a frame that is neither a refusal nor about catching up."""
        raise NotImplementedError

    def _hear(self, message: bytes) -> None:
        frame = frames.DECODER.decode(message)
        if frame.t == "refused":
            self.refusals.append(frame.code)
        elif frame.t == "caught_up":
            if not self._caught_up.done():
                self._caught_up.set_result(None)
        else:
            self.heard(frame)

    def _ended(self, why: str) -> None:
        if not self._leaving:
            self.refusals.append(why)
        if not self._caught_up.done():
            self._caught_up.set_exception(LineEnded(why))
            self._caught_up.exception()


class Phone(Party):
    """A visitor. `sent_s` and `acked_s` hold a time for each message, from the first on."""

    path = "/v1/mobile"

    def __init__(self) -> None:
        super().__init__()
        self.sent_s: list[float] = []
        self.acked_s: list[float] = []
        self.on_ack: Callable[[], None] = _nothing
        self._form: frames.Form | None = None

    async def begin(self, url: str, number: int) -> None:
        """Come in for the first time, and catch up with nothing."""
        await self.enter(url, frames.hello(APP, TAG, f"bench-device-key-{number:08d}"))
        await self.caught_up()
        self._form = frames.Form(self.conversation)

    def send(self) -> None:
        """Send the next message."""
        assert self._form is not None, "not ready"
        message = self._form.filled(len(self.sent_s) + 1)
        self.sent_s.append(perf_counter())
        self.say(message)

    def heard(self, frame: frames.Heard) -> None:
        if frame.t == "ack":
            if frame.n != len(self.acked_s) + 1:
                self.refusals.append(f"ack {frame.n} after {len(self.acked_s)}")
            self.acked_s.append(perf_counter())
            self.on_ack()
        elif frame.t == "event":
            self.seq = frame.seq
            if frame.body is not None and frame.body.kind == "message":
                self.reader.take(frames.number_in(frame.body.text))
        elif frame.t == "ready":
            assert frame.limits is not None, "SPEC 3.3"
            assert frame.limits.messages_per_minute == PLENTY, "the gateway is not loadtests.bench.generous"
            self.conversation = frame.conversation or ""

    def verdict(self) -> Verdict:
        """Judge what the sender itself was shown and told: unacknowledged counts as lost."""
        told = self.reader.verdict(len(self.sent_s), len(self.refusals))
        return told + Verdict(lost=max(0, len(self.sent_s) - len(self.acked_s)))


class Desk(Party):
    """An agent who takes one conversation. `read_s` holds a time for each message, in the order read."""

    path = "/v1/agent"

    def __init__(self, on_assigned: Callable[["Desk", str], None]) -> None:
        super().__init__()
        self.read_s: list[float] = []
        self.on_read: Callable[[], None] = _nothing
        self._on_assigned = on_assigned
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def begin(self, url: str, ticket: str, number: int) -> None:
        """Arrive."""
        await self.enter(url, frames.agent_hello(ticket, f"bench-desk-key-{number:08d}"))
        async with asyncio.timeout(READY_S):
            await self.ready

    def heard(self, frame: frames.Heard) -> None:
        if frame.t == "event":
            self.seq = frame.seq
            if frame.body is not None and frame.body.kind == "message":
                self.reader.take(frames.number_in(frame.body.text))
                self.read_s.append(perf_counter())
                self.on_read()
        elif frame.t == "feed":
            if frame.what == "assigned" and frame.row is not None:
                self.conversation = frame.row.conversation
                self._on_assigned(self, self.conversation)
                self.say(frames.resume(self.conversation))
        elif frame.t == "ready":
            self.ready.set_result(None)

    def verdict(self, sent: int) -> Verdict:
        """Judge what the reader got of `sent` messages."""
        return self.reader.verdict(sent, len(self.refusals))


def _nothing() -> None:
    """Nobody waits for it."""
