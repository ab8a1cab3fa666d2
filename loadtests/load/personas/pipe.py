"""A phone's way to its server, which can go bad: held in either direction, cut at one end or at both, or gone.

Invariant: bytes are carried whole and in order, as TCP carries them. Those that are held come late, or are lost with
their line; and nobody hears of a fault before a real network would have told them.
"""

import asyncio
import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import samtale

_CHUNK_BYTES = 4_096
UP, DOWN = "up", "down"  # from the phone, and to it


class Pipe:
    """One phone's. Each line that `connect` opens goes over it, through a free port of 127.0.0.1.

    `receive_bytes`: how much the kernel takes from the server while nobody reads; 0: as it likes. `ended` counts the
    lines that were and are no more; with the way down held, that the server has ended one is found out by writing.
    """

    def __init__(self, receive_bytes: int = 0) -> None:
        self.is_off = False
        self.ended = 0
        self.flows = {UP: asyncio.Event(), DOWN: asyncio.Event()}
        self._receive_bytes = receive_bytes
        self._wires: set[_Wire] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._goal = ("", 0)
        self._port = 0
        self.release()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_CHUNK_BYTES)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def connect(self, url: str) -> samtale.Line:
        """Open a line to the server at `url`. Raises LineLost."""
        if self.is_off:
            raise samtale.LineLost(1006, "there is no network")
        parts = urlsplit(url)
        assert parts.hostname is not None, url
        self._goal = (parts.hostname, parts.port or (443 if parts.scheme == "wss" else 80))
        return await samtale.network(via=("127.0.0.1", self._port))(url)

    def hold(self, *ways: str) -> None:
        """Let nothing through any more, `UP` or `DOWN` or both; the sockets look as alive as before."""
        for way in ways:
            self.flows[way].clear()

    def release(self) -> None:
        """Let everything through, what was held first."""
        for flow in self.flows.values():
            flow.set()

    def cut(self) -> None:
        """End every line at both ends, with what is under way, and let new ones through."""
        for wire in self._wires:
            wire.cut()
        self.release()

    def strand(self) -> None:
        """End every line at the phone's end only: the server is told nothing."""
        for wire in self._wires:
            wire.strand()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(_Wire(self.flows, reader, writer)))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, wire: "_Wire") -> None:
        self._wires.add(wire)
        try:
            await wire.run(await self._dial())
        except OSError:
            pass  # one end is gone, and so is the other
        finally:
            wire.cut()
            self._wires.discard(wire)
            self.ended += 1

    async def _dial(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        family, kind, _, _, address = (await loop.getaddrinfo(*self._goal, type=socket.SOCK_STREAM))[0]
        found = socket.socket(family, kind)
        found.setblocking(False)
        if self._receive_bytes:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_bytes)
        try:
            await loop.sock_connect(found, address)
        except BaseException:
            found.close()
            raise
        return found


class _Wire:
    """One line: the phone's end, and, once it runs, the server's."""

    def __init__(
        self, flows: dict[str, asyncio.Event], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.is_stranded = False
        self._flows = flows
        self._near, self._near_writer = reader, writer
        self._far_writer: asyncio.StreamWriter | None = None

    async def run(self, server: socket.socket) -> None:
        """Carry bytes until both ends are done. Raises OSError if one of them fails."""
        far, self._far_writer = await asyncio.open_connection(sock=server, limit=_CHUNK_BYTES)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(UP, self._near, self._far_writer))
                tasks.create_task(self._pump(DOWN, far, self._near_writer))
        except* OSError as errors:
            raise ConnectionResetError from errors

    def cut(self) -> None:
        for writer in (self._near_writer, self._far_writer):
            if writer is not None:
                writer.transport.abort()

    def strand(self) -> None:
        self.is_stranded = True
        self._near_writer.transport.abort()

    async def _pump(self, way: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while carried := await source.read(_CHUNK_BYTES):
            await self._flows[way].wait()
            if self.is_stranded:
                continue  # read and forgotten: the server must not learn from a full buffer that nobody is there
            if sink.is_closing():
                return  # uvloop raises where asyncio only counts
            try:
                sink.write(carried)
                await sink.drain()
            except OSError:
                if not self.is_stranded:
                    raise
        if not self.is_stranded and not sink.is_closing():
            sink.write_eof()
