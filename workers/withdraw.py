"""Withdrawing: puts into the cell that consents are taken back, as administrators asked.

Invariant: withdrawn twice is withdrawn once, so a job that is done again changes nothing. What is known of
whoever it concerns comes with the command: whoever was not here for long is known to SQL alone.
"""

from functools import partial

from protocol.bus.commands import COMMAND_ENCODER, Origin, VisitorWithdraws
from protocol.ids import AccountId, DeviceId, Incarnation, SessionId, VisitorId
from store.redis.connection import Connection, Dial
from store.redis.keys import Keys
from store.sql.database import Database
from store.sql.queries import whom
from store.sql.queries.jobs import TakenJob
from store.sql.queries.whom import WITHDRAWAL_DECODER, Withdrawal
from workers.stored import visitor_record

_COMPANY = DeviceId("the account")
_NOBODY = Origin(Incarnation("nobody"), SessionId("nobody"), _COMPANY, 0, "withdraw")  # who waits for it


class Withdrawer:
    """Does the jobs of kind `withdraw`."""

    def __init__(self, dial: Dial, record: Database) -> None:
        self._dial, self._record = dial, record

    async def __call__(self, job: TakenJob) -> None:
        """Put in a withdrawal for each visitor."""
        asked = WITHDRAWAL_DECODER.decode(job.payload)
        line = await self._dial(asked.cell)
        try:
            told = [await self._withdrawal(line, job.account, visitor, asked) for visitor in asked.visitors]
            await line.call("XADD", Keys(asked.cell).inbox, "*", "p", COMMAND_ENCODER.encode(told))
        finally:
            line.abort()

    async def _withdrawal(
        self, line: Connection, account: AccountId, named: VisitorId, asked: Withdrawal
    ) -> VisitorWithdraws:
        """Return what the cell is asked for a visitor, or for who they logged in as."""
        visitor = await self._record.read(partial(whom.is_now, account=account, visitor=named))
        stored = await visitor_record(line, asked.cell, self._record, account, visitor)
        return VisitorWithdraws(account, _NOBODY, visitor, asked.purpose, _COMPANY, "", stored)
