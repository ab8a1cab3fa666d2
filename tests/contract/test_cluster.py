"""Finding a cell's node: one server, one node with every cell, and two nodes between which slots move."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from protocol.ids import CellName
from store.redis import scripts
from store.redis.cluster import Dialler, slot_of
from store.redis.connection import Away, Connection, Refused, dial
from store.redis.keys import APPS, ENGINES, LOGINS, Keys, cell_names
from store.redis.server import EmbeddedValkey, ServerOptions
from tests.kit.cells import TOKEN


async def test_slots_are_those_of_the_server(valkey_cluster: EmbeddedValkey) -> None:
    """Our slot of a cell is the server's slot of each of its keys, and the keys of no cell share one."""
    line = await dial(valkey_cluster.address)
    for cell in cell_names(16):
        assert await line.call("CLUSTER", "KEYSLOT", Keys(cell).inbox) == slot_of(cell)
    assert {await line.call("CLUSTER", "KEYSLOT", key) for key in (APPS, ENGINES, LOGINS)} == {slot_of("samtale")}
    await line.close()


async def test_any_server_serves_every_cell(any_redis: EmbeddedValkey) -> None:
    """On a single server and on a cluster of one node, all cells and the keys of no cell are reached alike."""
    to = Dialler(any_redis.address)
    for cell in cell_names(8):
        line = await to(cell)
        assert await scripts.take(line, cell, TOKEN, 60_000) is not None
        await line.close()
    line = await to(None)
    assert await scripts.enlist(line, ENGINES, "engine-1", 60_000) == ["engine-1"]
    await line.close()


async def test_no_door_open_is_away() -> None:
    """Where no node answers, dialling is Away."""
    with pytest.raises(Away):
        await Dialler(EmbeddedValkey(Path("unused")).address)(CellName("c00"))


@asynccontextmanager
async def two_nodes(directory: Path) -> AsyncIterator[tuple[EmbeddedValkey, EmbeddedValkey]]:
    """A cluster of two nodes; the first holds every slot."""
    nodes = [EmbeddedValkey(directory / name, ServerOptions(cluster=True)) for name in ("first", "second")]
    for node in nodes:
        await node.start()
    lines = [await dial(node.address) for node in nodes]
    await lines[1].call("CLUSTER", "RESET", "HARD")
    bus_port = int((await lines[1].call("CONFIG", "GET", "cluster-port"))[1])
    await lines[0].call("CLUSTER", "MEET", "127.0.0.1", nodes[1].address.port, bus_port)
    for line in lines:
        await until_known(line, b"cluster_slots_assigned:16384\r")
    try:
        yield nodes[0], nodes[1]
    finally:
        for line in lines:
            await line.close()
        for node in nodes:
            await node.stop()


async def give(cell: CellName, giver: Connection, taker: Connection) -> None:
    """Move the empty slot of `cell` from one node to another."""
    owner = await taker.call("CLUSTER", "MYID")
    await taker.call("CLUSTER", "SETSLOT", slot_of(cell), "NODE", owner)
    await giver.call("CLUSTER", "SETSLOT", slot_of(cell), "NODE", owner)
    await until_known(taker, b"cluster_state:ok\r")


async def until_known(line: Connection, state: bytes) -> None:
    async with asyncio.timeout(60):
        while state not in await line.call("CLUSTER", "INFO"):
            await asyncio.sleep(0.02)


async def test_a_cell_that_moved_is_found_at_its_new_node(tmp_path: Path) -> None:
    """A line to the old node is refused with MOVED; dialling again leads to the new one, also if the first door shut."""
    cell, stays = CellName("c00"), CellName("c01")
    async with two_nodes(tmp_path) as (first, second):
        to = Dialler(first.address)
        before = await to(cell)
        other = await dial(second.address)
        assert before.run_id != other.run_id
        await give(cell, before, other)
        with pytest.raises(Refused) as caught:
            await scripts.take(before, cell, TOKEN, 60_000)
        assert caught.value.code == "MOVED"
        moved, stayed = await to(cell), await to(stays)
        assert (moved.run_id, stayed.run_id) == (other.run_id, before.run_id)
        assert await scripts.take(moved, cell, TOKEN, 60_000) is not None
        await first.stop()
        again = await to(cell)
        assert again.run_id == other.run_id
        for line in (before, other, moved, stayed, again):
            await line.close()
