"""The one way out of a socket: whole frames, in order, bounded, one write per turn of the loop.

Invariant: never more than the queue's bound plus the transport's high water is held for one peer; a peer that exceeds
it, or lets a byte wait longer than the send deadline, is found too slow and never served at others' cost.
"""

import asyncio
import struct
from typing import Protocol

from gateway.rules import SocketRules

TEXT_HEAD = 0x81  # RFC 6455 §5.2: FIN and opcode 1
BINARY_HEAD = 0x82
PING = b"\x89\x00"


_head_16, _head_64 = struct.Struct("!BBH").pack, struct.Struct("!BBQ").pack


def framed(head: int, data: bytes) -> bytes:
    """Return one unmasked, whole frame."""
    length = len(data)
    if length < 126:
        return bytes((head, length)) + data
    return (_head_16(head, 126, length) if length < 65_536 else _head_64(head, 127, length)) + data


class Tick:
    """Collects the writers that have something to say, and lets each speak once at the end of the loop's turn."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Writer] = []

    def add(self, writer: "Writer") -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(writer)

    def _flush(self) -> None:
        writers, self._waiting = self._waiting, []
        for writer in writers:
            writer.flush()


class Owner(Protocol):
    """Whose writer it is."""

    def overflowed(self) -> None:
        """The queue is full, since the peer does not read."""

    def lags(self) -> None:
        """Bytes stayed behind: `Writer.watch` is due until none do."""


class Writer:
    """The queue of one socket."""

    __slots__ = (
        "_bytes",
        "_is_cut",
        "_is_last",
        "_mark",
        "_owner",
        "_paused",
        "_queue",
        "_rules",
        "_strikes",
        "_tick",
        "_transport",
        "_waiters",
        "handed_bytes",
    )

    def __init__(self, transport: asyncio.Transport, owner: Owner, rules: SocketRules, tick: Tick) -> None:
        self._transport, self._owner, self._rules, self._tick = transport, owner, rules, tick
        self._queue: list[bytes] = []
        self._bytes = 0
        self._paused = self._is_last = self._is_cut = False
        self.handed_bytes = 0  # ever handed to the transport
        self._mark: tuple[int, float] | None = None  # so many must have left it by a deadline after that time
        self._strikes = 0
        self._waiters: list[asyncio.Future[None]] = []
        transport.set_write_buffer_limits(high=rules.high_water_bytes)

    def put(self, *frames: bytes) -> None:
        """Queue whole frames; they leave at the end of this turn, or when the peer has read."""
        queue, rules = self._queue, self._rules
        if not queue:
            self._tick.add(self)
        for frame in frames:
            queue.append(frame)
            self._bytes += len(frame)
            if len(queue) >= rules.queue_frames or self._bytes >= rules.queue_bytes:
                if self._paused:
                    self._owner.overflowed()
                    return
                self.flush()

    def flush(self) -> None:
        """Hand everything queued to the transport, unless the peer lags."""
        if self._paused or self._transport.is_closing():
            return
        if self._queue:
            data = b"".join(self._queue)
            self.handed_bytes += len(data)
            self._transport.write(data)
            self._empty()
            if self._transport.get_write_buffer_size():
                self._owner.lags()
        if self._is_last:
            self._hang_up()

    async def flushed(self) -> None:
        """Return when nothing is queued here and the kernel takes more, or the socket is gone."""
        while (self._queue or self._paused) and not (self._is_cut or self._transport.is_closing()):
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def drop(self) -> None:
        """Forget what is queued; a last frame may follow."""
        self._is_cut = True
        self._empty()

    def end(self) -> None:
        """The socket is gone. Nobody is told of anything any more, so that writer and owner are freed at once."""
        self.drop()
        del self._owner

    def finish(self) -> None:
        """Say no more after what is queued; the peer may still be read, so that it sees our last words."""
        self._is_last = True
        self.flush()

    def pause(self) -> None:
        """The kernel takes no more for now."""
        self._paused = True
        self._owner.lags()

    def resume(self) -> None:
        self._paused = False
        self.flush()
        self._wake()

    def watch(self, now_s: float) -> str | None:
        """Return "" once nothing waits, None while something does, or why the peer must be cut."""
        waiting = self._transport.get_write_buffer_size()
        if not waiting and not self._queue:
            self._mark, self._strikes = None, 0
            return ""
        self._strikes = self._strikes + 1 if waiting > self._rules.abort_bytes else 0
        if self._strikes >= 2:
            return "write_buffer"
        if self._mark is None or self.handed_bytes - waiting >= self._mark[0]:
            self._mark = (self.handed_bytes, now_s)
        return "send_deadline" if now_s - self._mark[1] > self._rules.send_deadline_s else None

    def _empty(self) -> None:
        self._queue.clear()
        self._bytes = 0
        self._wake()

    def _wake(self) -> None:
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def _hang_up(self) -> None:
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()  # TLS cannot half-close
