"""Bytes to frames and back, in both subprotocols (SPEC 2.3).

Invariant: `decode` either returns a valid frame or raises `BadFrame` with the refusal it deserves; it never raises
anything else, whatever the bytes. A frame means the same in msgpack and in JSON.
"""

from typing import Any, Generic, TypeVar

import msgspec

from protocol.wire import client
from protocol.wire.codes import Code
from protocol.wire.limits import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK

F = TypeVar("F")


class BadFrame(Exception):
    """These bytes are no frame. `code` and `text` say what to tell the sender; `ref` what it was about, if readable."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Codec(Generic[F]):
    """One subprotocol for one kind of socket: decodes `F`, encodes anything the server says."""

    def __init__(self, subprotocol: str, frames: Any) -> None:
        self.subprotocol = subprotocol
        self.is_text = subprotocol == SUBPROTOCOL_JSON
        module: Any = msgspec.json if self.is_text else msgspec.msgpack
        self._decoder = module.Decoder(frames)
        self._encoder = module.Encoder()
        self._probe = module.Decoder()

    def decode(self, raw: bytes | str) -> F:
        """Return the frame in `raw` or raise BadFrame(malformed | unknown_frame)."""
        if isinstance(raw, str) != self.is_text:
            kind = "text" if self.is_text else "binary"
            raise BadFrame(Code.MALFORMED, f"{self.subprotocol} uses {kind} messages only.")
        try:
            frame: F = self._decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise self._why(raw, error) from None
        return frame

    def encode(self, frame: object) -> bytes:
        """Return the bytes of a server frame (UTF-8 for JSON)."""
        data: bytes = self._encoder.encode(frame)
        return data

    def _why(self, raw: bytes | str, error: Exception) -> BadFrame:
        if isinstance(error, msgspec.ValidationError) and "$.t" in str(error):
            return BadFrame(Code.UNKNOWN_FRAME, str(error))
        return BadFrame(Code.MALFORMED, str(error)[:300])


def msgpack_to_json(data: bytes) -> bytes:
    """Return one stored msgpack frame as JSON, for clients that speak it."""
    return msgspec.json.encode(msgspec.msgpack.decode(data))


MOBILE: dict[str, Codec[client.MobileFrame]] = {
    name: Codec(name, client.MobileFrame) for name in (SUBPROTOCOL_MSGPACK, SUBPROTOCOL_JSON)
}
AGENT: dict[str, Codec[client.AgentFrame]] = {
    name: Codec(name, client.AgentFrame) for name in (SUBPROTOCOL_MSGPACK, SUBPROTOCOL_JSON)
}
