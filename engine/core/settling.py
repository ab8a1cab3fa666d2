"""The cell while one command comes to rest: events as they happen, and reactions in their order.

Invariant: what was changed here is seen by every later decision of the same step, and by nobody else before the
`StepResult` is committed. Rosters are the exception: they are evolved in place, and the result names them.

Every decision looks at all that it needs before it changes anything. So one that something is `Absent` for has done
nothing yet, and is simply made again once that was loaded.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from engine.core import phases
from engine.core import visitor as visitors
from engine.core.asked import NO_FACTS, Decision, Despite, Facts, Stamped, With
from engine.core.changed import Became, Changed
from engine.core.conversation import Conversation, not_started
from engine.core.decide import Park, decide
from engine.core.evolve import evolve
from engine.core.masks import visitor_frame
from engine.core.phones import KeepWithPhone, kept
from engine.core.ports import Roster, RosterPort, Values
from engine.core.react import on_refusal, react
from engine.core.result import Absent, Logged, Stamp, StepFailed, StepResult
from engine.core.searching import asks_owner, described
from protocol.bus.commands import Asked
from protocol.bus.config import AccountConfig, flow_at
from protocol.bus.decisions import Already, First, Refusal, Told
from protocol.bus.effects import (
    EFFECTS,
    AgentLost,
    Assign,
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
from protocol.bus.records import Outcome, VisitorRecord
from protocol.ids import AccountId, ConversationId, DeviceId, VisitorId, event_id
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, Event

Entries: TypeAlias = tuple[type, ...]
Then: TypeAlias = tuple[Callable[["Settling", Any], Any], Any]  # (run, asked): run once all else has come to rest

MAX_INNER = 1_000_000  # more than a whole account at once: a step that does more never comes to rest, a bug

_TO_CONVERSATION = frozenset({Assign, HandOver, AgentLost, NumberTicket, End, Overflowed, Park})
_UNDER_WAY = frozenset({phases.Waiting, phases.Talking})
_TO_VISITOR = frozenset({NoteStarted, NoteClosed, NoteConsent, NoteEmail, NoteBlocked})


class Settling:
    """Steps in the making, one after the other; each sees what the ones before it changed.

    `deciding` is the conversation whose decider is at work, if one is. `then` is run once all else has come to rest.
    """

    __slots__ = ("_port", "_stamp", "at_ms", "deciding", "inner", "result", "then", "values")

    def __init__(self, stamp: Stamp, port: RosterPort, values: Values) -> None:
        self.at_ms = stamp.at_ms
        self.values = values
        self.result = StepResult({}, {}, {}, [], [], [], [], [], stamp.index)
        self.deciding: Conversation | None = None
        self.inner: deque[Inner] = deque()
        self.then: Then | None = None
        self._stamp = stamp
        self._port = port

    def settle(self) -> StepResult:
        """Decide until all is at rest. Raises Absent, to be called again once that is loaded; StepFailed if a decider
        raised."""
        try:
            while self.inner or self.then is not None:
                if self.inner:
                    self._rest()
                if self.then is not None:
                    run, asked = self.then
                    self.then = run(self, asked)
        except Absent:
            raise
        except Exception as error:
            where = (self.deciding.account, self.deciding.id) if self.deciding is not None else (AccountId(""), None)
            raise StepFailed(frozenset(self.result.rosters), *where) from error
        return self.result

    def conversation(self, account: AccountId, id_: ConversationId) -> Conversation:
        """Return a conversation as it now is; seq 0 if there is none."""
        state = self.result.conversations.get(id_) or self.values.conversation(id_)
        if state is None:
            state = not_started(account, id_)
        self.deciding = state
        return state

    def visitor(self, id_: VisitorId) -> VisitorRecord | None:
        """Return a visitor's record as it now is, or None."""
        return self.result.visitors.get(id_) or self.values.visitor(id_)

    def config(self, account: AccountId) -> AccountConfig | None:
        """Return the account's configuration, or None."""
        return self.values.config(account)

    def roster(self, account: AccountId) -> Roster | None:
        """Return the account's roster, or None."""
        return self.result.rosters.get(account) or self.values.roster(account)

    def remember(self, owner: str, device: DeviceId, outcome: Outcome) -> None:
        """Let a frame that is sent again get the same outcome, in the next step already."""
        self.result.ledger.append((owner, device, outcome))
        self.values.ledger(owner, device).remember(outcome)

    def conclude(
        self, state: Conversation, decision: Decision, entry: Entries = (), asked: Asked | None = None
    ) -> Event | None:
        """Let `decision` take effect, as far as it has one; return the log entry that stands for what was `asked`.

        A body of an `entry` kind carries who asked.
        """
        if type(decision) is list:
            return self._happen(state, decision, entry, asked)
        own = None
        if type(decision) is With or type(decision) is Despite:
            if decision.bodies:
                own = self._happen(state, decision.bodies, entry, asked)
            if type(decision) is With:
                self._take(decision.asks)
        return own

    def _happen(
        self, state: Conversation, bodies: Sequence[AnyBody], entry: Entries, asked: Asked | None
    ) -> Event | None:
        """Log `bodies` and evolve through them, queueing what they ask for."""
        result, stamp, own = self.result, self._stamp, None
        for body in bodies:
            number = event_id(stamp.epoch, stamp.commit_no, result.next_index)
            result.next_index += 1
            event = Event(state.id, state.seq + 1, number, self.at_ms, body)
            after = evolve(state, event)
            asks = react(state, event, after)
            if asks:
                self._take(asks)
            shown = visitor_frame(event, after.terms.alias)
            if own is None and asked is not None and type(body) in entry:
                own, origin = event, asked.origin  # the first of its kind is the frame's own
                result.events.append(Logged(event, origin.device, origin.n, origin.id, shown))
            else:
                result.events.append(Logged(event, "", 0, "", shown))
            state = after
        result.conversations[state.id] = state
        return own

    def decide_roster(self, account: AccountId, command: Any) -> list[Any] | Refusal | Already | Told:
        """Put `command` before the account's roster; return its decision, its events having happened."""
        self.deciding = None
        roster = self.roster(account)
        if roster is None:
            config = self.config(account)
            if config is None:
                return Refusal(Code.UNAVAILABLE)
            roster = self._port.new(config)
        decision = self._port.decide(roster, command, self.at_ms)
        if isinstance(decision, list) and decision:
            self._evolve_roster(account, roster, decision)
        return decision

    def decide_visitor(self, account: AccountId, visitor: VisitorId, command: Any) -> Became:
        """Put `command` before the visitor's record; return `Changed`, `Refusal` or `Already`."""
        self.deciding = None
        record, config = self.visitor(visitor), self.config(account)
        decision = visitors.decide(record, command, self.at_ms, config)
        if isinstance(decision, Changed):
            self.result.visitors[visitor] = decision.record
            self._take(decision.asked)
        return decision

    def facts(self, state: Conversation, command: Any = None) -> Facts:
        """Return the `Facts` by which a visitor's command is judged, or a deadline of theirs."""
        visitor = self.visitor(state.terms.visitor if state.seq else command.visitor)
        config = self.config(state.account)
        if config is None or (command is not None and type(state.phase) in _UNDER_WAY and state.heard.visitor_ms):
            return Facts(visitor, config)  # to who talks already it makes no difference whether anybody is there
        meant = state.terms if state.seq else command
        chatflow, version = getattr(meant, "chatflow", None), getattr(meant, "version", 0)
        kept = (flow_at(config, chatflow, version), flow_at(config, chatflow, 0))
        flow = next((flow for flow in kept if flow is not None and flow.availability.kind == "agents_available"), None)
        roster = self.roster(state.account) if flow is not None else None
        ready = flow is not None and roster is not None and self._port.ready(roster, flow.rule, flow.inbox)
        return Facts(visitor, config, ready=ready)

    def _rest(self) -> None:
        """Decide whatever was asked inside the cell, first in first out, until nothing is."""
        decided = 0
        while self.inner:
            decided += 1
            assert decided <= MAX_INNER, "the cell does not come to rest"
            self._decide_inner(self.inner[0])
            self.inner.popleft()

    def _decide_inner(self, inner: Any) -> None:
        """Put an inner command before whom it is for."""
        kind = type(inner)
        if kind in _TO_CONVERSATION:
            self._decide_conversation(inner)
        elif kind in _TO_VISITOR:
            self.decide_visitor(inner.account, inner.visitor, inner)
        elif kind is KeepWithPhone:
            self.result.effects.append(kept(inner, self.visitor(inner.visitor)))
        elif kind is Seek:
            self._seek(inner)
        else:
            self.decide_roster(inner.account, inner)

    def _decide_conversation(self, inner: Inner) -> None:
        state = self.conversation(inner.account, inner.conversation)
        facts = self.facts(state) if type(inner) is Overflowed else NO_FACTS
        decision = decide(state, Stamped(inner, self.at_ms, facts))
        self.conclude(state, decision)
        if type(decision) is Refusal or type(decision) is First:
            self.inner.extend(on_refusal(inner))

    def _seek(self, seek: Seek) -> None:
        """Put a search before the roster; a conversation's own, with all that the roster must know of it."""
        state = self.result.conversations.get(seek.conversation)
        config = self.config(seek.account)
        if state is not None and config is not None:
            visitor = self.visitor(state.terms.visitor) if asks_owner(config, seek.rule) else None
            seek = described(seek, state, config, visitor)
        self.decide_roster(seek.account, seek)

    def _evolve_roster(self, account: AccountId, roster: Roster, events: Iterable[Any]) -> None:
        self.result.rosters[account] = roster
        for event in events:
            self._port.evolve(roster, event)
            self.result.roster_events.append((account, event))
            self._take(self._port.react(roster, event, self.at_ms))

    def _take(self, reaction: Iterable[Any]) -> None:
        """Queue what is asked inside the cell, and keep what is asked of the world."""
        for asked in reaction:
            (self.result.effects if type(asked) in EFFECTS else self.inner).append(asked)
