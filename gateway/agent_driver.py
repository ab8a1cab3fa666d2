"""The driver of an agent's session: the way in, the feeds, and what is known of visitors.

Invariant: an agent who arrived at the roster leaves it, however the session ends.
"""

import asyncio
from functools import partial

from gateway import agent_door
from gateway.contexts import Contexts
from gateway.core import actions as act
from gateway.core.actions import Action
from gateway.core.agent import AgentSession
from gateway.core.feeds import FeedRead
from gateway.doors import Arrival
from gateway.driver import SessionDriver
from gateway.logs import Where
from gateway.ports import Line, Peer
from gateway.reads import AGAIN_S, FAULTS
from gateway.services import Services
from gateway.subscriptions import FEED_CHANGES
from protocol.bus import topics
from protocol.ids import ConversationId
from protocol.wire import client
from protocol.wire.codec import AGENT
from protocol.wire.codes import Code
from store.redis import scripts


class AgentDriver(SessionDriver[AgentSession]):
    """One console."""

    def __init__(self, services: Services, line: Line, subprotocol: str, peer: Peer) -> None:
        super().__init__(services, line, AGENT[subprotocol], peer)
        self._feed_turn = asyncio.Lock()
        self._contexts = Contexts(self)

    async def let_in(self, hello: client.AgentHello) -> None:
        came = await agent_door.admit(self.services, Arrival(self.session_id, self.peer.origin), hello)
        if self.gone:
            agent_door.leave(self.services, came.config, came.session.desk)
            return

        def first() -> list[Action]:
            resumed = {position.conversation: position for position in came.positions}.values()
            reading = [action for position in resumed for action in came.session.reading.attach(position)]
            return [act.Say(came.ready), *came.session.begin(came.feeds), *reading]

        self.entered(came.session, came.config, first)

    def where(self, conversation: ConversationId) -> Where:
        return Where(self.cell, self.identity.account, conversation, "staff")

    def look_around(self) -> None:
        self.tell_session(lambda session: session.check())

    async def _read_feed(self, asked: act.ReadFeed) -> None:
        name, found = asked.feed, None
        sink = partial(self._feed_changed, name)
        self.hearing.plan(self.cell, name, [(topics.feed(self.cell, name), sink, FEED_CHANGES)])
        while found is None and not self.gone:
            try:
                if not await self.hearing.ready(name):
                    return  # left meanwhile
                line = self.services.cells.line(self.cell)
                found = await scripts.feed(line, self.cell, name, asked.seq, asked.id)
            except FAULTS:
                await asyncio.sleep(AGAIN_S)
        if found is not None:
            seq, _, event = found.position.partition(" ")
            read = FeedRead(int(seq or 0), event, found.changes, found.rows)
            async with self._feed_turn:
                await self.line.flushed()  # a snapshot may be as large as all that a line keeps for who reads slowly
                self.tell_session(lambda session: session.feed_read(name, read))

    def _feed_changed(self, feed: str, frames: list[bytes]) -> None:
        self.tell_session(lambda session: session.feed_changed(feed, frames))

    def _read_context(self, asked: act.ReadContext) -> None:
        if self._contexts.ask(asked):
            self.spawn(self._contexts.run(self.identity.account))

    async def _read_entry(self, asked: act.ReadEntry) -> None:
        """Read one entry as stored for staff; the frames behind it wait for it."""
        head, frame, code = None, None, None
        try:
            where = self.where(asked.conversation)
            head, entries = await self.services.logs.before(where, asked.seq + 1, 1)
            frame = next((entry.frame for entry in entries if entry.seq == asked.seq), None)
        except FAULTS:
            code = Code.UNAVAILABLE
        self.tell_session(lambda session: session.entry_read(asked, head, frame, code))

    DO = {
        **SessionDriver.DO,
        act.ReadContext: _read_context,
        act.ReadEntry: lambda self, action: self.spawn(self._read_entry(action)),
        act.ReadFeed: lambda self, action: self.spawn(self._read_feed(action)),
        act.LeaveFeed: lambda self, action: self.hearing.leave(action.feed),
    }
