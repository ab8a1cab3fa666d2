"""A pair that talks by SPEC: a phone on one gateway, an agent's desk on another.

Invariant: the phone consents before its first word; nearly every frame is read in place, and any other decoded whole.
"""

import asyncio

from loadtests.bench.account import APP, TAG
from loadtests.checker.stories import Reader, Verdict
from loadtests.lean import frames
from loadtests.lean.line import Line, LineEnded, connect
from loadtests.load.serving import PLENTY
from loadtests.peers.talk import Pair
from protocol.wire import client

READY_S = 30.0
CONSENT_N = 1  # the first thing a phone says: its messages are numbered from the next
TEXT = frames.encode({"text": "x" * frames.TEXT_CHARS})[1 : -frames.TEXT_CHARS]  # stands before the text of a message


def number_at(message: bytes, at: int) -> int:
    """Return the number of the message whose `TEXT` stands there: read in place, for a driver that must be quick."""
    start = at + len(TEXT)
    return int(message[start : start + 8]) - CONSENT_N


class Phone:
    """A visitor of one pair, who consents and then talks."""

    def __init__(self, pair: "SamtalePair") -> None:
        self.conversation = ""
        self.may_talk: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pair = pair
        self._form = frames.Form("")
        self._newest = b""  # event
        self._line: Line | None = None

    async def enter(self, url: str, number: int) -> None:
        """Come in for the first time and consent."""
        self._line = await connect(url, "/v1/mobile", self._hear, self._pair.ended)
        self._line.send(frames.hello(APP, TAG, client.Anonymous(f"bench-device-key-{number:08d}")))
        async with asyncio.timeout(READY_S):
            await self.may_talk

    def say(self, number: int) -> None:
        """Send message `number`."""
        assert self._line is not None, "not connected"
        self._line.send(self._form.filled(number + CONSENT_N))

    def acknowledge(self) -> None:
        """Say how far this end has read."""
        if self._newest and self._line is not None:
            self._line.send(frames.receipt(self.conversation, frames.DECODER.decode(self._newest).seq))

    def leave(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.end()

    def _hear(self, message: bytes) -> None:
        at = message.find(TEXT)
        if at > 0:
            self._newest = message
            self._pair.own.take(number_at(message, at))
            return
        frame = frames.DECODER.decode(message)
        if frame.t == "ack":
            if frame.n == CONSENT_N:
                self.may_talk.set_result(None)
            else:
                self._pair.acked(frame.n - CONSENT_N)
        elif frame.t == "ready":
            self._consent(frame)
        elif frame.t == "refused":
            self._pair.troubles.append(frame.code)

    def _consent(self, frame: frames.Heard) -> None:
        assert frame.limits is not None, "SPEC 3.3"
        assert frame.limits.messages_per_minute == PLENTY, "the gateway is not loadtests.load.serving"
        assert self._line is not None, "not connected"
        self.conversation = frame.conversation or ""
        self._form = frames.Form(self.conversation)
        answer = client.Answer(
            n=CONSENT_N, id="consent", conversation=self.conversation, step="consent_to_process", value="granted"
        )
        self._line.send(frames.encode(answer))


class Desk:
    """An agent who takes one conversation."""

    def __init__(self, pairs: dict[str, "SamtalePair"]) -> None:
        self.is_ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pairs = pairs
        self._conversation = ""
        self._newest = b""  # event
        self._pair: SamtalePair | None = None
        self._line: Line | None = None
        self._leaving = False

    async def enter(self, url: str, ticket: str, number: int) -> None:
        """Arrive."""
        self._line = await connect(url, "/v1/agent", self._hear, self._ended)
        self._line.send(frames.agent_hello(ticket, f"bench-desk-key-{number:08d}"))
        async with asyncio.timeout(READY_S):
            await self.is_ready

    def acknowledge(self) -> None:
        """Say how far this end has read."""
        if self._newest and self._line is not None:
            self._line.send(frames.receipt(self._conversation, frames.DECODER.decode(self._newest).seq))

    def leave(self) -> None:
        """Hang up."""
        self._leaving = True
        if self._line is not None:
            self._line.end()

    def _hear(self, message: bytes) -> None:
        at = message.find(TEXT)
        if at > 0:
            assert self._pair is not None, "nobody was assigned"
            self._newest = message
            self._pair.read(number_at(message, at))
            return
        frame = frames.DECODER.decode(message)
        if frame.t == "feed" and frame.what == "assigned" and frame.row is not None:
            assert self._line is not None, "not connected"
            self._conversation = frame.row.conversation
            self._pair = self._pairs[self._conversation]
            self._line.send(frames.resume(self._conversation))
        elif frame.t == "ready":
            self.is_ready.set_result(None)
        elif frame.t == "refused":
            self._trouble(frame.code)

    def _ended(self, why: str) -> None:
        if not self._leaving:
            self._trouble(why)

    def _trouble(self, what: str) -> None:
        if self._pair is not None:
            self._pair.troubles.append(what)
        elif not self.is_ready.done():
            self.is_ready.set_exception(LineEnded(what))


class SamtalePair(Pair):
    """A pair whose sender is shown their own messages too, as their other devices would be."""

    def __init__(self) -> None:
        super().__init__()
        self.phone = Phone(self)
        self.say = self.phone.say
        self._leaving = False
        self.own = Reader()  # what the sender was shown

    def ended(self, why: str) -> None:
        """Note that the phone's line ended."""
        if not self._leaving:
            self.troubles.append(why)

    def leave(self) -> None:
        """Hang up the phone."""
        self._leaving = True
        self.phone.leave()

    def verdict(self) -> Verdict:
        """Judge as any pair, and what the sender was shown."""
        return super().verdict() + self.own.verdict(len(self.due_s))
