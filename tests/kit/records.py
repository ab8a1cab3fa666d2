"""What the scribe has brought to SQL.

Invariant: read only, from outside the installation.
"""

import asyncio

from protocol.ids import ConversationId
from store.sql.database import DirectDatabase
from store.sql.queries import audit

COPIED_WITHIN_S = 60.0
_LOOK_AGAIN_S = 0.05


async def copied(record_url: str, conversation: str, seq: int = 1) -> None:
    """Wait until SQL has the entries of a conversation up to `seq`."""
    database = DirectDatabase(record_url)
    try:
        async with asyncio.timeout(COPIED_WITHIN_S):
            while True:
                log = database.run(lambda sql: audit.log_of(sql, ConversationId(conversation)))
                if log is not None and len(log.entries) >= seq:
                    return
                await asyncio.sleep(_LOOK_AGAIN_S)
    finally:
        await database.close()
