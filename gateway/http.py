"""HTTP as far as strangers can abuse it: uvicorn's httptools protocol with a deadline and a bound for the head.

Invariant: a connection that has not said what it wants within the hello's deadline, or in 16 KiB, is cut; uvicorn
alone would wait for ever, and httptools would keep any number of headers.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.connection import Connection
from gateway.opening import Opening, read_opening
from gateway.rules import SocketRules
from gateway.sockets import Sockets

HEAD_ENDS = b"\r\n\r\n"


class GuardedHttp(HttpToolsProtocol):
    """uvicorn makes one per TCP connection; `rules` and `open_connection` are set by `guarded`."""

    rules: SocketRules
    open_connection: Callable[[], Connection]
    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _tail = b""  # the end of what came before, in which the end of a head may begin
    _is_new = True  # nothing came yet: uvicorn need not know that there is somebody

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.connections.add(self)  # whoever shuts down finds it
        self._await_head()

    def data_received(self, data: bytes) -> None:
        if self._is_new:
            self._is_new = False
            if (asked := read_opening(data)) is not None and len(data) <= self.rules.max_head_bytes:
                self._hand_over(asked)
                return
            super().connection_made(self.transport)
        if self._timer is not None:
            end = (self._tail + data).find(HEAD_ENDS)  # a body that comes with its head is no head
            self._head_bytes += len(data) if end < 0 else end + len(HEAD_ENDS) - len(self._tail)
            self._tail = (self._tail + data)[1 - len(HEAD_ENDS) :]
            if self._head_bytes > self.rules.max_head_bytes:
                self.transport.abort()
                return
        super().data_received(data)

    def _hand_over(self, asked: Opening) -> None:
        """A socket from the first bytes on: no HTTP is to be served here."""
        self._head_is_done()
        self.connections.discard(self)
        connection = self.open_connection()
        connection.connection_made(self.transport)
        connection.asked(asked)
        self.transport.set_protocol(connection)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._head_is_done()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()  # pipelined: the answer to the request before would be written into the socket
            return
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_done()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_bytes, self._tail = 0, b""
        self._timer = self.loop.call_later(self.rules.hello_timeout_s, self.transport.abort)

    def _head_is_done(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def guarded(sockets: Sockets) -> type[asyncio.Protocol]:
    """Return the protocol class for uvicorn, bound to `sockets`."""
    bound: dict[str, Any] = {"rules": sockets.rules, "open_connection": lambda _: Connection(sockets)}
    return type("GuardedHttp", (GuardedHttp,), bound)
