"""One conversation as one reader hears it, looked at as little as a verdict allows.

Invariant: every event's `seq` is read, and the number of every message; whatever does not look as it nearly always does
is decoded whole. So nothing that was lost, doubled or moved is overlooked for being cheap.
"""

from collections.abc import Callable
from time import perf_counter

from loadtests.checker.stories import Reader
from loadtests.lean.frames import DECODER, NUMBER_CHARS, OF_AGENT, TEXT_CHARS, Heard, encode, number_in, text_head
from protocol.wire import client

_BEFORE = b"\x86\xa1t\xa5event\xacconversation"
_AFTER = b"\xa3seq"
KEY = slice(len(_BEFORE), len(_BEFORE) + 31)
"""Where an event names its conversation, if its id is 30 characters long as ours are."""


class Thread:
    """What was heard. `on_read` is called after each of the visitor's messages, whose times are then in `read_s`."""

    __slots__ = (
        "_at", "_head", "_last", "_number", "_text", "_text_at", "conversation", "gaps", "key", "on_read", "read_s",
        "repeats", "seq", "staff", "taken_s", "visitor",
    )  # fmt: skip

    def __init__(self, conversation: str, chars: int = TEXT_CHARS, on_read: Callable[[], None] | None = None) -> None:
        self.seq = self.gaps = self.repeats = 0
        self.visitor, self.staff = Reader(), Reader()
        self.read_s: list[float] = []
        self.taken_s = 0.0  # when an agent had it
        self.on_read: Callable[[], None] | None = on_read
        self._text = text_head(chars)
        self._text_at = -chars - len(self._text)
        self._number = slice(-chars, NUMBER_CHARS - chars)
        self._last = b""
        self.name(conversation)

    def name(self, conversation: str) -> None:
        """Take which conversation this is."""
        self.conversation = conversation
        self.key = encode(conversation)
        self._head = _BEFORE + self.key + _AFTER
        self._at = len(self._head)

    def take(self, message: bytes) -> None:
        """Take an event of this conversation."""
        seq = self.seq + 1
        if not (message.startswith(self._head) and message.startswith(self._text, self._text_at)):
            self.heard(DECODER.decode(message), message)
            return
        first = message[self._at]
        if first < 0x80:
            came = first
        elif first == 0xCD:  # 16 bit follow: nearly all of a long talk
            came = message[self._at + 1] << 8 | message[self._at + 2]
        else:
            came = int.from_bytes(message[self._at + 1 : self._at + 1 + (1 << (first - 0xCC))], "big")
        if came != seq:
            self.heard(DECODER.decode(message), message)
            return
        self.seq, self._last = seq, message
        number, reader = int(message[self._number]), self.visitor
        if number != reader.next or reader.ahead:
            self._said(number)
            return
        reader.next = number + 1
        if self.on_read is not None:
            self.read_s.append(perf_counter())
            self.on_read()

    def heard(self, frame: Heard, message: bytes) -> None:
        """Take an event or a `hidden` that was decoded."""
        first, last = (frame.seq, frame.seq) if frame.t == "event" else (self.seq + 1, frame.to)
        if last <= self.seq:
            self.repeats += 1
            return
        self.gaps += first > self.seq + 1
        self.seq, self._last = last, message
        if frame.body is not None and frame.body.kind == "message":
            self._said(number_in(frame.body.text))

    def position(self) -> client.Position:
        """Return how far this was read."""
        if not self._last:
            return client.Position(self.conversation, 0, "")
        return client.Position(self.conversation, self.seq, DECODER.decode(self._last).id)

    def _said(self, number: int) -> None:
        if number > OF_AGENT:
            self.staff.take(number - OF_AGENT)
            return
        self.visitor.take(number)
        if self.on_read is not None:
            self.read_s.append(perf_counter())
            self.on_read()


def nothing() -> None:
    """Nobody waits for it."""
