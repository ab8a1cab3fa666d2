"""Frames of SPEC as a driver needs them: made from a form, read only as far as they matter to it.

Invariant: what `Form` makes is the msgpack of a `send`, byte for byte one that SPEC 5.4 allows (a test decodes it).
"""

from collections.abc import Sequence

import msgspec

from loadtests.lean.line import framed, head
from protocol.wire import client
from protocol.wire.limits import PROTOCOL_VERSION

TEXT_CHARS = 100
NUMBER_CHARS = 8  # that a text begins with
OF_AGENT = 90_000_000  # an agent's numbers begin above it
encode = msgspec.msgpack.Encoder().encode
_PADDING = "abcdefghi "


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
    message_burst: int = 0


class View(msgspec.Struct, frozen=True):
    """Which chatflow is shown: a phone that holds it says so when it comes again."""

    etag: str = ""


class Heard(msgspec.Struct, frozen=True):
    """Any frame of a gateway."""

    t: str
    n: int = 0
    id: str = ""
    conversation: str | None = None
    seq: int = 0
    to: int = 0
    code: str = ""
    expected: int = 0
    retry_after_ms: int = 0
    what: str = ""
    row: Row | None = None
    rows: list[Row] = []
    body: Said | None = None
    limits: Allowance | None = None
    feed: str = ""
    visitor: str = ""
    secret: str | None = None
    chatflow: View | None = None


DECODER = msgspec.msgpack.Decoder(Heard)


class Form:
    """A `send` to one conversation, but for its number: about 190 bytes with its frame."""

    def __init__(self, conversation: str, chars: int = TEXT_CHARS) -> None:
        names = [encode(part) for part in ("t", "send", "conversation", conversation, "n")]
        self._head = b"\x85" + b"".join(names) + b"\xce"  # a map of five; n as 32 bit
        self._id = encode("id") + b"\xa8"  # a string of eight
        self._tail = encode("text") + text_head(chars)
        self._rest = padding(chars)
        self._line_head = head(0x82, len(self.filled(0)))

    def filled(self, n: int) -> bytes:
        """Return the message for `n`, which is the number of its text too."""
        number = b"%08d" % n
        return b"%b%b%b%b%b%b%b" % (
            self._head, n.to_bytes(4, "big"), self._id, number, self._tail, number, self._rest
        )  # fmt: skip

    def framed(self, n: int) -> bytes:
        """Return the WebSocket frame of the message for `n`."""
        return self._line_head + self.filled(n)


def text_head(chars: int) -> bytes:
    """Return what msgpack puts before a text of so many characters, all of them ASCII."""
    return encode("x" * chars)[:-chars]


def padding(chars: int) -> bytes:
    """Return what follows the number in a text of `chars` characters."""
    return (_PADDING * (chars // len(_PADDING) + 1))[: chars - NUMBER_CHARS].encode()


def number_in(text: str) -> int:
    """Return the number of the message that says `text`."""
    return int(text[:NUMBER_CHARS])


def agents_word(conversation: str, n: int, number: int) -> bytes:
    """Return the WebSocket frame of an agent's `send`: `n` of their series, the `number`th in this conversation."""
    text = f"{OF_AGENT + number:08d} says the agent"
    return framed(encode(client.Send(conversation, text, n=n, id=f"{n:08d}")))


def hello(
    app_key: str, tag: str, credential: client.Anonymous, positions: Sequence[client.Position] = (), view: str = ""
) -> bytes:
    """Return the hello of a phone that is new, or comes again from where it was."""
    device = client.Device("other", "load", "en")
    return encode(client.Hello(PROTOCOL_VERSION, app_key, tag, credential, device, list(positions), view))


def agent_hello(
    ticket: str,
    device_key: str,
    positions: Sequence[client.Position] = (),
    feeds: Sequence[client.FeedPosition] = (),
) -> bytes:
    """Return the hello of an agent's console that is new, or comes again from where it was."""
    return encode(client.AgentHello(PROTOCOL_VERSION, ticket, device_key, list(positions), list(feeds)))


def resume(conversation: str) -> bytes:
    """Return what attaches to a conversation from its beginning."""
    return encode(client.Resume(client.Position(conversation, 0, "")))


def receipt(conversation: str, seq: int) -> bytes:
    """Return what says that everything up to `seq` was seen."""
    return encode(client.Receipt(conversation, seq, seq))
