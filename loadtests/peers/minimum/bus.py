"""What the minimum's processes say to each other: two streams, whose entries hold whole packs.

Invariant: a message's bytes are those that the visitor sent, from the first gateway to the agent.
"""

from typing import Any

import msgspec

from store.redis.connection import Connection, dial, parse

INBOX = "inbox"
MAX_ENTRIES = 10_000
PACK, JOIN = b"p", b"j"
BLOCK_MS = 5_000
AT_ONCE = 256

encode = msgspec.msgpack.Encoder().encode
decode_pack = msgspec.msgpack.Decoder(list[tuple[str, bytes]]).decode
"""One entry: (conversation, message) for each message."""
decode_join = msgspec.msgpack.Decoder(tuple[str, str]).decode
"""(conversation, gateway): where its agent is."""


class Message(msgspec.Struct, frozen=True):
    """As much of a message as has to be read: the rest is checked and passed on."""

    conversation: str
    n: int
    id: str
    text: str


decode_message = msgspec.msgpack.Decoder(Message).decode


def outbox(gateway: str) -> str:
    """Return the stream that `gateway` reads."""
    return f"outbox:{gateway}"


class Tail:
    """Reads a stream from its beginning, many entries at a time."""

    def __init__(self, line: Connection, stream: str) -> None:
        self._line, self._stream, self._last = line, stream, b"0-0"

    async def more(self) -> list[tuple[bytes, bytes]]:
        """Wait for entries and return the one field and value of each; empty if none came for a while."""
        found: Any = await self._line.call(
            "XREAD", "COUNT", AT_ONCE, "BLOCK", BLOCK_MS, "STREAMS", self._stream, self._last,
            timeout_s=BLOCK_MS / 1e3 + 10,
        )  # fmt: skip
        if not found:
            return []
        entries = found[0][1]
        self._last = entries[-1][0]
        return [(field, value) for _, (field, value) in entries]


async def connect(url: str) -> Connection:
    """Return a line to Redis."""
    return await dial(parse(url))
