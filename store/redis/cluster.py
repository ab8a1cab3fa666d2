"""Which node of a Redis Cluster holds a cell's keys.

Invariant: a connection made here goes to the node that owned the cell's slot a moment ago. A slot that moves answers
`Refused` with the code MOVED; whoever gets that drops its connection and dials again.
"""

import binascii
from dataclasses import replace
from typing import Any, Final

from protocol.ids import CellName
from store.redis.address import Address
from store.redis.connection import Connection, dial
from store.redis.faults import Away
from store.redis.keys import GLOBAL_TAG

SLOTS: Final = 16384


def slot_of(tag: str) -> int:
    """Return the slot of every key that carries the hash tag `{tag}`."""
    return binascii.crc_hqx(tag.encode(), 0) % SLOTS


class Dialler:
    """A `Dial` for one server or for a cluster, whichever `address` turns out to be."""

    def __init__(self, address: Address) -> None:
        self._doors = [address]  # whom to ask; the configured one first, then every node once seen

    async def __call__(self, cell: CellName | None) -> Connection:
        """Return a fresh connection to the node that holds the cell's keys (None: those of no cell), or raise Away."""
        door, connection = await self._open_door()
        if not connection.is_cluster:
            return connection
        try:
            owner = self._owner(await connection.call("CLUSTER", "SLOTS"), cell or GLOBAL_TAG, door)
        except BaseException:
            connection.abort()
            raise
        if owner == door:
            return connection
        await connection.close()
        return await dial(owner)

    async def _open_door(self) -> tuple[Address, Connection]:
        failures: list[Away] = []
        for door in self._doors:
            try:
                return door, await dial(door)
            except Away as away:
                failures.append(away)
        raise failures[0]

    def _owner(self, ranges: list[Any], tag: str, door: Address) -> Address:
        slot, owner = slot_of(tag), None
        for first, last, primary, *_replicas in ranges:
            node = replace(door, host=(primary[0] or b"").decode() or door.host, port=primary[1])
            if node not in self._doors:
                self._doors.append(node)
            if first <= slot <= last:
                owner = node
        if owner is None:
            raise Away(f"no node of the cluster holds slot {slot}")
        return owner
