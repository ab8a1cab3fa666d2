"""Withdrawing: puts into the cell that consents are taken back, as administrators asked.

Invariant: withdrawn twice is withdrawn once, so a job that is done again changes nothing.
"""

from protocol.bus.commands import COMMAND_ENCODER, Origin, VisitorWithdraws
from protocol.ids import DeviceId, Incarnation, SessionId
from store.redis.connection import Dial
from store.redis.keys import Keys
from store.sql.queries.jobs import TakenJob
from store.sql.queries.whom import WITHDRAWAL_DECODER

_NOBODY = Origin(Incarnation("nobody"), SessionId("nobody"), DeviceId("the account"), 0, "withdraw")  # who waits for it


class Withdrawer:
    """Does the jobs of kind `withdraw`."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial

    async def __call__(self, job: TakenJob) -> None:
        """Put in a withdrawal for each visitor."""
        asked = WITHDRAWAL_DECODER.decode(job.payload)
        told = [
            VisitorWithdraws(job.account, _NOBODY, visitor, asked.purpose, DeviceId("the account"), "")
            for visitor in asked.visitors
        ]
        line = await self._dial(asked.cell)
        try:
            await line.call("XADD", Keys(asked.cell).inbox, "*", "p", COMMAND_ENCODER.encode(told))
        finally:
            line.abort()
