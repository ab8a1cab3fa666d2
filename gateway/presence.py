"""The presence lease: this gateway's word, in every cell, that its sessions are alive.

Invariant: one incarnation never comes back after it lapsed anywhere; whoever's last renewal is older than two thirds of
the lease writes nothing before renewing.
"""

import asyncio
import base64
from collections.abc import Callable

from gateway.cells import Cells
from protocol.ids import CellName, Incarnation
from store.failpoints import hit
from store.redis import scripts
from store.redis.connection import Away, Refused


def random_id(prefix: str, entropy: Callable[[int], bytes]) -> str:
    """Return an id that nobody guesses: 128 bit of `entropy`."""
    return prefix + base64.b32encode(entropy(16)).decode().rstrip("=").lower()


class PresenceLease:
    """The lease of the present incarnation."""

    def __init__(self, cells: Cells, lease_s: float, entropy: Callable[[int], bytes]) -> None:
        self._cells = cells
        self._lease_s = lease_s
        self._entropy = entropy
        self._renewed_s: dict[CellName, float] = {}
        self.incarnation = Incarnation(random_id("gw_", entropy))

    def holds(self, cell: CellName) -> bool:
        """Whether the lease in `cell` surely holds for a while."""
        renewed_s = self._renewed_s.get(cell)
        return renewed_s is not None and self._now_s() - renewed_s <= self._lease_s * 2 / 3

    def holds_everywhere(self) -> bool:
        return all(self.holds(cell) for cell in self._cells.names)

    async def run(self, on_renewed: Callable[[], None], on_lapsed: Callable[[], None]) -> None:
        """Renew in every cell each third of the lease, until cancelled; `on_lapsed` ends the old one's sessions."""
        while True:
            began_s = self._now_s()
            held = await asyncio.gather(*(self._renew(cell) for cell in self._cells.names))
            if not all(held):
                hit("gateway.lease_lapsed")
                self.incarnation = Incarnation(random_id("gw_", self._entropy))
                self._renewed_s.clear()
                on_lapsed()
                continue
            on_renewed()
            pause_s = self._lease_s / 3 if self.holds_everywhere() else min(0.2, self._lease_s / 10)
            await asyncio.sleep(max(0.0, began_s + pause_s - self._now_s()))

    async def _renew(self, cell: CellName) -> bool:
        """Renew in one cell; False if the incarnation lapsed there."""
        sent_s = self._now_s()
        try:
            line = self._cells.line(cell)
            first = cell not in self._renewed_s
            held = await scripts.presence(line, cell, self.incarnation, int(self._lease_s * 1000), first=first)
        except (Away, Refused):
            return True  # not known to have lapsed: `holds` says how long that is good for
        if held:
            self._renewed_s[cell] = sent_s
        return held

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()
