"""The conversation's next move.

`decide` is all of the engine's judgement and none of its machinery: no clock, no network, no chance. The same
conversation and the same command always give the same answer, so an engine may die in mid-sentence and the next one,
reading the same inbox, repeats nothing that was heard and drops nothing that was promised.

Invariant: total over every phase and command; what it returns, `evolve` takes.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from engine.core import phases
from engine.core.asked import Decision, Stamped
from engine.core.consent import before_message, outstanding, standing, text_hash
from engine.core.conversation import Conversation, reopenable
from engine.core.starting import continued, start
from protocol.bus.commands import (
    AgentCloses,
    AgentSends,
    ClaimConversation,
    TimerFired,
    VisitorAnswers,
    VisitorCloses,
    VisitorSends,
)
from protocol.bus.decisions import Already, First, Refusal
from protocol.bus.effects import AgentLost, Assign, HandOver, Inner
from protocol.ids import AgentId
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, Author, Role

_NOTHING: list[AnyBody] = []
_UNDER_WAY = frozenset({phases.Waiting, phases.Talking})  # a message changes nothing else
GATE = "gate"  # the timer that removes what was never consented to, or never said
SYSTEM = Author(Role.SYSTEM, "")


class Park(Inner, frozen=True):
    """To the conversation: deciding it raised; set it aside."""

    error: str


def decide(state: Conversation, asked: Stamped) -> Decision:
    """Return what happens because of the command, or why it may not."""
    if not may_address(state, asked.command):
        return Refusal(Code.NOT_FOUND)
    if type(state.phase) is phases.Parked:
        return Refusal(Code.PARKED)
    return _DECIDERS[type(asked.command)](state, asked)


def may_address(state: Conversation, command: Any) -> bool:
    """Whether the command comes from the conversation's account and, if from a visitor, from its visitor."""
    if command.account != state.account:
        return False
    visitor = getattr(command, "visitor", None)
    return visitor is None or state.seq == 0 or bool(visitor == state.terms.visitor)


def _visitor_sends(state: Conversation, asked: Stamped) -> Decision:
    command: VisitorSends = asked.command
    if not command.text or command.text.isspace():
        return Refusal(Code.EMPTY_TEXT)
    phase = type(state.phase)
    opened = _NOTHING if phase in _UNDER_WAY else _opened(state, asked)
    if not isinstance(opened, list):
        return opened
    chatflow = state.terms.chatflow if state.seq else command.chatflow
    consent = before_message(asked.facts, chatflow, command.locale, gated=phase is phases.Gated)
    if not isinstance(consent, list):
        return consent
    message = content.Message(Author(Role.VISITOR, command.visitor), command.text)
    routed = _NOTHING if phase in _UNDER_WAY else _routed(state, asked, opened)
    return [*opened, *consent, message, *routed]


def _visitor_answers(state: Conversation, asked: Stamped) -> Decision:
    command: VisitorAnswers = asked.command
    opened = _opened(state, asked)
    if isinstance(opened, Refusal):
        return opened
    asking = outstanding(asked.facts, state.terms.chatflow if state.seq else command.chatflow)
    if asking is None:
        answer = standing(asked.facts)
        repeated = answer is not None and answer.answer == command.value
        return Already() if repeated else Refusal(Code.NOT_OUTSTANDING)
    answered = content.ConsentAnswered("process", command.value, text_hash(asking, command.locale), command.locale)
    return [*(opened if state.seq == 0 else ()), answered]  # an answer alone reopens nothing


def _visitor_closes(state: Conversation, asked: Stamped) -> Decision:
    command: VisitorCloses = asked.command
    if state.seq == 0:
        return Refusal(Code.NOT_FOUND)
    if isinstance(state.phase, phases.Closed):
        return Already(state.phase.seq, state.phase.event)
    return [content.Closed(Author(Role.VISITOR, command.visitor), "visitor")]


def _agent_sends(state: Conversation, asked: Stamped) -> Decision:
    command: AgentSends = asked.command
    if not command.text or command.text.isspace():
        return Refusal(Code.EMPTY_TEXT)
    match state.phase:
        case phases.Talking(agent=agent) if agent.id == command.agent:
            return [content.Message(agent, command.text)]
        case phases.Talking():
            return Refusal(Code.NOT_ASSIGNED)
        case phases.Waiting() | phases.Unassigned():
            claim = msgspec.structs.replace(command.origin, n=0)  # the send's n, not a second one, stands for both
            return First(ClaimConversation(command.account, claim, command.agent, command.conversation))
        case phases.Closed():
            return Refusal(Code.CONVERSATION_CLOSED)
        case _:
            return Refusal(Code.NOT_FOUND)  # agents do not see what is behind the gate


def _agent_closes(state: Conversation, asked: Stamped) -> Decision:
    command: AgentCloses = asked.command
    match state.phase:
        case phases.Talking(agent=agent) if agent.id == command.agent:
            return [content.Closed(agent, "agent")]
        case phases.Closed(seq=seq, event=event) if state.last_agent == command.agent:
            return Already(seq, event)
        case phases.Talking() | phases.Waiting() | phases.Unassigned() | phases.Closed():
            return Refusal(Code.NOT_ASSIGNED)
        case _:
            return Refusal(Code.NOT_FOUND)


def _assign(state: Conversation, asked: Stamped) -> Decision:
    command: Assign = asked.command
    assigned = content.Assigned(command.agent, command.reason)
    match state.phase:
        case phases.Waiting() | phases.Unassigned():
            return [assigned]
        case phases.Talking(agent=agent):
            return Already() if agent.id == command.agent.id else [content.Unassigned(agent, "transferred"), assigned]
        case _:
            return Refusal(Code.CONVERSATION_CLOSED)


def _hand_over(state: Conversation, asked: Stamped) -> Decision:
    command: HandOver = asked.command
    told = content.Transferred(command.by, AgentId(command.to.id), command.note)
    assigned = content.Assigned(command.to, "transfer")
    match state.phase:
        case phases.Talking(agent=agent):
            return (
                [told, content.Unassigned(agent, "transferred"), assigned] if agent.id != command.to.id else Already()
            )
        case phases.Waiting() | phases.Unassigned():
            return [told, assigned]
        case _:
            return Refusal(Code.CONVERSATION_CLOSED)


def _agent_lost(state: Conversation, asked: Stamped) -> Decision:
    command: AgentLost = asked.command
    if not isinstance(state.phase, phases.Talking) or state.phase.agent.id != command.agent:
        return Already()
    lost = content.Unassigned(state.phase.agent, "lost")
    return [lost] if state.phase.owed_since_ms is None else [lost, _route(state, "agent_lost")]


def _timer_fired(state: Conversation, asked: Stamped) -> Decision:
    command: TimerFired = asked.command
    due = command.kind == GATE and type(state.phase) in phases.UNSAID and command.generation == GATE_GENERATION
    return [content.Closed(SYSTEM, "gate_expired")] if due else Already()


def _park(state: Conversation, asked: Stamped) -> Decision:
    parked = content.Parked(asked.command.error)
    match state.phase:
        case phases.NotStarted():
            return Refusal(Code.NOT_FOUND)
        case phases.Talking(agent=agent):
            return [content.Unassigned(agent, "parked"), parked]
        case _:
            return [parked]


def _opened(state: Conversation, asked: Stamped) -> list[AnyBody] | Refusal:
    """Return what brings the conversation to where the visitor may speak: nothing, if they already may."""
    if state.seq == 0:
        started = start(asked)
        return started if isinstance(started, Refusal) else [started]
    if not isinstance(state.phase, phases.Closed):
        return []
    if not reopenable(state.phase.at_ms, state.terms.reopen_window_s, asked.at_ms):
        return continued(asked)
    return [content.Reopened(Author(Role.VISITOR, asked.command.visitor))]


def _routed(state: Conversation, asked: Stamped, opened: list[AnyBody]) -> list[AnyBody]:
    """Return what the visitor's message sets going, if nobody has the conversation and nobody was sought."""
    match state.phase:
        case phases.NotStarted():
            started = opened[0]
            assert isinstance(started, content.Started)
            return [content.Unrouted() if started.rule is None else content.Queued("started")]
        case phases.Gated() | phases.Ready():
            return [_route(state, "started")]
        case phases.Unassigned(since_ms=None):
            return [_route(state, "returned")]
        case phases.Closed(at_ms=closed_at_ms):
            return [_route(state, "returned" if _recent(state, asked, closed_at_ms) else "reopened")]
        case _:
            return []


def _route(state: Conversation, reason: str) -> AnyBody:
    return content.Unrouted() if state.terms.rule is None else content.Queued(reason)


def _recent(state: Conversation, asked: Stamped, closed_at_ms: int) -> bool:
    """Whether the last agent is to be preferred (product: returning visitor)."""
    if state.last_agent is None or asked.facts.config is None:
        return False
    rule = next((rule for rule in asked.facts.config.rules if rule.id == state.terms.rule), None)
    return rule is not None and asked.at_ms < closed_at_ms + rule.last_agent_window_s * 1000


GATE_GENERATION = 1  # a conversation comes to its gate once

_DECIDERS: dict[type, Callable[[Conversation, Stamped], Decision]] = {
    VisitorSends: _visitor_sends,
    VisitorAnswers: _visitor_answers,
    VisitorCloses: _visitor_closes,
    AgentSends: _agent_sends,
    AgentCloses: _agent_closes,
    Assign: _assign,
    HandOver: _hand_over,
    AgentLost: _agent_lost,
    TimerFired: _timer_fired,
    Park: _park,
}
