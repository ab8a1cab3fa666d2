"""What an owner remembers of its cell, loaded from a real Valkey."""

from engine.runtime.memory import Memory
from protocol.ids import VisitorId
from routing.core.roster import RosterDecider
from store.redis.connection import MAX_PENDING, dial
from store.redis.server import EmbeddedValkey
from tests.kit.engines import CELL, SETTINGS


async def test_more_values_than_a_line_takes_at_once_are_loaded_all_the_same(valkey: EmbeddedValkey) -> None:
    """One step may touch as much: the feeds of every agent of a large account, say."""
    line = await dial(valkey.address)
    memory = Memory(CELL, line, RosterDecider(), SETTINGS)
    visitors = [VisitorId(f"vis_{number}") for number in range(MAX_PENDING + 1)]
    await memory.hold(("visitor", visitor) for visitor in visitors)
    assert memory.visitor(visitors[-1]) is None  # known not to be there
    await line.close()
