"""The inbox being read: one blocking read at a time, on a line of its own.

Invariant: entries come in order, each once, from right after the cursor on; at most one read is under way.
"""

import asyncio
from collections import deque
from typing import Any

from engine.runtime.inbox import Cursor, Entry, read_entry
from engine.runtime.surroundings import EngineSettings
from store.redis.connection import Connection


class Reading:
    """Entries read and not yet decided."""

    def __init__(self, line: Connection, inbox: str, settings: EngineSettings) -> None:
        self.entries: deque[Entry] = deque()
        self._line, self._inbox, self._settings = line, inbox, settings
        self._after = "0-0"
        self._reply: asyncio.Future[Any] | None = None

    async def begin(self, cursor: Cursor) -> None:
        """Read on from `cursor`, the rest of its own entry first, if a careful owner stopped inside it."""
        self._after = cursor.entry
        for entry_id, fields in await self._line.call("XRANGE", self._inbox, cursor.entry, cursor.entry):
            entry = read_entry(entry_id, fields).after(cursor.index)
            if entry.commands:
                self.entries.append(entry)

    async def last_id(self) -> str:
        """Return the id of the newest entry, "0-0" if there is none."""
        newest = await self._line.call("XREVRANGE", self._inbox, "+", "-", "COUNT", 1)
        return newest[0][0].decode() if newest else "0-0"

    def read_on(self) -> asyncio.Future[Any]:
        """Return the read under way, sending one if there is none."""
        if self._reply is None:
            limits = ("COUNT", self._settings.read_entries, "BLOCK", self._settings.block_ms)
            self._reply = self._line.send("XREAD", *limits, "STREAMS", self._inbox, self._after)
        return self._reply

    def take_in(self) -> bool:
        """Add what a finished read brought to `entries`; whether there was anything."""
        if self._reply is None or not self._reply.done():
            return False
        found, self._reply = self._reply.result(), None
        if not found:
            return False
        self.entries.extend(read_entry(entry_id, fields) for entry_id, fields in found[0][1])
        self._after = self.entries[-1].id
        return True

    def batch(self) -> list[Entry]:
        """Take whole entries from `entries`, as many as make a batch."""
        taken = [self.entries.popleft()]
        commands, size_bytes = len(taken[0].commands), taken[0].size_bytes
        while self.entries:
            commands += len(self.entries[0].commands)
            size_bytes += self.entries[0].size_bytes
            if commands > self._settings.batch_commands or size_bytes > self._settings.batch_bytes:
                break
            taken.append(self.entries.popleft())
        return taken

    def one(self) -> Entry:
        """Take the next single command, as an entry of one, leaving the rest of its entry."""
        entry = self.entries.popleft()
        if len(entry.commands) > 1:
            self.entries.appendleft(entry.after(entry.first + 1))
        return Entry(entry.id, entry.commands[:1], entry.first)
