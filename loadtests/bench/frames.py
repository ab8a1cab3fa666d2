"""Frames of SPEC as a driver needs them: made from a form, read only as far as they matter to it.

Invariant: what `Form` makes is the msgpack of a `send`, byte for byte one that SPEC 5.4 allows (a test decodes it).
"""

import msgspec

from protocol.wire import client
from protocol.wire.limits import PROTOCOL_VERSION

TEXT_CHARS = 100
encode = msgspec.msgpack.Encoder().encode
_PADDING = b"abcdefghi " * (TEXT_CHARS // 10)


class Row(msgspec.Struct, frozen=True):
    """What a feed says of a conversation."""

    conversation: str = ""


class Said(msgspec.Struct, frozen=True):
    """The body of an event, if it is a message; its text begins with its number."""

    kind: str
    text: str = ""


class Allowance(msgspec.Struct, frozen=True):
    """As much of the limits in `ready` as a driver depends on."""

    messages_per_minute: int


class Heard(msgspec.Struct, frozen=True):
    """Any frame of a gateway."""

    t: str
    n: int = 0
    conversation: str | None = None
    seq: int = 0
    code: str = ""
    what: str = ""
    row: Row | None = None
    body: Said | None = None
    limits: Allowance | None = None


DECODER = msgspec.msgpack.Decoder(Heard)


class Form:
    """A `send` to one conversation, but for its number: about 190 bytes with its frame."""

    def __init__(self, conversation: str) -> None:
        names = [encode(part) for part in ("t", "send", "conversation", conversation, "n")]
        self._head = b"\x85" + b"".join(names) + b"\xce"  # a map of five; n as 32 bit
        self._tail = encode("text") + b"\xd9" + bytes((TEXT_CHARS,))
        self._id = encode("id") + b"\xa8"  # a string of eight

    def filled(self, n: int) -> bytes:
        """Return the frame for `n`, which is the number of its text too."""
        number = b"%08d" % n
        return b"".join(
            (self._head, n.to_bytes(4, "big"), self._id, number, self._tail, number, _PADDING[: TEXT_CHARS - 8])
        )


def number_in(text: str) -> int:
    """Return the number of the message that says `text`."""
    return int(text[:8])


def hello(app_key: str, tag: str, device_key: str) -> bytes:
    """Return the first hello of a phone that is new."""
    device = client.Device("other", "bench", "en")
    return encode(client.Hello(PROTOCOL_VERSION, app_key, tag, client.Anonymous(device_key), device))


def agent_hello(ticket: str, device_key: str) -> bytes:
    """Return the hello of an agent's console."""
    return encode(client.AgentHello(PROTOCOL_VERSION, ticket, device_key))


def resume(conversation: str) -> bytes:
    """Return what attaches to a conversation from its beginning."""
    return encode(client.Resume(client.Position(conversation, 0, "")))


def receipt(conversation: str, seq: int) -> bytes:
    """Return what says that everything up to `seq` was seen."""
    return encode(client.Receipt(conversation, seq, seq))
