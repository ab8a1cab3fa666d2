"""Reading for one session: a page of a log after the other, as fast as its line takes them; pages of history.

Invariant: hints are heard before the log is read; a read goes on until the session has enough, was left, or is gone,
whatever part of the server is away meanwhile. However much a client asks for at once, a few pages of it are in memory,
and the next is read when the line has room again.
"""

import asyncio
from typing import Any, Protocol

from gateway.core.actions import Action, ReadLog, ReadPage
from gateway.core.reading import refused
from gateway.core.resume import Page
from gateway.core.session import UNAVAILABLE_MS, Session
from gateway.hearing import Hearing
from gateway.logs import Where
from gateway.ports import Line
from gateway.services import Services
from protocol.ids import CellName, ConversationId
from protocol.wire.codes import Code
from store.failpoints import hit
from store.redis.connection import Away, Refused
from store.sql.database import StoreAway

FAULTS = (Away, Refused, StoreAway)
AGAIN_S = 0.25  # until a read that found a part of the server away is tried again, doubled each time up to
LONGEST_PAUSE_S = 2.0
AT_ONCE = 4  # pages of one session: at most 4 MB each before they are cut to what a line takes


class Reads(Protocol):
    """A driver, as far as it reads."""

    services: Services
    line: Line
    cell: CellName
    hearing: Hearing
    turns: asyncio.Semaphore  # AT_ONCE of them
    gone: bool

    def where(self, conversation: ConversationId) -> Where: ...

    def say(self, frame: object) -> None: ...

    def tell_session(self, take: Any) -> None: ...


async def read_log(driver: Reads, asked: ReadLog) -> None:
    """Read from where `asked` says until the session has caught up."""
    read: ReadLog | None = asked
    pause_s = AGAIN_S
    while read is not None and not driver.gone:
        try:
            async with driver.turns:
                if not driver.services.load.answers(driver.cell):
                    raise Away("the cell does not answer, or is being rebuilt")  # thousands of readers need not ask it
                if not await driver.hearing.ready(read.conversation):
                    return  # left meanwhile
                page = await driver.services.logs.page(driver.where(read.conversation), read.from_seq)
                hit("gateway.mid_resume")
                read = await _take(driver, read, page)
                pause_s = AGAIN_S
        except FAULTS:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _take(driver: Reads, read: ReadLog, page: Page) -> ReadLog | None:
    """Let the session take a page; return the read it asks for next, once the line has room for it."""
    following: list[ReadLog] = []

    def take(session: Session) -> list[Action]:
        actions = session.log_read(read.conversation, read.turn, page)
        following.extend(action for action in actions if isinstance(action, ReadLog))
        return [action for action in actions if not isinstance(action, ReadLog)]

    driver.tell_session(take)
    if not following:
        return None
    if following[0].from_seq == read.from_seq:
        await asyncio.sleep(AGAIN_S)  # nothing new: what is missing is not there yet
    await driver.line.flushed()
    return following[0]


async def read_page(driver: Reads, asked: ReadPage) -> None:
    """Read a page of history, or say that it cannot be had now."""
    async with driver.turns:
        if driver.gone:
            return
        try:
            where = driver.where(asked.conversation)
            head, entries = await driver.services.logs.before(where, asked.before, asked.limit)
        except FAULTS:
            about = {"ref": asked.ref, "conversation": asked.conversation}
            driver.say(refused(Code.UNAVAILABLE, retry_after_ms=UNAVAILABLE_MS, **about))
            return
        more = bool(entries) and entries[0].seq > 1
        driver.tell_session(lambda session: session.history_read(asked, head, entries, more))
        await driver.line.flushed()
