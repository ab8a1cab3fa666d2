"""What is kept of those about whom a worker asks a cell something.

Invariant: Redis is asked first. Whom it does not hold SQL knows whole, for nobody leaves Redis before that; of whom it
holds SQL may know too little, and what the cell is told must not be older than what it lets go of meanwhile.
"""

from collections.abc import Sequence
from functools import partial

import msgspec

from protocol.bus.records import VisitorRecord
from protocol.ids import AccountId, CellName, ConversationId, VisitorId
from store.redis.connection import Connection
from store.redis.keys import Keys
from store.sql.database import Database
from store.sql.queries import records

_VISITOR = msgspec.msgpack.Decoder(VisitorRecord)


async def visitor_record(
    line: Connection, cell: CellName, record: Database, account: AccountId, visitor: VisitorId
) -> VisitorRecord | None:
    """Return the newest that is committed of a visitor, or None."""
    held = await line.call("HGET", Keys(cell).visitor(visitor), "s")
    if held is not None:
        return _VISITOR.decode(held)
    return await record.read(partial(records.visitor, account=account, visitor_id=visitor))


async def held(line: Connection, cell: CellName, conversations: Sequence[ConversationId]) -> set[ConversationId]:
    """Return those of the conversations that Redis holds."""
    keys = Keys(cell)
    found = [await line.call("EXISTS", keys.conversation(each)) for each in conversations]
    return {each for each, there in zip(conversations, found, strict=True) if there}
