"""Forgetting: has Redis write its append-only file anew, without what was erased.

Invariant: an entry that was redacted is in no key from the commit on; from this job on, within ten minutes, it is in no
file of Redis either.
"""

from protocol.ids import CellName
from store.redis.admin import parse_info
from store.redis.connection import Dial
from store.sql.queries.jobs import TakenJob

FORGET = "forget"  # the kind of job; its payload names the cell


class Forgetter:
    """Does the jobs of kind `forget`."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial

    async def __call__(self, job: TakenJob) -> None:
        """Begin to rewrite the file of the cell's node, if it keeps one; Refused while that is being done already."""
        connection = await self._dial(CellName(job.payload.decode()))
        try:
            info = parse_info(await connection.call("INFO", "persistence"))
            if info.get("aof_enabled") == "1":
                await connection.call("BGREWRITEAOF")
        finally:
            connection.abort()
