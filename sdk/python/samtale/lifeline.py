"""The connection of one client: opened, watched, and opened again.

Invariant: at most one line at a time; between two lines the wait of SPEC 11; a line without a sign of life is given up.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, Protocol

from samtale import backoff
from samtale.line import Line, LineLost, decode, encode
from samtale.surroundings import Surroundings

Frame = dict[str, Any]

READY_TIMEOUT_S = 15.0
SEND_TIMEOUT_S = 10.0
DEAD_AFTER_HEARTBEATS = 2.5
PLANNED = 4000


class Party(Protocol):
    """Whose connection it is."""

    async def hello(self) -> tuple[str, Frame]:
        """Return the address to go to and the first frame. Raises LineLost if there is no getting in."""

    def take(self, frame: Frame) -> None:
        """Take a frame from the server."""

    def due(self) -> Iterator[Frame]:
        """Yield the frames to put on the line now; called when ready, and after each `wake`."""

    def due_in_s(self) -> float | None:
        """Return in how many seconds `due` has more without being woken; None if never."""

    async def room(self) -> None:
        """Return when more frames may be taken."""

    def ended(self, lost: LineLost, again_in_s: float | None) -> None:
        """The line is gone."""


class Lifeline:
    """Keeps `party` connected for as long as `run` runs."""

    def __init__(self, party: Party, world: Surroundings) -> None:
        self._party = party
        self._world = world
        self._wake = asyncio.Event()
        self._ready = False
        self._heartbeat_s = READY_TIMEOUT_S
        self._heard_at = self._pinged_at = 0.0
        self._leave_at: float | None = None
        self._retry_after_ms = 0

    @property
    def ready(self) -> bool:
        """Whether frames go through now."""
        return self._ready

    def renew(self) -> None:
        """Let go of the line, if there is one, and come back at once: with another `hello`."""
        self._leave_at = _now()
        self._wake.set()

    def wake(self) -> None:
        """There may be something to put on the line."""
        self._wake.set()

    async def run(self) -> None:
        """Stay connected until the server says not to come back."""
        failures = 0
        while True:
            self._ready, self._leave_at, self._retry_after_ms = False, None, 0
            lost = await self._once()
            failures = 0 if self._ready else failures + 1
            self._ready = False
            again_in_s = self._again_in_s(lost, failures)
            self._party.ended(lost, again_in_s)
            if again_in_s is None:
                return
            await asyncio.sleep(again_in_s)

    def _again_in_s(self, lost: LineLost, failures: int) -> float | None:
        if self._leave_at is not None and backoff.comes_back(lost.code):
            return max(0.0, self._leave_at - _now())  # the server has spread its clients already
        if not backoff.comes_back(lost.code):
            return None
        return backoff.delay_s(lost.code, failures, self._world.chance(), self._retry_after_ms)

    async def _once(self) -> LineLost:
        try:
            address, hello = await self._party.hello()
            line = await self._world.dial(address)
        except LineLost as lost:
            return lost
        except OSError as error:
            return LineLost(1006, str(error))
        self._heard_at = self._pinged_at = _now()
        self._heartbeat_s = READY_TIMEOUT_S / DEAD_AFTER_HEARTBEATS
        writer = asyncio.create_task(self._write(line, hello))
        try:
            while True:
                self._take(decode(await line.receive()))
                await self._party.room()
        except LineLost as lost:
            return lost
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await line.close()

    def _take(self, frame: Frame) -> None:
        self._heard_at = _now()
        if frame["t"] == "ready":
            self._ready = True
            self._heartbeat_s = frame["heartbeat_s"]
        elif frame["t"] == "reconnect":
            self._leave_at = _now() + frame["after_ms"] / 1000
        elif frame["t"] == "refused" and not self._ready:
            self._retry_after_ms = frame.get("retry_after_ms", 0)
        self._party.take(frame)
        self._wake.set()

    async def _write(self, line: Line, hello: Frame) -> None:
        try:
            await self._send(line, hello)
            while True:
                self._wake.clear()
                if self._ready:
                    for frame in self._party.due():
                        await self._send(line, frame)
                await self._watch(line)
        except LineLost:
            pass  # the reader hears of it as well
        except TimeoutError:
            await line.close()

    async def _watch(self, line: Line) -> None:
        """Wait for something to do; ping a silent line, end a dead one or one that the server asked to leave."""
        now = _now()
        ends = [self._heard_at + DEAD_AFTER_HEARTBEATS * self._heartbeat_s]
        if self._leave_at is not None:
            ends.append(self._leave_at)
        if now >= min(ends):
            raise TimeoutError
        if self._ready:
            ends += await self._ping(line, now)
        try:
            async with asyncio.timeout_at(min(ends)):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _ping(self, line: Line, now: float) -> list[float]:
        """Ping if nothing was heard for a heartbeat; return the times to look again."""
        if now >= max(self._heard_at, self._pinged_at) + self._heartbeat_s:
            self._pinged_at = now
            await self._send(line, {"t": "ping", "ref": self._world.new_id()})
        due_in_s = self._party.due_in_s()
        ping_at = max(self._heard_at, self._pinged_at) + self._heartbeat_s
        return [ping_at] if due_in_s is None else [ping_at, now + due_in_s]

    async def _send(self, line: Line, frame: Frame) -> None:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await line.send(encode(frame, self._world.subprotocol))


def _now() -> float:
    return asyncio.get_running_loop().time()
