"""A stretch of line between one phone and the gateways, to be cut at any byte.

Invariant: bytes pass unchanged and in order until the cut; after it none pass, either way, until a new connection does.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

_CHUNK_BYTES = 65_536


class Relay:
    """Carries each new connection to the next gateway in turn; while it is cut, new ones wait."""

    def __init__(self, gateways: list[str]) -> None:
        self._gateways = gateways
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._budget_bytes: int | None = None  # how many more bytes go up before the cut; None: no cut is due
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""
        self.carried: list[str] = []  # the gateways that connections went to, in order

    @asynccontextmanager
    async def laid(self) -> AsyncIterator["Relay"]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()

    def cut_after(self, upstream_bytes: int) -> None:
        """Deliver nothing to the phone any more, and cut its line after that many more bytes of its own."""
        self._budget_bytes = upstream_bytes
        self._is_open.clear()

    def mend(self) -> None:
        """Let new connections through, to the next gateway."""
        self._budget_bytes = None
        self._is_open.set()

    @property
    def is_cut(self) -> bool:
        """Whether the bytes of `cut_after` have gone by."""
        return self._budget_bytes == 0

    async def _carry(self, phone_in: asyncio.StreamReader, phone_out: asyncio.StreamWriter) -> None:
        self._writers.add(phone_out)
        await self._is_open.wait()
        gateway = self._gateways[len(self.carried) % len(self._gateways)]
        self.carried.append(gateway)
        where = urlsplit(gateway)
        with suppress(OSError):
            gateway_in, gateway_out = await asyncio.open_connection(where.hostname, where.port)
            self._writers.add(gateway_out)
            await _both(self._up(phone_in, gateway_out, phone_out), self._down(gateway_in, phone_out))
            if not self.is_cut:
                gateway_out.close()
        # After a cut the gateway's end stays as it is: nobody tells a server that a phone is in a tunnel.
        phone_out.close()

    async def _up(
        self, phone_in: asyncio.StreamReader, gateway_out: asyncio.StreamWriter, phone_out: asyncio.StreamWriter
    ) -> None:
        while passing := await phone_in.read(_CHUNK_BYTES):
            if self._budget_bytes is not None:
                passing = passing[: self._budget_bytes]
                self._budget_bytes -= len(passing)
            gateway_out.write(passing)
            await gateway_out.drain()
            if self.is_cut:
                phone_out.transport.abort()
                return

    async def _down(self, gateway_in: asyncio.StreamReader, phone_out: asyncio.StreamWriter) -> None:
        while passing := await gateway_in.read(_CHUNK_BYTES):
            if self._budget_bytes is None:
                phone_out.write(passing)
                await phone_out.drain()


async def _both(up: Coroutine[None, None, None], down: Coroutine[None, None, None]) -> None:
    """Run until either direction ends."""
    ways = [asyncio.ensure_future(up), asyncio.ensure_future(down)]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
