"""Bytes to frames and back, in both subprotocols (SPEC 2.3).

Invariant: `decode` either returns a valid frame or raises `BadFrame` with the refusal it deserves; it never raises
anything else, whatever the bytes. A frame means the same in msgpack and in JSON.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from protocol.ids import is_id
from protocol.wire import client
from protocol.wire.codes import Code
from protocol.wire.limits import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK

F = TypeVar("F")


class BadFrame(Exception):
    """These bytes are no frame. `code` and `text` are for the sender; `about` says which frame it was, if readable."""

    def __init__(self, code: Code, text: str, about: "About") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.about = about


class About(msgspec.Struct, frozen=True):
    """What could be read of a frame that is none, so that its sender can tell which one was refused (SPEC 5.2)."""

    n: int = 0
    id: str = ""
    ref: str = ""
    conversation: str = ""


class Codec(Generic[F]):
    """One subprotocol for one kind of socket: decodes `F`, encodes anything the server says."""

    def __init__(self, subprotocol: str, frames: Any) -> None:
        self.subprotocol = subprotocol
        self.is_text = subprotocol == SUBPROTOCOL_JSON
        module: Any = msgspec.json if self.is_text else msgspec.msgpack
        self._decode: Callable[[bytes | str], F] = module.Decoder(frames).decode
        self.encode: Callable[[object], bytes] = module.Encoder().encode  # of a server frame; UTF-8 for JSON
        self._probe = module.Decoder()

    def decode(self, raw: bytes | str) -> F:
        """Return the frame in `raw` or raise BadFrame(malformed | unknown_frame)."""
        if isinstance(raw, str) != self.is_text:
            kind = "text" if self.is_text else "binary"
            raise BadFrame(Code.MALFORMED, f"{self.subprotocol} uses {kind} messages only.", About())
        try:
            return self._decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise self._why(raw, error) from None

    def _why(self, raw: bytes | str, error: Exception) -> BadFrame:
        text = str(error)[:300]
        if not isinstance(error, msgspec.ValidationError):
            return BadFrame(Code.MALFORMED, text, About())
        if "$.t`" in text or "missing required field `t`" in text:
            code = Code.UNKNOWN_FRAME
        elif text.endswith("$.text`") and "length" in text:
            code = Code.TOO_LARGE if "length <=" in text else Code.EMPTY_TEXT
        else:
            code = Code.MALFORMED
        return BadFrame(code, text, self._about(raw))

    def _about(self, raw: bytes | str) -> About:
        try:
            plain = self._probe.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return About()
        if not isinstance(plain, dict):
            return About()
        n = plain.get("n")
        names = {name: plain.get(name) for name in ("id", "ref", "conversation")}
        told = {name: value for name, value in names.items() if isinstance(value, str) and is_id(value)}
        return About(n=n if type(n) is int and 0 < n <= 2**53 else 0, **told)


def msgpack_to_json(data: bytes) -> bytes:
    """Return one stored msgpack frame as JSON, for clients that speak it."""
    return msgspec.json.encode(msgspec.msgpack.decode(data))


MOBILE: dict[str, Codec[client.MobileFrame]] = {
    name: Codec(name, client.MobileFrame) for name in (SUBPROTOCOL_MSGPACK, SUBPROTOCOL_JSON)
}
AGENT: dict[str, Codec[client.AgentFrame]] = {
    name: Codec(name, client.AgentFrame) for name in (SUBPROTOCOL_MSGPACK, SUBPROTOCOL_JSON)
}
