"""What a server sends over one line, held to SPEC 6 frame by frame.

A client mends what a server gets wrong: it ignores repeats and resumes at gaps. So the promise that a reader never sees
either is looked at here, before the client does.

Invariant: judges one line from its first frame on; each conversation by itself.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import samtale
from samtale.line import decode

Tell = Callable[[str, str, str], None]
"""Hears which conversation was served wrongly, how, and by which rule: gap, or leak."""


class Wire:
    """The positions that one line has come to."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._at: dict[str, int] = {}
        self._asked: dict[str, list[int]] = {}  # where the client asked to go on, without caught_up so far
        self._left: set[str] = set()
        self._addressed: str | None = None  # what the server said to address last

    def sent(self, frame: dict[str, Any]) -> None:
        """Take what the client says."""
        match frame:
            case {"t": "hello" | "agent_hello", "positions": [*positions]}:
                for position in positions:
                    self._resume(position)
            case {"t": "resume", "position": position}:
                self._resume(position)
            case {"t": "leave", "conversation": conversation}:
                self._left.add(conversation)

    def received(self, frame: dict[str, Any]) -> None:
        """Take what the server says."""
        if frame.get("conversation") in self._left:
            return
        match frame:
            case {"t": "chatflow", "conversation": str() as conversation} if conversation != self._addressed:
                # It is resumed as after `ready`, and the client may have asked for it just before (SPEC 4.9).
                self._addressed = conversation
                self._resume({"conversation": conversation, "seq": 0})
            case {"t": "ready", **told}:
                self._addressed = told.get("conversation")
            case {"t": "event", "conversation": conversation, "seq": seq}:
                self._came(conversation, seq, seq)
            case {"t": "hidden", "conversation": conversation, "from": first, "to": last}:
                self._came(conversation, first, last)
            case {"t": "caught_up", "conversation": conversation, "seq": seq}:
                self._caught_up(conversation, seq)
            case {"t": "resync", "conversation": conversation}:
                self._at[conversation] = min(self._at.get(conversation, 0), frame.get("from", 1) - 1)

    def leaked(self, conversation: str, why: str) -> None:
        """Take that something came which is not for this reader."""
        self._tell(conversation, why, "leak")

    def _resume(self, position: dict[str, Any]) -> None:
        conversation = position["conversation"]
        self._left.discard(conversation)
        self._asked.setdefault(conversation, []).append(position["seq"])
        self._at.setdefault(conversation, position["seq"])

    def _came(self, conversation: str, first: int, last: int) -> None:
        at = self._at.get(conversation, 0)
        if first - 1 not in (at, *self._asked.get(conversation, ())):
            self._tell(conversation, f"{first} was sent after {at}", "gap")
        self._at[conversation] = last

    def _caught_up(self, conversation: str, seq: int) -> None:
        at, asked = self._at.get(conversation, 0), self._asked.get(conversation, [])
        if seq not in (at, *asked):
            self._tell(conversation, f"caught up at {seq} after {at}", "gap")
        self._at[conversation] = seq
        if asked:
            asked.pop(0)


class WatchedLine:
    """A client's line that is looked at as frames pass."""

    def __init__(self, line: samtale.Line, wire: Wire, forbidden: Sequence[str] = ()) -> None:
        """`forbidden`: words that must never come over this line."""
        self._line, self._wire = line, wire
        self._forbidden = [word.encode() for word in forbidden]

    async def send(self, raw: bytes | str) -> None:
        self._wire.sent(decode(raw))
        await self._line.send(raw)

    async def receive(self) -> bytes | str:
        raw = await self._line.receive()
        frame = decode(raw)
        self._wire.received(frame)
        self._look_for_leaks(raw.encode() if isinstance(raw, str) else raw, frame)
        return raw

    async def close(self, code: int = 1000) -> None:
        await self._line.close(code)

    def _look_for_leaks(self, raw: bytes, frame: dict[str, Any]) -> None:
        for word in self._forbidden:
            if word in raw:
                self._wire.leaked(frame.get("conversation", ""), f"{frame.get('t')} holds {word.decode()}")


def redirected(url: str, gateway: str) -> str:
    """Return `url` at another gateway, as behind a load balancer."""
    return urlunsplit(urlsplit(url)._replace(netloc=urlsplit(gateway).netloc))
