"""The minimum's gateway: one append per turn of the loop for all that came in it, one read for all that goes out.

Invariant: a visitor's acknowledgement is sent after Redis has answered the append, never before.
"""

import asyncio
from functools import partial

from starlette.applications import Starlette

from gateway.handshake import Doorway
from gateway.ports import Driver, Line, Peer
from gateway.rules import SocketRules
from gateway.server import Server, listen
from gateway.sockets import Sockets
from loadtests.load.serving import PLENTY
from loadtests.peers.minimum.bus import (
    INBOX,
    JOIN,
    MAX_ENTRIES,
    PACK,
    Message,
    Tail,
    connect,
    decode_message,
    decode_pack,
    encode,
    outbox,
)
from store.redis.connection import Connection, Part

READY = encode({"t": "ready"})


class Session:
    """One socket. The first message is the name of a conversation, said by its visitor or by its agent."""

    def __init__(self, hub: "Hub", line: Line, is_agent: bool) -> None:
        self.line = line
        self.admitted = False
        self._hub, self._is_agent = hub, is_agent

    def receive(self, raw: bytes | str) -> None:
        assert isinstance(raw, bytes), "spoken in msgpack"
        if self.admitted:
            self._hub.put(self, decode_message(raw), raw)
            return
        self.admitted = True
        if self._is_agent:
            self._hub.join(self, raw.decode())
        else:
            self.line.send(READY)

    def reconnect(self, after_ms: int) -> None:
        """Nobody is ever sent elsewhere."""

    def lost(self) -> None:
        """Nobody is missed."""


class Hub:
    """All sessions of this process (gateway.ports.Sessions)."""

    ready = True

    def __init__(self, name: str, line: Connection) -> None:
        self._name, self._line = name, line
        self._agents: dict[str, Session] = {}
        self._pack: list[tuple[str, bytes]] = []
        self._asking: list[tuple[Session, int]] = []
        self._loop = asyncio.get_running_loop()

    def open_mobile(self, line: Line, subprotocol: str, peer: Peer) -> Driver:
        del subprotocol, peer
        return Session(self, line, is_agent=False)

    def open_agent(self, line: Line, subprotocol: str, peer: Peer) -> Driver:
        del subprotocol, peer
        return Session(self, line, is_agent=True)

    def put(self, session: Session, message: Message, raw: bytes) -> None:
        """Append the message at the end of this turn."""
        if not self._pack:
            self._loop.call_soon(self._append)
        self._pack.append((message.conversation, raw))
        self._asking.append((session, message.n))

    def join(self, session: Session, conversation: str) -> None:
        """Let the engine know where the agent of `conversation` is, and the agent know that it does."""
        self._agents[conversation] = session
        joined = self._xadd(JOIN, encode((conversation, self._name)))
        joined.add_done_callback(lambda answer: session.line.send(READY) if answer.result() else None)

    async def deliver(self, tail: Tail) -> None:
        """Pass on what the engine wrote for this gateway, until cancelled."""
        while True:
            for _, value in await tail.more():
                for conversation, message in decode_pack(value):
                    self._agents[conversation].line.send(message)

    def _append(self) -> None:
        pack, asking = self._pack, self._asking
        self._pack, self._asking = [], []
        self._xadd(PACK, encode(pack)).add_done_callback(partial(self._appended, asking))

    def _appended(self, asking: list[tuple[Session, int]], answer: "asyncio.Future[bytes]") -> None:
        answer.result()  # what was not appended is not acknowledged
        for session, n in asking:
            session.line.send(encode({"t": "ack", "n": n}))

    def _xadd(self, *fields: Part) -> "asyncio.Future[bytes]":
        return self._line.send("XADD", INBOX, "MAXLEN", "~", MAX_ENTRIES, "*", *fields)


async def run(url: str, name: str) -> None:
    """Serve on a free port, which is printed, until cancelled."""
    rules = SocketRules(frames_per_minute=PLENTY, frames_burst=PLENTY)
    hub = Hub(name, await connect(url))
    sockets = Sockets(rules, Doorway(hub, frozenset(), rules))
    server = Server(Starlette(), sockets, listen("127.0.0.1", 0, rules.send_deadline_s))
    print(server.port, flush=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sockets.pulse.run())
        tasks.create_task(server.serve())
        tasks.create_task(hub.deliver(Tail(await connect(url), outbox(name))))
