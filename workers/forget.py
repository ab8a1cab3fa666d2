"""Forgetting: has Redis write anew what still holds bytes of what was erased, in its memory and in its files.

Invariant: an entry that was redacted is in no key from the commit on; from this job on, within ten minutes, it is in no
file of Redis either.
"""

import asyncio
from collections.abc import Iterable

from protocol.ids import CellName
from store.redis import scripts
from store.redis.admin import parse_info
from store.redis.connection import Connection, Dial
from store.redis.faults import Refused
from store.redis.keys import Keys
from store.sql.queries.jobs import TakenJob
from workers.jobs import JobFailed

FORGET = "forget"  # the kind of job; its payload names the cell
_LOOK_EVERY_S = 0.1
_WRITING = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")


class Forgetter:
    """Does the jobs of kind `forget`."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial

    async def __call__(self, job: TakenJob) -> None:
        """Begin to rewrite the file of the cell's node, if it keeps one; Refused while that is being done already."""
        cell = CellName(job.payload.decode())
        connection = await self._dial(cell)
        try:
            await rewrite_streams(connection, cell)
            info = parse_info(await connection.call("INFO", "persistence"))
            if info.get("aof_enabled") == "1":
                await connection.call("BGREWRITEAOF")
        finally:
            connection.abort()


async def rewrite_streams(line: Connection, cell: CellName) -> None:
    """Leave nothing in the cell's inbox and outbox but what is in their entries. Raises JobFailed if they are long."""
    keys = Keys(cell)
    epoch = int(await line.call("HGET", keys.cell, "epoch") or 0)
    if not await scripts.rewrite(line, [keys.inbox, keys.outbox(epoch)]):
        raise JobFailed("the cell lags: its streams are too long to be written anew")


async def purge_quarantine(line: Connection, cell: CellName, names: Iterable[str]) -> None:
    """Take out of the quarantine what names any of `names`."""
    sought, key = [name.encode() for name in names], Keys(cell).quarantine
    for raw in await line.call("LRANGE", key, 0, -1):
        if any(name in raw for name in sought):
            await line.call("LREM", key, 0, raw)


async def rewrite_files(line: Connection) -> None:
    """Have Redis write its files anew, and return when they are written. Raises JobFailed if that failed."""
    await _settled(line)  # one that is under way began too early
    info = parse_info(await line.call("INFO", "persistence"))
    appends, dumps = info.get("aof_enabled") == "1", info.get("rdb_last_bgsave_time_sec", "-1") != "-1"
    for wanted, command in ((appends, "BGREWRITEAOF"), (dumps, "BGSAVE")):
        if wanted:
            try:
                await line.call(command)
            except Refused as refused:  # somebody else's began in between
                raise JobFailed(str(refused)) from None
            await _settled(line)
    info = parse_info(await line.call("INFO", "persistence"))
    if "err" in (info.get("aof_last_bgrewrite_status"), info.get("rdb_last_bgsave_status")):
        raise JobFailed("Redis could not write its files anew")


async def _settled(line: Connection) -> None:
    """Wait until Redis writes no file in the background."""
    info = parse_info(await line.call("INFO", "persistence"))
    while any(info.get(kind) == "1" for kind in _WRITING):
        await asyncio.sleep(_LOOK_EVERY_S)
        info = parse_info(await line.call("INFO", "persistence"))
