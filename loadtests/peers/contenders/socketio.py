"""The socket.io peer: two Node processes of `socketio/server.js`, visitors on one and agents on the other.

Its frames, written by hand: engine.io 4 packs a socket.io 5 packet into a text message. "40{…}" connects, "42" and an
ack id carry an event, "43" and that id its acknowledgement; "2" is a ping and "3" the answer.
Invariant: a message has the same fields and text as one of Samtale's.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from loadtests.lean.frames import TEXT_CHARS
from loadtests.lean.line import Line, connect
from loadtests.peers.contenders.children import Children, children
from loadtests.peers.contenders.standing import Standing
from loadtests.peers.talk import Pair

HOME = Path(__file__).parent.with_name("socketio")
PATH = "/socket.io/?EIO=4&transport=websocket"
READY_S = 30.0
LIBRARIES = ("socket.io", "@socket.io/redis-streams-adapter", "redis", "ws", "bufferutil")
PADDING = b"abcdefghi " * (TEXT_CHARS // 10)
TEXT = b'"text":"'


class NoNode(Exception):
    """Node or npm is not on this machine."""


class End:
    """One end of a pair. `on_packet` gets each socket.io packet that follows the connection."""

    def __init__(self, on_packet: Callable[[bytes], None], on_end: Callable[[str], None]) -> None:
        self._on_packet, self._on_end = on_packet, on_end
        self._line: Line | None = None
        self._connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def enter(self, url: str, conversation: str) -> None:
        """Connect into the room of `conversation`."""
        self._line = await connect(url, PATH, self._hear, self._on_end, subprotocol="")
        self._line.send_text(b"40" + json.dumps({"conversation": conversation}).encode())
        async with asyncio.timeout(READY_S):
            await self._connected

    def say(self, packet: bytes) -> None:
        """Send one packet."""
        assert self._line is not None, "not connected"
        self._line.send_text(packet)

    def leave(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.end()

    def _hear(self, message: bytes) -> None:
        if message.startswith((b"42", b"43")):
            self._on_packet(message)
        elif message == b"2":
            self.say(b"3")
        elif message.startswith(b"40"):
            self._connected.set_result(None)


class SocketIoPair(Pair):
    """A pair in one room."""

    def __init__(self, conversation: str) -> None:
        super().__init__()
        self._conversation = conversation
        self._visitor = End(lambda packet: self.acked(int(packet[2:-2])), self._ended)  # 43<id>[]
        self._agent = End(self._delivered, self._ended)
        self._leaving = False
        self._head = b'["message",{"conversation":"%b","n":' % conversation.encode()
        self.say = self._say

    async def enter(self, first: str, second: str) -> None:
        """Connect the agent, then the visitor."""
        await self._agent.enter(second, self._conversation)
        await self._visitor.enter(first, self._conversation)

    def leave(self) -> None:
        """Hang up at both ends."""
        self._leaving = True
        self._visitor.leave()
        self._agent.leave()

    def _say(self, number: int) -> None:
        text = b"%08d%b" % (number, PADDING[8:])
        self._visitor.say(b'42%d%b%d,"id":"%08d",%b%b"}]' % (number, self._head, number, number, TEXT, text))

    def _delivered(self, packet: bytes) -> None:
        at = packet.index(TEXT) + len(TEXT)
        self.read(int(packet[at : at + 8]))

    def _ended(self, why: str) -> None:
        if not self._leaving:
            self.troubles.append(why)


async def installed() -> str:
    """Return the path of node, with the libraries installed as the lock says; raises NoNode."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoNode("node and npm are needed for the socket.io peer")
    lock, done = HOME / "package-lock.json", HOME / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        child = await asyncio.create_subprocess_exec(npm, "ci", "--ignore-scripts", "--silent", cwd=HOME)
        if await child.wait():
            raise NoNode("npm ci failed in loadtests/peers/socketio")
        done.touch()
    return node


def versions(node: str) -> list[str]:
    """Return the version of Node and of each library that matters, as installed."""
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    packages = json.loads((HOME / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return [f"node {told.strip()}", *(f"{name} {packages[f'node_modules/{name}']['version']}" for name in LIBRARIES)]


async def _server(found: Children, node: str, role: str) -> str:
    port = await found.start(role, [node, "server.js", found.valkey.url], cwd=HOME)
    return f"http://127.0.0.1:{port}"


@asynccontextmanager
async def socketio(count: int) -> AsyncIterator[Standing]:
    """Start two servers and `count` pairs."""
    node = await installed()
    async with children() as found:
        first, second = [await _server(found, node, f"server-{number}") for number in (1, 2)]
        pairs = [SocketIoPair(f"c00_{number:022d}") for number in range(count)]
        try:
            for pair in pairs:
                await pair.enter(first, second)
            yield Standing(list(pairs), found.used)
        finally:
            for pair in pairs:
                pair.leave()
