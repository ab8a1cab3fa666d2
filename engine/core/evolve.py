"""What is true after an event: the only way a conversation changes.

Invariant: total over the table of transitions and nothing else; an event outside it is a bug, not a refusal.
"""

from collections.abc import Callable, Iterable
from typing import Any

from engine.core import phases
from engine.core.conversation import Conversation, Terms, not_started
from engine.core.phases import AnyPhase
from engine.core.transitions import ALLOWED
from protocol.ids import AccountId, AgentId
from protocol.wire import content
from protocol.wire.content import Event, Role

_OPENING = phases.Opening()


def evolve(state: Conversation, event: Event) -> Conversation:
    """Return `state` as it is after `event`, which is the next of its log."""
    body = event.body
    kind = type(body)
    assert event.seq == state.seq + 1, f"{event.conversation}: {event.seq} after {state.seq}"
    assert (type(state.phase), kind) in ALLOWED, f"{kind.__name__} in {type(state.phase).__name__}"
    terms, last_agent = state.terms, state.last_agent
    if kind is content.Started:
        terms = _terms(body)
    elif kind is content.Assigned:
        last_agent = AgentId(body.agent.id)  # type: ignore[union-attr]
    phase = _PHASE_AFTER[kind](state, event, body)
    return Conversation(state.id, state.account, terms, event.seq, event.id, phase, last_agent)


def replay(account: AccountId, events: Iterable[Event]) -> Conversation | None:
    """Return what a whole log amounts to; None for an empty one."""
    state: Conversation | None = None
    for event in events:
        state = evolve(state or not_started(account, event.conversation), event)
    return state


def _terms(body: Any) -> Terms:
    return Terms(
        body.visitor,
        body.chatflow,
        body.version,
        body.inbox,
        body.rule,
        body.ordinal,
        body.locale,
        body.reopen_window_s,
        body.gated_ttl_s,
    )


def _answered(state: Conversation, event: Event, body: content.ConsentAnswered) -> AnyPhase:
    phase = state.phase
    if isinstance(phase, phases.Opening):
        if body.answer == "implied":
            return phase
        until_ms = event.at + state.terms.gated_ttl_s * 1000
        return phases.Ready(until_ms) if body.answer == "granted" else phases.Gated(until_ms)
    if isinstance(phase, phases.Gated) and body.answer != "declined":
        return phases.Ready(phase.until_ms)
    return phase


def _said(state: Conversation, event: Event, body: content.Message) -> AnyPhase:
    phase = state.phase
    if isinstance(phase, phases.Talking):
        if body.by.role is not Role.VISITOR:
            return phase if phase.owed_since_ms is None else phases.Talking(phase.agent, None)
        return phase if phase.owed_since_ms is not None else phases.Talking(phase.agent, event.at)
    if isinstance(phase, phases.Unassigned) and phase.since_ms is None:
        return phases.Unassigned(event.at)
    return _OPENING if type(phase) in phases.UNSAID else phase


def _queued(state: Conversation, event: Event, _: content.Queued) -> AnyPhase:
    phase = state.phase
    # Whoever already waited keeps their place: a lost agent is our failure, not theirs.
    kept = phase.since_ms if isinstance(phase, phases.Unassigned) else None
    return phases.Waiting(event.at if kept is None else kept)


def _unrouted(state: Conversation, event: Event, _: content.Unrouted) -> AnyPhase:
    phase = state.phase
    return phase if isinstance(phase, phases.Unassigned) else phases.Unassigned(event.at)


def _assigned(state: Conversation, _: Event, body: content.Assigned) -> AnyPhase:
    phase = state.phase
    assert isinstance(phase, phases.Waiting | phases.Unassigned)
    return phases.Talking(body.agent, phase.since_ms)


def _unassigned(state: Conversation, _: Event, __: content.Unassigned) -> AnyPhase:
    assert isinstance(state.phase, phases.Talking)
    return phases.Unassigned(state.phase.owed_since_ms)


_PHASE_AFTER: dict[type[content.Body], Callable[[Conversation, Event, Any], AnyPhase]] = {
    content.Started: lambda _, __, ___: _OPENING,
    content.ConsentAnswered: _answered,
    content.Message: _said,
    content.Queued: _queued,
    content.Unrouted: _unrouted,
    content.Assigned: _assigned,
    content.Unassigned: _unassigned,
    content.Transferred: lambda state, _, __: state.phase,
    content.Closed: lambda _, event, __: phases.Closed(event.at, event.seq, event.id),
    content.Reopened: lambda _, __, ___: _OPENING,
    content.Parked: lambda _, __, body: phases.Parked(body.error),
}
