"""In which state each agent of an account is, as their feeds tell: read once for all who ask at the same time.

Invariant: what is returned was read after it was asked for.
"""

import asyncio

import msgspec

from gateway.cells import Cells
from protocol.bus import topics
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId
from store.redis.keys import Keys

ANSWER_S = 5.0
_ROW = "state"  # of an agent's feed: {"state": …} while connected

States = dict[str, str]


class AgentStates:
    """A hundred consoles that come back at once each show a hundred agents."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._asked: dict[tuple[AccountId, int], asyncio.Task[States]] = {}  # not begun yet

    async def of(self, config: AccountConfig) -> States:
        """Return every agent's state. Raises Away or Refused."""
        key = (config.account, config.version)
        reading = self._asked.get(key)
        if reading is None:
            reading = self._asked[key] = asyncio.create_task(self._read(config))
        return await asyncio.shield(reading)

    async def _read(self, config: AccountConfig) -> States:
        del self._asked[config.account, config.version]  # whoever asks from now on may want to know something newer
        line, keys = self._cells.line(config.cell), Keys(config.cell)
        feeds = [keys.feed_rows(topics.agent_feed(config.account, each.id)) for each in config.agents]
        rows = await line.within_all([line.send("HGET", feed, _ROW) for feed in feeds], ANSWER_S)
        states = ("offline" if row is None else msgspec.msgpack.decode(row)["state"] for row in rows)
        return dict(zip((each.id for each in config.agents), states, strict=True))
