"""A gateway shell with the smallest possible sessions: the first message is the hello, each later one comes back.

Invariant: everything below the `Sessions` port is the real thing, on a free port of 127.0.0.1.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.counts import Gauges
from gateway.handshake import Doorway
from gateway.ports import Driver, Line, Peer, Redis
from gateway.public.login import LoginDesk
from gateway.public.routes import public_app
from gateway.rules import SocketRules
from gateway.server import Server, listen
from gateway.sockets import Sockets
from protocol.ids import CellName
from protocol.wire.codes import CloseCode
from store.redis.faults import Away
from store.sql import tables
from store.sql.database import DirectDatabase

ORIGIN = "https://console.example"


class NoRedis:
    """Redis is away."""

    async def call(self, cell: CellName | None, *parts: object) -> object:
        raise Away("nobody listens")


class Echo:
    """A session: `flood` makes it talk without end, `leave` close the line, `break` raise; `wait…` is no hello."""

    def __init__(self, line: Line, subprotocol: str, peer: Peer) -> None:
        self.line, self.subprotocol, self.peer = line, subprotocol, peer
        self.admitted = False
        self.heard: list[bytes | str] = []
        self.was_lost = asyncio.Event()

    def receive(self, raw: bytes | str) -> None:
        self.heard.append(raw)
        word = raw.encode() if isinstance(raw, str) else raw
        self.admitted = self.admitted or not word.startswith(b"wait")
        if word == b"break":
            raise ArithmeticError("a bug of this session")
        if word == b"leave":
            self.line.close(CloseCode.REVOKED, "as asked")
        elif word == b"flood":
            asyncio.get_running_loop().call_soon(self._flood)
        else:
            self.line.send(word)

    def reconnect(self, after_ms: int) -> None:
        self.line.send(b"reconnect %d" % after_ms)

    def lost(self) -> None:
        assert not self.was_lost.is_set()
        self.was_lost.set()

    def _flood(self) -> None:
        if not self.was_lost.is_set():
            self.line.send(bytes(1_000))
            asyncio.get_running_loop().call_soon(self._flood)


class Echoes:
    """The `Sessions` port; remembers every session it opened."""

    def __init__(self) -> None:
        self.ready = True
        self.opened: list[Echo] = []

    def open_mobile(self, line: Line, subprotocol: str, peer: Peer) -> Driver:
        self.opened.append(Echo(line, subprotocol, peer))
        return self.opened[-1]

    open_agent = open_mobile


class Shell:
    """A running gateway shell."""

    def __init__(self, sockets: Sockets, sessions: Echoes, server: Server) -> None:
        self.sockets, self.sessions, self.server = sockets, sessions, server
        self.authority = f"127.0.0.1:{server.port}"

    @property
    def mobile(self) -> str:
        return f"ws://{self.authority}/v1/mobile"

    @property
    def agent(self) -> str:
        return f"ws://{self.authority}/v1/agent"

    async def lost(self, index: int = -1) -> None:
        """Wait until the session's line is gone."""
        async with asyncio.timeout(60):
            await self.sessions.opened[index].was_lost.wait()


def no_accounts() -> DirectDatabase:
    """Return the configuration of an installation without accounts."""
    database = DirectDatabase("sqlite://")
    with database.engine.begin() as connection:
        tables.CONFIG.create_all(connection)
    return database


@asynccontextmanager
async def shell(
    rules: SocketRules | None = None, redis: Redis | None = None, proxies: frozenset[str] = frozenset()
) -> AsyncIterator[Shell]:
    """Run a gateway shell with echoing sessions."""
    sessions, rules = Echoes(), rules or SocketRules()
    sockets = Sockets(rules, Doorway(sessions, frozenset({ORIGIN}), rules), proxies)
    logins = LoginDesk(sockets, redis or NoRedis(), no_accounts(), os.urandom)
    app = public_app(sockets, sessions, logins, None, Gauges([]))
    server = Server(app, sockets, listen("127.0.0.1", 0, rules.send_deadline_s))
    async with asyncio.TaskGroup() as tasks:
        pulse = tasks.create_task(sockets.pulse.run())
        serving = tasks.create_task(server.serve())
        try:
            yield Shell(sockets, sessions, server)
        finally:
            for socket in list(sockets.open):
                socket.abort("test over")
            server.stop()
            await serving
            pulse.cancel()
