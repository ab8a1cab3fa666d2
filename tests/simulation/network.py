"""The network of a simulation: every connection to Redis, over memory, with faults by chance and on purpose.

Invariant: production's own `Connection` speaks real RESP bytes over it; bytes of one direction of one line stay in
order, as TCP keeps them. A line that ends may still deliver what was under way, late; nobody learns whether it did.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any

from tests.simulation.loop import SimulatedLoop
from tests.simulation.server import Server, Socket, encode

LATENCY_S = (0.000_05, 0.002)


@dataclass(slots=True)
class Weather:
    """How bad the network is, per chunk: the chance of a cut, of coming in two pieces, of being up to `stall_s` late."""

    cut: float = 0.0
    split: float = 0.0
    stall: float = 0.0
    stall_s: float = 2.0


class Line(asyncio.Transport):
    """One TCP connection to the simulated server."""

    def __init__(self, network: "Network", owner: str, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._network, self.owner, self._protocol = network, owner, protocol
        self._loop = network.loop
        self._inside = copy_context()  # of the part that connects: what it hears is frozen with it
        self.number = network.number()
        self._socket = Socket(network.server, self.number, self._reply)
        self._free = {"up": 0.0, "down": 0.0}
        self._stuck: dict[str, list[bytes]] = {"up": [], "down": []}
        self._pieces = {"up": 0, "down": 0}  # under way
        self._broken: set[str] = set()
        self.is_cut = False  # for the part
        self._is_over = False  # for the server
        self.listens = False
        self._loop.call_soon(protocol.connection_made, self, context=self._inside)

    def write(self, data: Any) -> None:
        if not self.is_cut:
            self.listens = self.listens or b"SSUBSCRIBE" in data[:64]
            self._carry("up", bytes(data))

    def _reply(self, value: Any) -> None:
        if not self.is_cut:
            self._carry("down", encode(value))

    def _carry(self, way: str, data: bytes) -> None:
        weather, chance = self._network.weather, self._loop.chance
        if way in self._broken:
            return
        if weather.cut and chance.random() < weather.cut:
            self._outside(self._loop.call_later, chance.uniform(*LATENCY_S), self.cut)
            self._broken.add(way)  # nothing comes after it
            if chance.random() < 0.5:
                return
        if weather.split and len(data) > 1 and chance.random() < weather.split:
            at = chance.randrange(1, len(data))
            self._send(way, data[:at])
            data = data[at:]
        self._send(way, data)

    def _send(self, way: str, data: bytes) -> None:
        weather, chance = self._network.weather, self._loop.chance
        delay = chance.uniform(*LATENCY_S)
        if weather.stall and chance.random() < weather.stall:
            delay += chance.uniform(0, weather.stall_s)
        at = max(self._loop.time() + delay, self._free[way])
        self._free[way] = at + 1e-7
        self._pieces[way] += 1
        if way == "up":
            self._outside(self._loop.call_at, at, self._arrive, way, data)
        else:
            self._loop.call_at(at, self._arrive, way, data, context=self._inside)

    def _outside(self, schedule: Callable[..., Any], *args: Any) -> None:
        schedule(*args, context=self._network.outside)

    def _arrive(self, way: str, data: bytes) -> None:
        self._pieces[way] -= 1
        if way in self._network.held.get(self.owner, ()) or self._stuck[way]:
            self._stuck[way].append(data)
        else:
            self._deliver(way, data)

    def release(self) -> None:
        """What was held up on this line arrives."""
        self._outside(self._loop.call_soon, self._drain, "up")
        self._loop.call_soon(self._drain, "down", context=self._inside)

    def _drain(self, way: str) -> None:
        while self._stuck[way] and way not in self._network.held.get(self.owner, ()):
            self._deliver(way, self._stuck[way].pop(0))

    def _deliver(self, way: str, data: bytes) -> None:
        if way == "up":
            if not self._is_over:
                self._socket.sendall(data)
                self._end_if_done()
        elif not self.is_cut:
            self._protocol.data_received(data)

    def cut(self) -> None:
        """Break the line. What the part had written may still arrive, even long after."""
        if self.is_cut:
            return
        self.is_cut = True
        self._loop.call_soon(self._protocol.connection_lost, ConnectionResetError("cut"), context=self._inside)
        under_way = self._pieces["up"] or self._stuck["up"]
        if not under_way or self._loop.chance.random() < 0.5:
            self.end()

    def end(self) -> None:
        """The server loses the line too, with whatever is still under way."""
        self.cut()
        if not self._is_over:
            self._is_over = True
            self._network.lines.pop(self, None)
            self._socket.close()

    def _end_if_done(self) -> None:
        if self.is_cut and not self._pieces["up"] and not self._stuck["up"]:
            self.end()

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
    """Every line to the one simulated Redis."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.loop = loop
        self.server = Server(loop)
        self.outside: Context = copy_context()
        self.weather = Weather()
        self.lines: dict[Line, None] = {}  # in order of opening, so that a seed repeats
        self.refusing: set[str] = set()
        self.held: dict[str, tuple[str, ...]] = {}  # owner → the ways in which nothing arrives
        self._opened = 0

    def number(self) -> int:
        """Return the number of the next line."""
        self._opened += 1
        return self._opened

    def connect(self, owner: str, protocol: asyncio.Protocol) -> Line:
        """Open a line for `owner`; raises ConnectionRefusedError while `owner` is cut off."""
        if owner in self.refusing:
            raise ConnectionRefusedError(f"{owner} is cut off")
        line = Line(self, owner, protocol)
        self.lines[line] = None
        return line

    def of(self, owner: str) -> list[Line]:
        """Return the open lines of `owner`, in order of opening."""
        return [line for line in self.lines if line.owner == owner]

    def cut_off(self, owner: str) -> None:
        """Cut every line of `owner` and let it open none until `reconnect`."""
        self.refusing.add(owner)
        for line in self.of(owner):
            line.cut()

    def reconnect(self, owner: str) -> None:
        """Let `owner` open lines again."""
        self.refusing.discard(owner)

    def hold(self, owner: str, *ways: str) -> None:
        """Let nothing arrive from (`up`) or at (`down`) `owner`; its lines stay open, old and new."""
        self.held[owner] = ways

    def release(self, owner: str) -> None:
        """What was held up arrives now, late and in order."""
        self.held.pop(owner, None)
        for line in self.of(owner):
            line.release()

    def cut_listeners(self) -> None:
        """Cut every line that hears channels: hints on their way are lost."""
        for line in [line for line in self.lines if line.listens]:
            line.cut()

    def restart(self, remembered: Any = None) -> None:
        """Restart the server; every line ends, with what was under way."""
        for line in list(self.lines):
            line.end()
        self.server.restart(remembered)
