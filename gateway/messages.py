"""From bytes to whole messages: `websockets`' sans-I/O protocol, speaking with the close codes of SPEC 11.

A short cut reads the messages that nearly all that arrives is: whole, masked, unfragmented. Everything else is the
library's to judge, frame by frame; a law test holds the short cut to what the library alone would have said.

Invariant: no more than the protocol's present maximum is ever held of one message, in however many fragments it comes;
the library's parser always stands between two frames, or has failed.
"""

import logging

from websockets.frames import CloseCode as Standard
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from gateway.opening import SUBPROTOCOLS, Opening
from protocol.wire.codes import CloseCode

try:
    from websockets.speedups import apply_mask
except ImportError:  # no compiled part for this platform
    from websockets.utils import apply_mask

_QUIET = logging.getLogger("samtale.gateway.websockets")
_QUIET.setLevel(logging.ERROR)  # at DEBUG the library logs what people say
_INSTRUCTIVE = {  # RFC 6455's codes describe; SPEC 11's say whether to come back
    Standard.MESSAGE_TOO_BIG: CloseCode.TOO_LARGE,
    Standard.PROTOCOL_ERROR: CloseCode.BAD_FRAME,
    Standard.INVALID_DATA: CloseCode.BAD_FRAME,
}
_BINARY = 0x82  # FIN set, no reserved bit
_WHOLE = {0x81: Opcode.TEXT, _BINARY: Opcode.BINARY}
_MASKED, _MASKED_16 = 0x80, 0xFE  # the second byte: of an empty frame, and of one whose length follows in 16 bits
_OPCODES = frozenset(int(opcode) for opcode in Opcode)
_UNKNOWN = (0, 0)  # the head of the frame is not whole yet
_WRONG = (0, -1)  # the library will say so as soon as it sees the head


class SocketProtocol(ServerProtocol):
    """Both subprotocols, no compression (guarantees.md: bombs reached 591 MB), at most `max_bytes` a message."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            subprotocols=[Subprotocol(each) for each in SUBPROTOCOLS],
            extensions=None,
            max_size=max_bytes,
            logger=_QUIET,
        )
        self._max_bytes = max_bytes
        self._begun = b""  # a frame that is not whole yet

    def open(self, asked: Opening) -> None:
        """Answer a handshake that was read without the library, as the library would have."""
        self.subprotocol = Subprotocol(asked.subprotocol)
        self.writes.append(asked.answer)
        self.state = OPEN
        self.parser.close()
        self.parser = self.parse()  # it began with the request; this one begins with frames
        next(self.parser)

    def allow(self, max_bytes: int) -> None:
        """From now on take messages of up to `max_bytes`."""
        self.max_message_size = self._max_bytes = max_bytes

    def arrived(self, data: bytes) -> tuple[list[bytes], list[Event]]:
        """Return what `data` completes: whole binary messages, and behind them other frames, or the request.

        What to answer is then in `data_to_send`.
        """
        if self._begun:
            data, self._begun = self._begun + data, b""
        messages, at = self._messages(data) if self.state is OPEN and self.current_size is None else ([], 0)
        return messages, self._others(data, at) if at < len(data) else []

    def _messages(self, data: bytes) -> tuple[list[bytes], int]:
        """Return the whole binary messages that `data` begins with, and where they end (RFC 6455 §5.2)."""
        found: list[bytes] = []
        at, size, most = 0, len(data), self._max_bytes
        while size - at >= 8 and data[at] == _BINARY:
            second = data[at + 1]
            if _MASKED <= second < _MASKED_16:
                length, payload = second - _MASKED, at + 6
            elif second == _MASKED_16:
                length, payload = data[at + 2] << 8 | data[at + 3], at + 8
            else:
                break
            end = payload + length
            if length > most or end > size:
                break
            found.append(apply_mask(data[payload:end], data[payload - 4 : payload]))
            at = end
        return found, at

    def _others(self, data: bytes, at: int) -> list[Event]:
        """Return the frames that `data` completes from `at` on, or the request."""
        found: list[Event] = []
        while at < len(data) and self.state is OPEN:
            payload, end = self._span(data, at)
            if (payload, end) == _WRONG:
                break
            if end > len(data) or (payload, end) == _UNKNOWN:
                self._begun = data[at:]
                return found
            opcode = _WHOLE.get(data[at]) if self.current_size is None else None
            if opcode is None:
                found += self._judged(data[at:end])
            else:
                found.append(Frame(opcode, apply_mask(data[payload:end], data[payload - 4 : payload])))
            at = end
        return found + self._judged(data[at:]) if at < len(data) else found

    def _span(self, data: bytes, at: int) -> tuple[int, int]:
        """Return where the payload of the frame at `at` begins and where it ends (RFC 6455 §5.2)."""
        if len(data) < at + 2:
            return _UNKNOWN
        length = data[at + 1] - 0x80
        if length < 0 or data[at] & 0x0F not in _OPCODES:
            return _WRONG
        payload = at + 6
        if length >= 126:
            payload += 2 if length == 126 else 8
            if len(data) < payload - 4:
                return _UNKNOWN
            length = int.from_bytes(data[at + 2 : payload - 4], "big")
        if length > self._max_bytes - (self.current_size or 0):
            return _WRONG
        return payload, payload + length

    def _judged(self, data: bytes) -> list[Event]:
        self.receive_data(data)
        return self.events_received()

    def end(self) -> None:
        """Nothing more arrives. The parser holds its protocol, and would keep it until the next full collection."""
        self.parser.close()

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
