"""A WebSocket client that misbehaves: bytes on a TCP connection, nothing answered unless asked to.

Invariant: what it is not told to read stays unread in the kernel.
"""

import asyncio
import os
import socket
import struct
from dataclasses import dataclass

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n"
)
MSGPACK = "Sec-WebSocket-Protocol: samtale.v1.msgpack\r\n"


def masked(opcode: int, data: bytes, *, fin: bool = True) -> bytes:
    """Return a client's frame."""
    key = os.urandom(4)
    body = bytes(byte ^ key[index % 4] for index, byte in enumerate(data))
    length = len(data)
    if length < 126:
        head = bytes([fin << 7 | opcode, 0x80 | length])
    elif length < 65_536:
        head = struct.pack("!BBH", fin << 7 | opcode, 0xFE, length)
    else:
        head = struct.pack("!BBQ", fin << 7 | opcode, 0xFF, length)
    return head + key + body


@dataclass
class RawSocket:
    """A TCP connection to a gateway."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, authority: str, *, receive_buffer: int | None = None) -> "RawSocket":
        host, port = authority.split(":")
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1_024)
        return cls(reader, writer)

    @classmethod
    async def open(cls, authority: str, path: str = "/v1/mobile", *, receive_buffer: int | None = None) -> "RawSocket":
        """Connect and upgrade."""
        self = await cls.connect(authority, receive_buffer=receive_buffer)
        self.writer.write(UPGRADE.format(path=path, host=authority, extra=MSGPACK).encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        return self

    def send(self, opcode: int, data: bytes, *, fin: bool = True) -> None:
        self.writer.write(masked(opcode, data, fin=fin))

    async def frame(self) -> tuple[int, bytes]:
        """Read one frame of the server's: opcode and payload."""
        head, length = await self.reader.readexactly(2)
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return head & 0x0F, await self.reader.readexactly(length)

    async def close_code(self) -> int:
        """Read until the close frame and return its code."""
        while True:
            opcode, payload = await self.frame()
            if opcode == 8:
                return int.from_bytes(payload[:2], "big")

    async def ended(self) -> bytes:
        """Read until the other side ends, by end of file or reset; return what came."""
        came = b""
        try:
            while part := await self.reader.read(65_536):
                came += part
        except ConnectionError:
            pass
        return came

    async def close(self) -> None:
        self.writer.transport.abort()
