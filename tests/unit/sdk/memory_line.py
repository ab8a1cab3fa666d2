"""A server's side of a line in memory, played by a test.

Invariant: `hear` returns what the client said, in order; a client waits where it would wait on a socket.
"""

import asyncio
from typing import Any

from samtale.line import MSGPACK, LineLost, decode, encode

Frame = dict[str, Any]
PATIENCE_S = 60.0


class MemoryLine:
    """Both ends: the client's `Line` methods, and `hear`, `say`, `cut` for the server."""

    def __init__(self) -> None:
        self._up: asyncio.Queue[bytes | str] = asyncio.Queue()
        self._down: asyncio.Queue[bytes | str | LineLost] = asyncio.Queue()
        self._lost: LineLost | None = None

    async def send(self, raw: bytes | str) -> None:
        if self._lost:
            raise self._lost
        self._up.put_nowait(raw)

    async def receive(self) -> bytes | str:
        if self._lost and self._down.empty():
            raise self._lost
        item = await self._down.get()
        if isinstance(item, LineLost):
            raise item
        return item

    async def close(self, code: int = 1000) -> None:
        self.cut(code)

    async def hear(self, kind: str = "") -> Frame:
        """Return the client's next frame, of `kind` if one is named."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = decode(await self._up.get())
                if not kind or frame["t"] == kind:
                    return frame

    def heard_nothing(self) -> bool:
        return self._up.empty()

    def say(self, kind: str, **fields: Any) -> None:
        self._down.put_nowait(encode({"t": kind, **fields}, MSGPACK))

    def cut(self, code: int = 1006) -> None:
        if not self._lost:
            self._lost = LineLost(code)
            self._down.put_nowait(self._lost)


class Network:
    """Where clients dial to; the test awaits each new line."""

    def __init__(self) -> None:
        self._dialled: asyncio.Queue[MemoryLine] = asyncio.Queue()
        self.urls: list[str] = []

    async def connect(self, url: str) -> MemoryLine:
        self.urls.append(url)
        line = MemoryLine()
        self._dialled.put_nowait(line)
        return line

    async def line(self) -> MemoryLine:
        async with asyncio.timeout(PATIENCE_S):
            return await self._dialled.get()


def visitor_ready(**changes: Any) -> Frame:
    """Return the fields of a visitor's `ready`: one new conversation `c1`, nothing outstanding."""
    limits = {"max_frame_bytes": 65536, "max_text": 10000, "max_unresolved": 32}
    ready: Frame = {
        "v": 1,
        "session": "s1",
        "visitor": "vis1",
        "device": "dev1",
        "epoch": 1,
        "at": 0,
        "heartbeat_s": 25,
        "limits": {**limits, "messages_per_minute": 30, "message_burst": 10},
        "chatflow": {"id": "f", "version": 1, "name": "F", "locale": "en", "heading": {"kind": "custom", "name": "Hi"}},
        "conversations": [{"id": "c1", "status": "new", "seq": 0, "event": "", "next_n": 1}],
        "conversation": "c1",
        "secret": "secret-" + "1" * 16,
    }
    return {**ready, **changes}


def agent_ready(**changes: Any) -> Frame:
    """Return the fields of an agent's `ready`."""
    ready = {name: value for name, value in visitor_ready().items() if name in ("v", "session", "at", "heartbeat_s")}
    agent = {"id": "ag1", "name": "Kari", "state": "available", "capacity": 5}
    more = {"device": "dev2", "epoch": 1, "limits": {}, "agent": agent, "colleagues": [], "inboxes": ["in1"]}
    return {**ready, **more, "feeds": ["agent:a:ag1", "inbox:a:in1"], "next_n": 1, **changes}


def message(seq: int, text: str, role: str = "agent", conversation: str = "c1") -> Frame:
    """Return the fields of a `message` event."""
    body = {"kind": "message", "by": {"role": role, "id": "x"}, "text": text}
    return {"conversation": conversation, "seq": seq, "id": f"1.{seq}.0", "at": seq, "body": body}
