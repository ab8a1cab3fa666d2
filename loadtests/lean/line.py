"""A raw WebSocket of a load driver: whole frames out and in, as cheaply as Python can.

Invariant: it speaks RFC 6455 to the letter but for the mask, which is zero: valid, and free of charge for the driver.
"""

import asyncio
import base64
import os
import re
import struct
from collections.abc import Callable
from typing import cast

from protocol.wire.limits import SUBPROTOCOL_MSGPACK

HANDSHAKE_S = 20.0
_NO_MASK = b"\0\0\0\0"
_TEXT, _BINARY, _CLOSE, _PING = 0x1, 0x2, 0x8, 0x9


def head(first: int, length: int) -> bytes:
    """Return what stands before a payload of `length` bytes, below 65,536."""
    size = bytes((first, 0x80 | length)) if length < 126 else struct.pack("!BBH", first, 0xFE, length)
    return size + _NO_MASK


def framed(message: bytes) -> bytes:
    """Return the WebSocket frame of a binary message, to be sent as it is."""
    return head(0x80 | _BINARY, len(message)) + message


class LineEnded(Exception):
    """The server ended a line that had to live; the text says how."""

    @property
    def code(self) -> int:
        """The close code, if it was closed with one; 1006 if it was not."""
        found = re.match(r"closed with (\d+)", str(self))
        return int(found[1]) if found else 1006


class Line(asyncio.Protocol):
    """One socket. `on_message` gets each message; `on_end` gets why the line ended, once."""

    def __init__(self, on_message: Callable[[bytes], None], on_end: Callable[[str], None]) -> None:
        self._on_message, self._on_end = on_message, on_end
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._why = "the line was cut"

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def send(self, message: bytes) -> None:
        """Send one binary message."""
        self._write(0x80 | _BINARY, message)

    def send_framed(self, frame: bytes) -> None:
        """Send what `framed` made."""
        if self._transport is not None:
            self._transport.write(frame)

    def send_text(self, message: bytes) -> None:
        """Send one text message, in UTF-8."""
        self._write(0x80 | _TEXT, message)

    def end(self) -> None:
        """Cut the line, as a phone does that loses its network."""
        if self._transport is not None:
            self._transport.abort()

    async def shake(self, host: str, path: str, subprotocol: str) -> None:
        """Ask for the socket, with a subprotocol unless it is "", and wait until it is there; raises LineEnded."""
        assert self._transport is not None, "not connected"
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            (
                f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                + (f"Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n" if subprotocol else "\r\n")
            ).encode()
        )
        await self.opened()

    async def opened(self) -> None:
        """Wait until the socket is open; raises LineEnded."""
        async with asyncio.timeout(HANDSHAKE_S):
            await self._open

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._open.done():
            data = self._shaken(self._buffer + data)
        elif self._buffer:
            data = self._buffer + data
        self._buffer = self._read(data) if self._open.done() else data

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # what matters was said before
        self._transport = None
        if not self._open.done():
            self._open.set_exception(LineEnded(self._why))
        self._on_end(self._why)

    # Inside.

    def _shaken(self, data: bytes) -> bytes:
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            return data
        status = head.partition(b"\r\n")[0].decode()
        if " 101 " not in status:
            self._why = status
            self.end()
            return b""
        self._open.set_result(None)
        return rest

    def _read(self, data: bytes) -> bytes:
        """Hand on every whole message in `data`; return what is left."""
        at, size, on_message = 0, len(data), self._on_message
        while size - at >= 2:
            first, length, start = data[at], data[at + 1], at + 2
            if length == 126:
                if size - at < 4:
                    break
                length, start = data[start] << 8 | data[start + 1], at + 4
            elif length == 127:
                if size - at < 10:
                    break
                length, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            end = start + length
            if end > size:
                break
            if first & 0x0F <= _BINARY:
                on_message(data[start:end])
            else:
                self._control(first & 0x0F, data[start:end])
            at = end
        return data[at:] if at < size else b""

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._write(0x8A, payload)
        elif opcode == _CLOSE:
            self._why = f"closed with {int.from_bytes(payload[:2], 'big')}: {payload[2:].decode()}"
            self.end()

    def _write(self, first: int, payload: bytes) -> None:
        if self._transport is not None:
            self._transport.write(head(first, len(payload)) + payload)


async def connect(
    url: str,
    path: str,
    on_message: Callable[[bytes], None],
    on_end: Callable[[str], None],
    subprotocol: str = SUBPROTOCOL_MSGPACK,
) -> Line:
    """Return an open line to the server at `url` (http://host:port). Raises LineEnded or OSError."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    loop = asyncio.get_running_loop()
    _, line = await loop.create_connection(lambda: Line(on_message, on_end), host, int(port))
    await line.shake(f"{host}:{port}", path, subprotocol)
    return line
