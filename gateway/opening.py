"""A handshake as nearly every client writes it, read in one step (RFC 6455 §4.2.1).

A short cut: whole, at most a few hundred bytes, every header once. Everything else is uvicorn's and `websockets`' to
judge; a law test holds the short cut to what both would have said.

Invariant: what is read here both would have taken, and understood alike; whether to let it in is not decided here.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha1

from msgspec import Struct

from protocol.wire.limits import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK

SUBPROTOCOLS = [SUBPROTOCOL_MSGPACK, SUBPROTOCOL_JSON]  # the first that is offered is spoken
MAX_BYTES, MAX_HEADERS = 4_096, 64
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
_HEAD = re.compile(
    rb"GET (/[A-Za-z0-9/._-]*) HTTP/1\.1\r\n((?:[A-Za-z0-9-]+:[ \t]*[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\r\n)+)\r\n"
)
_KEY = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")  # 16 bytes
_WORDS = re.compile(rb"[A-Za-z0-9.-]+(?:, ?[A-Za-z0-9.-]+)*")
_HAS_BODY = frozenset({b"content-length", b"transfer-encoding", b"expect"})


class Opening(Struct, frozen=True):
    """What a handshake asks for. `forwarded_for`: the X-Forwarded-For headers; `accept`: the answer to its key."""

    path: str
    origin: str | None
    forwarded_for: list[str]
    accept: str
    subprotocol: str

    @property
    def answer(self) -> bytes:
        """The response that opens the socket."""
        return (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {self.accept}\r\nSec-WebSocket-Protocol: {self.subprotocol}\r\n\r\n"
        ).encode()


def read_opening(head: bytes) -> Opening | None:
    """Return what `head` asks for; None if it is not this plain, which says nothing against it."""
    said = _HEAD.fullmatch(head) if len(head) <= MAX_BYTES else None
    if said is None:
        return None
    lines = said[2].split(b"\r\n")[:-1]
    headers = {name.lower(): value.strip(b" \t") for name, _, value in (line.partition(b":") for line in lines)}
    if not len(lines) == len(headers) <= MAX_HEADERS or not headers.keys().isdisjoint(_HAS_BODY):
        return None
    key = headers.get(b"sec-websocket-key", b"")
    subprotocol = _spoken(headers)
    if subprotocol is None or not _upgrades(headers) or not _KEY.fullmatch(key):
        return None
    origin, forwarded = headers.get(b"origin"), headers.get(b"x-forwarded-for")
    return Opening(
        said[1].decode(),
        origin.decode() if origin is not None else None,
        [forwarded.decode()] if forwarded is not None else [],
        b64encode(sha1(key + _GUID, usedforsecurity=False).digest()).decode(),
        subprotocol,
    )


def _upgrades(headers: Mapping[bytes, bytes]) -> bool:
    return (
        headers.get(b"upgrade", b"").lower() == b"websocket"
        and b"upgrade" in _words(headers.get(b"connection", b"").lower())
        and headers.get(b"sec-websocket-version") == b"13"
    )


def _spoken(headers: Mapping[bytes, bytes]) -> str | None:
    """Return the subprotocol of ours that is offered, the first if it is both."""
    offered = _words(headers.get(b"sec-websocket-protocol", b""))
    return next((each for each in SUBPROTOCOLS if each.encode() in offered), None)


def _words(value: bytes) -> list[bytes]:
    return [word.strip() for word in value.split(b",")] if _WORDS.fullmatch(value) else []
