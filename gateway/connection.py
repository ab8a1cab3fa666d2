"""One WebSocket: bytes in, messages to its driver; frames out, through its writer.

`websockets` reads and judges the protocol (its sans-I/O core); this is the shell around it. The transport stays within
reach, so that a peer that floods or never reads can be cut (docs/guarantees.md).

Invariant: no task and no await per message: a message reaches the driver inside `data_received`. The driver hears
`lost` exactly once if it was opened, and no message after its socket began to close.
"""

import asyncio
from typing import cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import CONNECTING, OPEN, Event

from gateway.addresses import peer_address
from gateway.core.limits import Bucket
from gateway.handshake import Admission
from gateway.messages import Assembly, SocketProtocol
from gateway.opening import Opening
from gateway.ports import Driver
from gateway.sockets import Sockets
from gateway.writer import BINARY_HEAD, PING, TEXT_HEAD, Writer, framed
from protocol.wire.codes import CloseCode
from protocol.wire.limits import SUBPROTOCOL_JSON

_PIECE_BYTES = 16_384  # parsed before limits are looked at again: one read may hold 43,000 empty pings


class Connection(asyncio.Protocol):
    """A `Line` over a real socket. uvicorn makes one per upgrade and hands it the request's bytes first."""

    __slots__ = (
        "_admitted",
        "_assembly",
        "_cause",
        "_closing",
        "_controls",
        "_counts",
        "_driver",
        "_early_bytes",
        "_frames",
        "_head",
        "_is_answer_late",
        "_protocol",
        "_silence",
        "_sockets",
        "_timer",
        "_transport",
        "_writer",
    )

    _transport: asyncio.Transport
    _writer: Writer

    def __init__(self, sockets: Sockets) -> None:
        rules = sockets.rules
        self._sockets, self._counts = sockets, sockets.counts
        self._protocol = SocketProtocol(rules.max_hello_bytes)
        self._frames = Bucket(rules.frames_per_minute, rules.frames_burst)
        self._controls = Bucket(rules.pings_per_minute, rules.pings_burst)
        self._driver: Driver | None = None
        self._admitted = self._closing = self._is_answer_late = False
        self._assembly = Assembly()
        self._early_bytes = 0  # before the hello is answered
        self._head = BINARY_HEAD
        self._silence = 0
        self._cause = "peer"
        self._timer: asyncio.TimerHandle | None = None

    # What the driver may ask (ports.Line)

    def send(self, *messages: bytes) -> None:
        """Queue each as one whole frame."""
        if not self._closing:
            self._counts.frames_out += len(messages)
            self._writer.put(*[framed(self._head, message) for message in messages])

    async def flushed(self) -> None:
        """Return when the queue is empty, or the socket gone."""
        await self._writer.flushed()

    def close(self, code: CloseCode, reason: str = "") -> None:
        """Send what was queued, then the close frame; abort if the peer does not answer it in time."""
        if self._closing or self._protocol.state is not OPEN:
            return
        self._protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))
        self._pump()

    def reconnect(self, after_ms: int) -> None:
        if self._driver is not None and self._admitted_now():
            self._driver.reconnect(after_ms)

    def abort(self, cause: str) -> None:
        """End at once, whatever waits."""
        self._closing, self._cause = True, cause
        self._transport.abort()

    # What the transport tells (asyncio.Protocol)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._writer = Writer(self._transport, self, self._sockets.rules, self._sockets.tick)
        self._sockets.add(self)
        self._arm(self._sockets.rules.hello_timeout_s)

    def asked(self, opening: Opening) -> None:
        """Take the handshake, if it was read already."""
        self._go_on(self._sockets.answer_plain(self._protocol, opening, peer_address(self._transport)))

    def data_received(self, data: bytes) -> None:
        self._admitted_now()
        for start in range(0, len(data), _PIECE_BYTES):
            messages, others = self._protocol.arrived(data[start : start + _PIECE_BYTES])
            at_ms = self._sockets.now_ms()
            if messages:
                self._hear_all(messages, at_ms)
            if others or self._protocol.state is not OPEN:
                self._pump()
                for event in others:
                    self._take(event, at_ms)
            if self._transport.is_closing():
                return

    def pause_writing(self) -> None:
        self._writer.pause()

    def resume_writing(self) -> None:
        self._writer.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # says nothing that the cause does not
        self._closing = True
        self._sockets.counts.bytes_out += self._writer.handed_bytes
        self._writer.end()
        self._protocol.end()
        if self._timer is not None:
            self._timer.cancel()
        self._sockets.pulse.remove(self)
        self._sockets.ended(self, self._cause)
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.lost()

    # What the writer and the pulse tell

    def overflowed(self) -> None:
        self._writer.drop()
        self.close(CloseCode.SLOW_READER, "The queue of this socket is full.")

    def lags(self) -> None:
        self._sockets.pulse.lags(self)

    def beat(self) -> None:
        self._silence += 1
        if self._silence > self._sockets.rules.silent_beats:
            self.close(CloseCode.IDLE)
        elif not self._closing:
            self._writer.put(PING)

    def watch(self, now_s: float) -> bool:
        cause = self._writer.watch(now_s)
        if cause:
            self.abort(cause)
        return cause is None

    # What the protocol found in the bytes

    def _take(self, event: Event, at_ms: int) -> None:
        if isinstance(event, Request):
            self._shake(event)
        elif isinstance(event, Frame):
            is_message = event.opcode in (Opcode.BINARY, Opcode.TEXT, Opcode.CONT)
            if self._may_come(self._frames if is_message else self._controls, at_ms) and is_message:
                self._assemble(event)

    def _may_come(self, bucket: Bucket, at_ms: int) -> bool:
        """Whether a frame that counts in `bucket` is taken."""
        if self._closing:
            return False
        self._silence = 0
        if bucket.wait_ms(at_ms):
            self.close(CloseCode.RATE_LIMITED, "Too many frames.")
            return False
        return True

    def _assemble(self, part: Frame) -> None:
        try:
            message = self._assembly.add(part)
        except UnicodeDecodeError:
            self.close(CloseCode.BAD_FRAME, "A text message must be UTF-8.")
            return
        if message is not None:
            self._hear(message)

    def _hear_all(self, messages: list[bytes], at_ms: int) -> None:
        """Take the messages of one read: as one, unless each has to be looked at."""
        driver = self._driver
        if driver is None or not self._admitted or self._closing or not self._frames.takes(len(messages), at_ms):
            for message in messages:
                if self._may_come(self._frames, at_ms):
                    self._hear(message)
            return
        self._silence = 0
        self._counts.frames_in += len(messages)
        for message in messages:
            if self._closing:  # the driver closed
                return
            driver.receive(message)

    def _hear(self, message: bytes | str) -> None:
        if self._driver is not None and (self._admitted_now() or self._may_come_early(message)):
            self._counts.frames_in += 1
            self._driver.receive(message)

    def _may_come_early(self, message: bytes | str) -> bool:
        """Whether a message is taken before the hello is answered."""
        self._early_bytes += len(message if isinstance(message, bytes) else message.encode())
        if self._early_bytes > self._sockets.rules.max_hello_bytes:
            self.close(CloseCode.TOO_LARGE, "Too much before the hello was answered.")
            return False
        return True

    def _shake(self, request: Request) -> None:
        self._go_on(self._sockets.answer(self._protocol, request, peer_address(self._transport)))

    def _go_on(self, admission: Admission | None) -> None:
        """The handshake was answered."""
        self._pump()
        if admission is not None:
            subprotocol = str(self._protocol.subprotocol)
            self._head = TEXT_HEAD if subprotocol == SUBPROTOCOL_JSON else BINARY_HEAD
            self._driver = admission.open(self, subprotocol, admission.peer)
            self._sockets.pulse.add(self)

    # Ending

    def _pump(self) -> None:
        """Send what the protocol itself has to say: the handshake, pongs, its close frame; then note how it stands."""
        said = self._protocol.data_to_send()
        if said and not self._closing:
            self._writer.put(b"".join(said))
        if self._protocol.state is OPEN or (self._protocol.state is CONNECTING and not self._protocol.eof_sent):
            return
        if not self._closing:
            self._closing = True
            self._note_cause()
            self._arm(self._sockets.rules.close_timeout_s)
        if self._protocol.eof_sent:
            self._writer.finish()

    def _note_cause(self) -> None:
        ours = self._protocol.close_rcvd is None and self._protocol.close_sent
        if ours:
            self._cause = str(ours.code)

    def _arm(self, after_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(after_s, self._late)

    def _late(self) -> None:
        """A deadline came: of the hello, of its answer, or of the closing."""
        if self._closing or self._driver is None:
            self._transport.abort()
        elif self._admitted_now():
            return
        elif self._early_bytes and not self._is_answer_late:
            self._is_answer_late = True
            self._arm(self._sockets.rules.admission_timeout_s)
        else:
            self.close(CloseCode.HELLO_TIMEOUT, "No valid hello in time.")

    def _admitted_now(self) -> bool:
        if self._admitted:
            return True
        if self._driver is not None and self._driver.admitted:
            self._admitted = True
            self._protocol.allow(self._sockets.rules.max_frame_bytes)
            if self._timer is not None and not self._closing:
                self._timer.cancel()
        return self._admitted
