"""One WebSocket, in either subprotocol (SPEC 2).

Invariant: a line carries whole frames in order until it ends, and ends once, with a code; it never comes back.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgpack  # type: ignore[import-untyped] # it ships no types
import orjson
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

MSGPACK = "samtale.v1.msgpack"
JSON = "samtale.v1.json"
OPEN_TIMEOUT_S = 10.0
MAX_SERVER_FRAME_BYTES = 4 * 2**20  # a history page of 100 long messages


class LineLost(Exception):
    """The connection ended, or never began. `code` is the close code; 1006 if nobody said why."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class Line(Protocol):
    """What a client needs of a connection: replace it to simulate, to cut and to measure."""

    async def send(self, raw: bytes | str) -> None:
        """Hand over one message: bytes for MessagePack, str for JSON. Raises LineLost."""

    async def receive(self) -> bytes | str:
        """Return the next message. Raises LineLost."""

    async def close(self, code: int = 1000) -> None:
        """End it; never raises."""


Connect = Callable[[str], Awaitable[Line]]


def encode(frame: dict[str, Any], subprotocol: str) -> bytes | str:
    """Return the message that carries `frame`."""
    if subprotocol == JSON:
        return orjson.dumps(frame).decode()
    packed: bytes = msgpack.packb(frame)
    return packed


def decode(raw: bytes | str) -> dict[str, Any]:
    """Return the frame in a message. Raises LineLost: a server that sends something else is not ours."""
    try:
        frame = orjson.loads(raw) if isinstance(raw, str) else msgpack.unpackb(raw)
    except ValueError as error:
        raise LineLost(1007, str(error)) from None
    if not isinstance(frame, dict) or not isinstance(frame.get("t"), str):
        raise LineLost(1007, "not a frame")
    return frame


class SocketLine:
    """A line over the network."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, raw: bytes | str) -> None:
        try:
            await self._socket.send(raw)
        except ConnectionClosed as error:
            raise _lost(error) from None

    async def receive(self) -> bytes | str:
        try:
            return await self._socket.recv()
        except ConnectionClosed as error:
            raise _lost(error) from None

    async def close(self, code: int = 1000) -> None:
        await self._socket.close(code)


def network(subprotocol: str = MSGPACK, via: tuple[str, int] | None = None) -> Connect:
    """Return the `connect` that opens real sockets; `via`: the host and port to go through, whoever the URL names."""
    through: dict[str, Any] = {} if via is None else {"host": via[0], "port": via[1]}

    async def connect(url: str) -> Line:
        try:
            socket = await open_socket(
                url,
                subprotocols=[Subprotocol(subprotocol)],
                compression=None,
                max_size=MAX_SERVER_FRAME_BYTES,
                open_timeout=OPEN_TIMEOUT_S,
                ping_interval=None,  # the client pings in frames, so that every kind of line is watched alike
                close_timeout=2.0,
                proxy=None,
                **through,
            )
        except InvalidURI:
            raise
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise LineLost(1006, str(error)) from None
        return SocketLine(socket)

    return connect


def _lost(error: ConnectionClosed) -> LineLost:
    close = error.rcvd or error.sent
    return LineLost(close.code, close.reason) if close else LineLost(1006)
