"""From bytes to whole messages: `websockets`' sans-I/O protocol, speaking with the close codes of SPEC 11.

Invariant: no more than the protocol's present maximum is ever held of one message, in however many fragments it comes.
"""

import logging

from websockets.frames import CloseCode as Standard
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from protocol.wire.codes import CloseCode
from protocol.wire.limits import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK

_QUIET = logging.getLogger("samtale.gateway.websockets")
_QUIET.setLevel(logging.ERROR)  # at DEBUG the library logs what people say
_INSTRUCTIVE = {  # RFC 6455's codes describe; SPEC 11's say whether to come back
    Standard.MESSAGE_TOO_BIG: CloseCode.TOO_LARGE,
    Standard.PROTOCOL_ERROR: CloseCode.BAD_FRAME,
    Standard.INVALID_DATA: CloseCode.BAD_FRAME,
}


class SocketProtocol(ServerProtocol):
    """Both subprotocols, no compression (guarantees.md: bombs reached 591 MB), at most `max_bytes` a message."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            subprotocols=[Subprotocol(SUBPROTOCOL_MSGPACK), Subprotocol(SUBPROTOCOL_JSON)],
            extensions=None,
            max_size=max_bytes,
            logger=_QUIET,
        )

    def fail(self, code: Standard | int, reason: str = "") -> None:
        """End because of what the peer sent."""
        super().fail(_INSTRUCTIVE.get(Standard(code), code), reason[:100])


class Assembly:
    """Puts the fragments of one message together; the protocol has checked their order and their size."""

    __slots__ = ("_is_text", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._is_text = False

    def add(self, part: Frame) -> bytes | str | None:
        """Return the message that `part` completes, or None. Raises UnicodeDecodeError for text that is no UTF-8."""
        if part.opcode is not Opcode.CONT:
            self._is_text = part.opcode is Opcode.TEXT
            if part.fin:
                return _whole(part.data, self._is_text)
        self._parts.append(bytes(part.data))
        if not part.fin:
            return None
        parts, self._parts = self._parts, []
        return _whole(b"".join(parts), self._is_text)


def _whole(data: bytes | bytearray | memoryview, is_text: bool) -> bytes | str:
    return str(data, "utf-8") if is_text else bytes(data)
