"""The cell while one command comes to rest: values fetched once, events as they happen, reactions in their order.

Invariant: what was changed here is seen by every later decision of the same step, and by nobody else before the
`StepResult` is committed. Rosters are the exception: they are evolved in place, so `touched` names them.
"""

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from typing import Any

from engine.core import phases
from engine.core import visitor as visitors
from engine.core.asked import NO_FACTS, Decision, Despite, Facts, Stamped, With
from engine.core.changed import Changed
from engine.core.conversation import Conversation, not_started
from engine.core.decide import Park, decide
from engine.core.evolve import evolve
from engine.core.masks import visitor_frame
from engine.core.ports import Roster, RosterPort
from engine.core.react import on_refusal, react
from engine.core.result import Logged, Need, Stamp, StepResult
from engine.core.searching import asks_owner, described
from engine.core.surveys import KeepSurvey, kept
from protocol.bus.commands import Asked
from protocol.bus.config import AccountConfig, flow_at
from protocol.bus.decisions import First, Refusal
from protocol.bus.effects import (
    AgentLost,
    Assign,
    Effect,
    End,
    HandOver,
    Inner,
    NoteBlocked,
    NoteClosed,
    NoteConsent,
    NoteEmail,
    NoteStarted,
    NumberTicket,
    Overflowed,
    Seek,
)
from protocol.ids import AccountId, ConversationId, VisitorId, event_id
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, Event

Asking = Generator[Need, Any, Any]  # yields what it needs, is sent the value, returns what its docstring says

Entries = tuple[type, ...]

MAX_INNER = 1_000_000  # more than a whole account at once: a step that does more never comes to rest, a bug

_TO_CONVERSATION = frozenset({Assign, HandOver, AgentLost, NumberTicket, End, Overflowed, Park})
_UNDER_WAY = frozenset({phases.Waiting, phases.Talking})
_TO_VISITOR = frozenset({NoteStarted, NoteClosed, NoteConsent, NoteEmail, NoteBlocked})


class Settling:
    """One step in the making. `deciding` is the conversation whose decider is at work, if one is."""

    def __init__(self, stamp: Stamp, port: RosterPort) -> None:
        self.at_ms = stamp.at_ms
        self.result = StepResult({}, {}, {}, [], [], [], [], None, stamp.index)
        self.touched: set[AccountId] = set()
        self.deciding: Conversation | None = None
        self.inner: deque[Inner] = deque()
        self._stamp = stamp
        self._port = port
        self._conversations: dict[ConversationId, Conversation] = {}
        self._others: dict[tuple[str, str], Any] = {}

    def conversation(self, account: AccountId, conversation: ConversationId) -> Asking:
        """Return the `Conversation` as it now is; seq 0 if there is none."""
        state = self._conversations.get(conversation)
        if state is None:
            state = (yield Need("conversation", account, conversation)) or not_started(account, conversation)
            self._conversations[conversation] = state
        self.deciding = state
        return state

    def visitor(self, account: AccountId, visitor: VisitorId) -> Asking:
        """Return the `VisitorRecord` as it now is, or None."""
        key = ("visitor", visitor)
        if key not in self._others:
            self._others[key] = yield Need("visitor", account, visitor)
        return self._others[key]

    def config(self, account: AccountId) -> Asking:
        """Return the `AccountConfig`, or None."""
        key = ("config", account)
        if key not in self._others:
            self._others[key] = yield Need("config", account)
        return self._others[key]

    def roster(self, account: AccountId) -> Asking:
        """Return the roster, or None."""
        key = ("roster", account)
        if key not in self._others:
            self._others[key] = yield Need("roster", account)
        return self._others[key]

    def conclude(
        self, state: Conversation, decision: Decision, entry: Entries = (), asked: Asked | None = None
    ) -> None:
        """Let `decision` take effect, as far as it has one. A body of an `entry` kind carries who asked."""
        if type(decision) is list:
            self.happen(state, decision, entry, asked)
        elif type(decision) is With or type(decision) is Despite:
            if decision.bodies:
                self.happen(state, decision.bodies, entry, asked)
            if isinstance(decision, With):
                self._take(decision.asks)

    def happen(
        self, state: Conversation, bodies: Sequence[AnyBody], entry: Entries = (), asked: Asked | None = None
    ) -> None:
        """Log `bodies` and evolve through them, queueing what they ask for."""
        result, stamp = self.result, self._stamp
        for body in bodies:
            number = event_id(stamp.epoch, stamp.commit_no, result.next_index)
            result.next_index += 1
            event = Event(state.id, state.seq + 1, number, self.at_ms, body)
            after = evolve(state, event)
            self._take(react(state, event, after))
            shown = visitor_frame(event, after.terms.alias)
            if asked is not None and type(body) in entry:
                origin = asked.origin
                result.events.append(Logged(event, origin.device, origin.n, origin.id, shown))
                asked = None  # the first of its kind is the frame's own
            else:
                result.events.append(Logged(event, "", 0, "", shown))
            state = after
        self._conversations[state.id] = result.conversations[state.id] = state

    def decide_roster(self, account: AccountId, command: Any) -> Asking:
        """Put `command` before the account's roster; return its decision, its events having happened."""
        self.deciding = None
        roster = yield from self.roster(account)
        if roster is None:
            config: AccountConfig | None = yield from self.config(account)
            if config is None:
                return Refusal(Code.UNAVAILABLE)
            roster = self._port.new(config)
        decision = self._port.decide(roster, command, self.at_ms)
        if isinstance(decision, list) and decision:
            self._evolve_roster(account, roster, decision)
        return decision

    def decide_visitor(self, account: AccountId, visitor: VisitorId, command: Any) -> Asking:
        """Put `command` before the visitor's record; return `Changed`, `Refusal` or `Already`."""
        self.deciding = None
        record = yield from self.visitor(account, visitor)
        config = yield from self.config(account)
        decision = visitors.decide(record, command, self.at_ms, config)
        if isinstance(decision, Changed):
            self._others["visitor", visitor] = self.result.visitors[visitor] = decision.record
            self._take(decision.asked)
        return decision

    def decide_inner(self, inner: Inner) -> Asking:
        """Put an inner command before whom it is for; return nothing."""
        kind = type(inner)
        if kind in _TO_CONVERSATION:
            yield from self._decide_conversation(inner)
        elif kind in _TO_VISITOR:
            yield from self.decide_visitor(inner.account, VisitorId(inner.visitor), inner)  # type: ignore[attr-defined]
        elif kind is KeepSurvey:
            record = yield from self.visitor(inner.account, inner.visitor)  # type: ignore[attr-defined]
            self.result.effects.append(kept(inner, record))  # type: ignore[arg-type]
        elif kind is Seek:
            yield from self._seek(inner)  # type: ignore[arg-type]
        else:
            yield from self.decide_roster(inner.account, inner)

    def _decide_conversation(self, inner: Inner) -> Asking:
        state = yield from self.conversation(inner.account, inner.conversation)
        facts = (yield from self.facts(state)) if type(inner) is Overflowed else NO_FACTS
        self.deciding = state
        decision: Decision = decide(state, Stamped(inner, self.at_ms, facts))
        self.conclude(state, decision)
        if isinstance(decision, Refusal | First):
            self.inner.extend(on_refusal(inner))

    def facts(self, state: Conversation, command: Any = None) -> Asking:
        """Return the `Facts` by which a visitor's command is judged, or a deadline of theirs."""
        visitor = yield from self.visitor(state.account, state.terms.visitor if state.seq else command.visitor)
        config = yield from self.config(state.account)
        if config is None or (command is not None and type(state.phase) in _UNDER_WAY and state.heard.visitor_ms):
            return Facts(visitor, config)  # to who talks already it makes no difference whether anybody is there
        meant = state.terms if state.seq else command
        chatflow, version = getattr(meant, "chatflow", None), getattr(meant, "version", 0)
        kept = (flow_at(config, chatflow, version), flow_at(config, chatflow, 0))
        flow = next((flow for flow in kept if flow is not None and flow.availability.kind == "agents_available"), None)
        roster = (yield from self.roster(state.account)) if flow is not None else None
        ready = flow is not None and roster is not None and self._port.ready(roster, flow.rule, flow.inbox)
        return Facts(visitor, config, ready=ready)

    def _seek(self, seek: Seek) -> Asking:
        """Put a search before the roster; a conversation's own, with all that the roster must know of it."""
        state = self._conversations.get(seek.conversation)
        config: AccountConfig | None = yield from self.config(seek.account)
        if state is not None and config is not None:
            owned = asks_owner(config, seek.rule)
            visitor = (yield from self.visitor(seek.account, state.terms.visitor)) if owned else None
            seek = described(seek, state, config, visitor)
        yield from self.decide_roster(seek.account, seek)

    def rest(self) -> Asking:
        """Decide whatever was asked inside the cell, first in first out, until nothing is; return nothing."""
        decided = 0
        while self.inner:
            decided += 1
            assert decided <= MAX_INNER, "the cell does not come to rest"
            yield from self.decide_inner(self.inner.popleft())

    def _evolve_roster(self, account: AccountId, roster: Roster, events: Iterable[Any]) -> None:
        self.touched.add(account)
        self._others["roster", account] = self.result.rosters[account] = roster
        for event in events:
            self._port.evolve(roster, event)
            self.result.roster_events.append((account, event))
            self._take(self._port.react(roster, event, self.at_ms))

    def _take(self, reaction: Iterable[Inner | Effect]) -> None:
        for asked in reaction:
            if isinstance(asked, Effect):
                self.result.effects.append(asked)
            else:
                self.inner.append(asked)
