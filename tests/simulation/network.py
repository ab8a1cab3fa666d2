"""The network of a simulation: every connection to Redis, over memory, into fakeredis, with faults by chance.

Invariant: production's own `Connection` speaks real RESP bytes over it; bytes of one direction of one line stay in
order, as TCP keeps them; a cut line loses what is under way, and nobody learns whether it arrived.
"""

import asyncio
import copy
import hashlib
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

import fakeredis
from fakeredis.aioredis import AsyncFakeSocket

from tests.simulation.loop import EPOCH_S, SimulatedLoop

LATENCY_S = (0.000_05, 0.002)


@dataclass(slots=True)
class Weather:
    """How bad the network is: the chance of a cut per chunk, and of a chunk being late by up to `stall_s`."""

    cut: float = 0.0
    stall: float = 0.0
    stall_s: float = 2.0


@contextmanager
def redis_clock(loop: SimulatedLoop) -> Iterator[None]:
    """Make fakeredis read the loop's clock wherever it would read the machine's."""
    clock = SimpleNamespace(time=lambda: EPOCH_S + loop.now_s, sleep=real_time.sleep, monotonic=loop.time)
    modules = [
        "fakeredis._helpers", "fakeredis._socket._base", "fakeredis.commands_mixins.server_mixin",
        "fakeredis.model._stream",
    ]  # fmt: skip
    patches = [mock.patch(f"{module}.time", clock) for module in modules]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


class _Socket(AsyncFakeSocket):
    """fakeredis's server side of one line, with the two things it lacks: INFO, and scripts with a `#!lua` line."""

    def __init__(self, network: "Network") -> None:
        super().__init__(network.server, 0, client_class=fakeredis.FakeAsyncRedis)
        self._network = network

    async def _async_blocking(self, *args: Any, **kwargs: Any) -> None:
        try:
            await super()._async_blocking(*args, **kwargs)
        except AttributeError:
            if self.responses is not None:
                raise
            # The line was cut while its command blocked: there is nobody to answer.

    def _process_command(self, fields: list[bytes]) -> None:
        name = fields[0].upper() if fields else b""
        if name == b"INFO":
            self.put_response(self._network.info())
            return
        if name == b"EVAL" and fields[1].startswith(b"#!"):
            self._network.scripts[hashlib.sha1(fields[1]).hexdigest().encode()] = fields[1].split(b"\n", 1)[1]
            fields = [fields[0], fields[1].split(b"\n", 1)[1], *fields[2:]]
        elif name == b"EVALSHA" and fields[1] in self._network.scripts:
            fields = [b"EVAL", self._network.scripts[fields[1]], *fields[2:]]
        super()._process_command(fields)


class Line(asyncio.Transport):
    """One TCP connection to the simulated server."""

    def __init__(self, network: "Network", owner: str, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._network, self.owner, self._protocol = network, owner, protocol
        self._loop = network.loop
        self._socket: Any = _Socket(network)
        self._socket.put_response = self._reply
        self._free_up = {"up": 0.0, "down": 0.0}
        self.is_cut = False
        self._loop.call_soon(protocol.connection_made, self)

    def write(self, data: Any) -> None:
        if not self.is_cut:
            self._carry("up", bytes(data), self._arrive)

    def _arrive(self, data: bytes) -> None:
        self._socket.sendall(data)

    def _reply(self, value: Any) -> None:
        if not self.is_cut:
            self._carry("down", encode(value), self._protocol.data_received)

    def _carry(self, way: str, data: bytes, deliver: Callable[[bytes], None]) -> None:
        weather, chance = self._network.weather, self._loop.chance
        if weather.cut and chance.random() < weather.cut:
            delay = chance.uniform(*LATENCY_S)
            self._loop.call_later(delay, self.cut)
            if chance.random() < 0.5:
                return
        delay = chance.uniform(*LATENCY_S)
        if weather.stall and chance.random() < weather.stall:
            delay += chance.uniform(0, weather.stall_s)
        at = max(self._loop.time() + delay, self._free_up[way])
        self._free_up[way] = at + 1e-7
        self._loop.call_at(at, self._deliver, deliver, data)

    def _deliver(self, deliver: Callable[[bytes], None], data: bytes) -> None:
        if not self.is_cut:
            deliver(data)

    def cut(self) -> None:
        """Break the line: both sides lose it, and what was under way is gone."""
        if not self.is_cut:
            self.is_cut = True
            self._network.lines.pop(self, None)
            self._socket.put_response = lambda _value: None
            self._socket.close()
            self._loop.call_soon(self._protocol.connection_lost, ConnectionResetError("cut"))

    def close(self) -> None:
        self.cut()

    def abort(self) -> None:
        self.cut()

    def is_closing(self) -> bool:
        return self.is_cut

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Memory has no limit."""

    def pause_reading(self) -> None:
        """Nothing to pause: deliveries are scheduled one by one."""

    def resume_reading(self) -> None:
        """See pause_reading."""


class Network:
    """One simulated Redis and every line to it."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.loop = loop
        self.weather = Weather()
        self.lines: dict[Line, None] = {}  # in order of opening, so that a seed repeats
        self.server = fakeredis.FakeServer(version=(7,), server_type="redis")
        self.refusing: set[str] = set()
        self.scripts: dict[bytes, bytes] = {}
        self.restarts = 0

    def connect(self, owner: str, protocol: asyncio.Protocol) -> Line:
        """Open a line for `owner`; raises ConnectionRefusedError while `owner` is cut off."""
        if owner in self.refusing:
            raise ConnectionRefusedError(f"{owner} is cut off")
        line = Line(self, owner, protocol)
        self.lines[line] = None
        return line

    def cut_off(self, owner: str) -> None:
        """Cut every line of `owner` and let it open none until `reconnect`."""
        self.refusing.add(owner)
        for line in [line for line in self.lines if line.owner == owner]:
            line.cut()

    def reconnect(self, owner: str) -> None:
        """Let `owner` open lines again."""
        self.refusing.discard(owner)

    def info(self) -> bytes:
        """What INFO answers: who this life of the server is, and that it has memory left."""
        return b"# Server\r\nredis_version:7.0.0\r\nrun_id:life%d\r\nused_memory:1\r\nmaxmemory:0\r\n" % self.restarts

    def remember(self) -> Any:
        """Return a copy of everything stored now, as an append-only file cut at this moment would hold it."""
        return {number: copy.deepcopy(dict(db._dict)) for number, db in self.server.dbs.items()}

    def restart(self, remembered: Any = None) -> None:
        """Restart the server under a new run_id: with all its data, or only with what `remembered` holds."""
        self.restarts += 1
        for line in list(self.lines):
            line.cut()
        self.scripts.clear()
        if remembered is not None:
            for number, db in self.server.dbs.items():
                db._dict.clear()
                db._dict.update(remembered.get(number, {}))


def encode(value: Any) -> bytes:
    """Return `value` as RESP2."""
    match value:
        case None:
            return b"$-1\r\n"
        case bool():
            return b":%d\r\n" % int(value)
        case int():
            return b":%d\r\n" % value
        case float():
            return encode(repr(value).encode())
        case bytes():
            return b"$%d\r\n%s\r\n" % (len(value), value)
        case str():
            return encode(value.encode())
        case Exception():
            return b"-%s\r\n" % _error_text(value).replace("\r", " ").replace("\n", " ").encode()
        case list() | tuple():
            return b"*%d\r\n" % len(value) + b"".join(encode(item) for item in value)
        case _:
            raise TypeError(f"no RESP for {type(value)}")


def _error_text(error: Exception) -> str:
    text = str(error)
    name = type(error).__name__
    if name == "NoScriptError" and not text.startswith("NOSCRIPT"):
        return f"NOSCRIPT {text}"
    return text if text.split(" ", 1)[0].isupper() else f"ERR {text}"
