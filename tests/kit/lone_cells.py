"""A cell as far as single conversations need one: the engine's core over what SQL has, without Redis and a roster.

Invariant: every command is decided as an engine would, and what comes of it is written as a scribe would, before it is
answered; what only a roster can decide is unavailable.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from engine.core.answers import entry_of, outcome_of
from engine.core.asked import Facts, Stamped, With
from engine.core.conversation import Conversation, not_started
from engine.core.decide import decide
from engine.core.evolve import evolve
from engine.core.masks import visitor_frame
from engine.core.phones import KeepWithPhone
from engine.core.react import react
from engine.core.snapshot import freeze, thaw
from protocol.bus.commands import Asked, Origin, TransferConversation
from protocol.bus.decisions import Already, First, Refusal
from protocol.bus.effects import Keep
from protocol.bus.facts import AnyFact
from protocol.bus.records import Commit, LogRow, Outcome, StateRow
from protocol.ids import (
    AccountId,
    AgentId,
    CellName,
    ChatflowId,
    ConversationId,
    DeviceId,
    InboxId,
    Incarnation,
    SessionId,
    VisitorId,
    event_id,
)
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, Author, Event, Message, Role, Started
from store.sql import tables
from store.sql.database import Databases
from store.sql.queries import accounts, cells, commits

ORIGIN = Origin(Incarnation("gw_test"), SessionId("ses_test"), DeviceId("the office"), 0, "the request")
PER = Author(Role.AGENT, AgentId("per"), "Per Vik")  # who works in Fjord's inbox
NO_ROSTER = Refusal(Code.UNAVAILABLE)
EPOCH = 1
encode = msgspec.msgpack.encode


def begun(visitor: VisitorId, inbox: str = "desk", **more: Any) -> Started:
    """How a conversation in an inbox begins."""
    names = (ChatflowId("desk_flow"), 1, InboxId(inbox), None, visitor, 1, "nb", "Hei!", 3_600, 600)
    return Started(*names, **more)


def says(visitor: VisitorId, text: str) -> Message:
    """What a visitor says."""
    return Message(Author(Role.VISITOR, visitor), text)


class LoneCells:
    """The cells of an installation."""

    def __init__(self, databases: Databases, now_ms: Callable[[], int]) -> None:
        self._databases, self._now_ms = databases, now_ms

    async def put(self, cell: CellName, make: Callable[[Origin], Asked]) -> Outcome:
        """Decide a command and return its outcome."""
        command: Any = make(ORIGIN)
        if isinstance(command, TransferConversation):
            return outcome_of(command, NO_ROSTER)
        config = await self._databases.config.read(lambda sql: accounts.config(sql, command.account))
        state = await self._state(command.account, command.conversation)
        decision = decide(state, Stamped(command, self._now_ms(), Facts(None, config)))
        match decision:
            case Refusal() | Already():
                return outcome_of(command, decision)
            case First():
                return outcome_of(command, NO_ROSTER)
            case With(bodies=bodies, asks=asks):
                events = await self._happen(cell, state, bodies, asks)
            case list(bodies):
                events = await self._happen(cell, state, bodies, [])
            case _:
                raise AssertionError(f"{decision} is nothing that agents' commands come to")
        return outcome_of(command, next((event for event in events if isinstance(event.body, entry_of(command))), None))

    async def happen(self, account: AccountId, conversation: ConversationId, *bodies: AnyBody) -> None:
        """Let this be what happens next in a conversation."""
        config = await self._databases.config.read(lambda sql: accounts.config(sql, account))
        assert config is not None
        await self._happen(config.cell, await self._state(account, conversation), bodies, [])

    async def _state(self, account: AccountId, conversation: ConversationId) -> Conversation:
        query = select(tables.conversation.c.state).where(tables.conversation.c.id == conversation)
        stored = await self._databases.record.read(lambda sql: sql.scalar(query))
        return (thaw(stored) if stored is not None else None) or not_started(account, conversation)

    async def _happen(
        self, cell: CellName, state: Conversation, bodies: Sequence[AnyBody], asks: Sequence[Any]
    ) -> list[Event]:
        number, at_ms = await self._databases.record.transact(lambda sql: _next_commit(sql, cell)), self._now_ms()
        log, events, facts = list[LogRow](), list[Event](), _kept(asks)
        for index, body in enumerate(bodies):
            seq = state.seq + 1
            event = Event(state.id, seq, event_id(EPOCH, number, index), at_ms, body)
            before, state = state, evolve(state, event)
            events.append(event)
            shown = visitor_frame(event, state.terms.alias)
            log.append(LogRow(state.id, seq, index, encode(event), shown))
            facts += _kept(react(before, event, state))
        states = [StateRow("conversation", state.id, state.account, state.seq, freeze(state))]
        commit = Commit(EPOCH, number, at_ms, f"{number}-0:1", log, states, facts=facts)
        assert await self._databases.record.transact(lambda sql: commits.apply(sql, cell, [commit]))
        return events


def _kept(asked: Sequence[Any]) -> list[AnyFact]:
    return [each.fact for each in asked if isinstance(each, Keep | KeepWithPhone)]


def _next_commit(sql: Connection, cell: CellName) -> int:
    cells.begin_epoch(sql, cell, EPOCH)
    position = cells.position(sql, cell)
    assert position is not None
    return position.commit_no + 1
