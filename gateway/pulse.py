"""The clock that all sockets of a process share: heartbeats, and a watch over those that lag.

Invariant: one task however many sockets there are; a beat falls on each socket once per `heartbeat_s`, spread evenly,
so that eighteen thousand idle phones never cost one long turn of the loop. After a pause of this process each socket is
asked once, however long the pause was: what nobody asked is not missed.
"""

import asyncio
from typing import Protocol

from gateway.rules import SocketRules

SLOTS = 100


class Beating(Protocol):
    """A socket, as its clock sees it."""

    def beat(self) -> None:
        """Ask the peer for a sign of life."""

    def watch(self, now_s: float) -> bool:
        """Look at what still waits to be read; False when that is over, one way or the other."""


class Pulse:
    """Add a socket when it opens, remove it when it is gone; `lags` while its peer has bytes to read."""

    def __init__(self, rules: SocketRules) -> None:
        self._rules = rules
        self._slots: list[set[Beating]] = [set() for _ in range(SLOTS)]
        self._slot_of: dict[Beating, int] = {}
        self._lagging: set[Beating] = set()
        self._now = 0

    def add(self, socket: Beating) -> None:
        self._slot_of[socket] = self._now
        self._slots[self._now].add(socket)

    def remove(self, socket: Beating) -> None:
        slot = self._slot_of.pop(socket, None)
        if slot is not None:
            self._slots[slot].discard(socket)
        self._lagging.discard(socket)

    def lags(self, socket: Beating) -> None:
        self._lagging.add(socket)

    async def run(self) -> None:
        """Beat and watch until cancelled."""
        loop = asyncio.get_running_loop()
        step_s = self._rules.heartbeat_s / SLOTS
        next_beat_s, next_watch_s = loop.time() + step_s, loop.time() + self._rules.watch_every_s
        while True:
            await asyncio.sleep(min(next_beat_s, next_watch_s) - loop.time())
            now_s = loop.time()
            next_beat_s = max(next_beat_s, now_s - self._rules.heartbeat_s + step_s)
            while next_beat_s <= now_s:
                next_beat_s += step_s
                self._beat()
            if next_watch_s <= now_s:
                next_watch_s = now_s + self._rules.watch_every_s
                self._watch(now_s)

    def _beat(self) -> None:
        self._now = (self._now + 1) % SLOTS
        for socket in list(self._slots[self._now]):
            socket.beat()

    def _watch(self, now_s: float) -> None:
        self._lagging.difference_update([socket for socket in self._lagging if not socket.watch(now_s)])
