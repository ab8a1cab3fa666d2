"""One port for HTTP and sockets: Starlette on uvicorn, which hands upgraded connections over to `Connection`.

Invariant: listens exactly where it was told; signals are the caller's; what was started has ended when `serve` returns.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette

from gateway.connection import Connection
from gateway.http import guarded
from gateway.sockets import Sockets


def listen(host: str, port: int, user_timeout_s: float) -> socket.socket:
    """Return a listening socket. What it accepts inherits TCP_USER_TIMEOUT, which drops peers that acknowledge none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(user_timeout_s * 1000))
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process that runs us."""
        yield


class Server:
    """Serves `app` and `sockets` on `listener` until told to stop."""

    def __init__(self, app: Starlette, sockets: Sockets, listener: socket.socket) -> None:
        def connection(**_: Any) -> Connection:
            return Connection(sockets)

        self._listener = listener
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                app,
                http=guarded(sockets),
                ws=cast(type[asyncio.Protocol], connection),
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=2,
            )
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._listener.getsockname()[1])

    async def serve(self) -> None:
        """Serve until `stop`."""
        await self._uvicorn.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Take no more, answer what is being answered, then return from `serve`."""
        self._uvicorn.should_exit = True
