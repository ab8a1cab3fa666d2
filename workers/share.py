"""Which worker copies which cells.

Invariant: live workers that see the same list share the cells without overlap. Lists differ for a moment when one comes
or goes; then a cell has two scribes or none, and the fence in SQL makes either harmless.
"""

from protocol.ids import CellName
from store.redis import scripts
from store.redis.connection import Connection
from store.redis.keys import WORKERS

WORKER_LEASE_MS = 3_000


def share(cells: list[CellName], workers: list[str], me: str) -> set[CellName]:
    """Return my cells: the n-th of all, taken in turn by the n-th worker."""
    turn = sorted(workers)
    return {cell for number, cell in enumerate(sorted(cells)) if turn[number % len(turn)] == me}


async def enlist(connection: Connection, me: str) -> list[str]:
    """Prolong my lease and return who lives, me included."""
    return sorted(await scripts.enlist(connection, WORKERS, me, WORKER_LEASE_MS))


async def leave(connection: Connection, me: str) -> None:
    """Leave the others my cells at once."""
    await scripts.enlist(connection, WORKERS, me, 0)
