"""Reading what is known of the visitors that one console shows: of all that it asked about meanwhile at once.

Invariant: one reading is under way at a time, of at most `AT_ONCE` visitors; the next begins when the line has room.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from gateway.core.actions import ReadContext
from gateway.reads import FAULTS, Reads
from gateway.visitor_door import read_visitors
from protocol.bus.records import VisitorRecord
from protocol.ids import AccountId, ConversationId, VisitorId
from store.sql.queries import records

AT_ONCE = 64
PAST = 50  # conversations shown beside the present one

Records = Mapping[VisitorId, VisitorRecord | None]
Pasts = Mapping[VisitorId, list[ConversationId]]


class Contexts:
    """What a session asked about and did not hear of yet."""

    def __init__(self, driver: Reads) -> None:
        self._driver = driver
        self._asked: list[ReadContext] = []
        self._runs = False

    def ask(self, asked: ReadContext) -> bool:
        """Have a context read; returns whether `run` must be started for it."""
        self._asked.append(asked)
        runs, self._runs = self._runs, True
        return not runs

    async def run(self, account: AccountId) -> None:
        """Read until nobody asks any more."""
        try:
            while self._asked and not self._driver.gone:
                some, self._asked = self._asked[:AT_ONCE], self._asked[AT_ONCE:]
                known = await self._records(account, some)
                past = await self._past(account, some)
                for asked in some:
                    self._tell(asked, known.get(asked.visitor), past.get(asked.visitor) if asked.inboxes else None)
                await self._driver.line.flushed()
        finally:
            self._runs = False

    def _tell(self, asked: ReadContext, record: VisitorRecord | None, past: list[ConversationId] | None) -> None:
        self._driver.tell_session(lambda session: session.context_read(asked, record, past))

    async def _records(self, account: AccountId, some: Sequence[ReadContext]) -> Records:
        """Return visitors where they are: in Redis, or in SQL if they were not here for long."""
        driver, visitors = self._driver, list({each.visitor for each in some})
        known: dict[VisitorId, VisitorRecord | None] = {}
        with suppress(*FAULTS):  # what could be read is shown; the next change reads again
            known |= zip(visitors, await read_visitors(driver.services, driver.cell, visitors), strict=True)
            cold = [each for each, record in known.items() if record is None]
            if cold:
                known |= await driver.services.outside.record.read(lambda sql: records.visitors(sql, account, cold))
        return known

    async def _past(self, account: AccountId, some: Sequence[ReadContext]) -> Pasts:
        """Return the conversations of those visitors of whom they were asked, where the agent has access now."""
        wanted = [each for each in some if each.inboxes]
        if not wanted:
            return {}
        visitors, inboxes = list({each.visitor for each in wanted}), wanted[-1].inboxes
        try:
            return await self._driver.services.outside.record.read(
                lambda sql: records.past(sql, account, visitors, inboxes, PAST)
            )
        except FAULTS:
            return {}
