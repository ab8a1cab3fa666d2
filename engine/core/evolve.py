"""What is true after an event: the only way a conversation changes.

Invariant: total over the table of transitions and nothing else; an event outside it is a bug, not a refusal.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from engine.core import aside, phases
from engine.core.conversation import Conversation, Terms, not_started
from engine.core.phases import AnyPhase
from engine.core.transitions import ALLOWED
from protocol.ids import AccountId, AgentId
from protocol.wire import content
from protocol.wire.content import AGENT, VISITOR, Event, Role

_STEPS = {"storage": "storage_consent", "process": "consent_to_process"}  # purpose → the step that asks it


def evolve(state: Conversation, event: Event) -> Conversation:
    """Return `state` as it is after `event`, which is the next of its log."""
    body = event.body
    kind = type(body)
    assert event.seq == state.seq + 1, f"{event.conversation}: {event.seq} after {state.seq}"
    assert (type(state.phase), kind) in ALLOWED, f"{kind.__name__} in {type(state.phase).__name__}"
    if kind is content.Message:
        return _after_message(state, event, body)
    terms, last_agent, beside = state.terms, state.last_agent, state.beside
    if kind is content.Started:
        terms = _terms(body)
    elif kind is content.Assigned:
        last_agent = AgentId(body.agent.id)  # type: ignore[union-attr]
    elif kind is content.Erased:
        terms = replace(terms, reopen_window_s=0)
    elif kind is content.Merged:
        window_s = 0 if body.over else terms.reopen_window_s  # type: ignore[union-attr]
        terms = replace(terms, visitor=body.visitor, reopen_window_s=window_s)  # type: ignore[union-attr]
    heard = aside.heard_beside(state.heard, event)
    moved = aside.AFTER.get(kind)
    beside = moved(state, event, body) if moved is not None else beside
    phase_after = _PHASE_AFTER.get(kind)
    phase = phase_after(state, event, body) if phase_after is not None else state.phase
    return Conversation(state.id, state.account, terms, event.seq, event.id, phase, last_agent, heard, beside)


def replay(account: AccountId, events: Iterable[Event]) -> Conversation | None:
    """Return what a whole log amounts to; None for an empty one."""
    state: Conversation | None = None
    for event in events:
        state = evolve(state or not_started(account, event.conversation), event)
    return state


def _after_message(state: Conversation, event: Event, body: Any) -> Conversation:
    role, beside = body.by.role, state.beside
    if beside.ticket is not None or beside.chooseable or body.content is not None:
        beside = aside.after_message(beside, event, body)
    phase = state.phase
    phase = _replied(phase, role, event.at) if type(phase) is phases.Talking else _said(phase, role, event.at)
    heard = aside.heard_after(state.heard, role, event.at)
    return Conversation(
        state.id, state.account, state.terms, event.seq, event.id, phase, state.last_agent, heard, beside
    )  # fmt: skip


def _terms(body: Any) -> Terms:
    return Terms(
        visitor=body.visitor,
        chatflow=body.chatflow,
        version=body.version,
        inbox=body.inbox,
        rule=body.rule,
        ordinal=body.ordinal,
        locale=body.locale,
        reopen_window_s=body.reopen_window_s,
        gated_ttl_s=body.gated_ttl_s,
        alias=body.alias,
        help_desk=body.help_desk,
        inactivity_s=body.inactivity_s,
        silent_s=body.silent_s,
        first_reply_s=body.first_reply_s,
        environment=body.environment,
        email=body.email,
        survey=body.survey,
    )


def _answered(state: Conversation, event: Event, body: content.ConsentAnswered) -> AnyPhase:
    declined = body.purpose == "process" and body.answer in ("declined", "withdrawn")
    if body.answer == "implied" and isinstance(state.phase, phases.Opening):
        return _without(state.phase, "consent_to_process")  # a message follows
    return _at_gate(state, event, "" if declined else _STEPS.get(body.purpose, ""), shut=declined)


def _email_given(state: Conversation, event: Event, _: content.EmailGiven) -> AnyPhase:
    return _at_gate(state, event, "email")


def _at_gate(state: Conversation, event: Event, answered: str, *, shut: bool = False) -> AnyPhase:
    """Return where it rests until something is said, the step `answered` no longer missing."""
    phase = state.phase
    if isinstance(phase, phases.Closed) or (isinstance(phase, phases.Opening) and phase.said_ms is not None):
        return _without(phase, answered)
    if type(phase) not in phases.UNROUTED:
        return phase
    until_ms = event.at + state.terms.gated_ttl_s * 1000 if isinstance(phase, phases.Opening) else phase.until_ms  # type: ignore[union-attr]
    missing = tuple(step for step in getattr(phase, "missing", ()) if step != answered)
    return phases.Gated(until_ms, missing) if missing or shut else phases.Ready(until_ms)


def _without(phase: phases.Opening | phases.Closed, answered: str) -> AnyPhase:
    return replace(phase, missing=tuple(step for step in phase.missing if step != answered))


def _closed(state: Conversation, event: Event, _: content.Closed) -> AnyPhase:
    return phases.Closed(event.at, event.seq, event.id, getattr(state.phase, "missing", ()))


def _reopened(state: Conversation, _: Event, __: content.Reopened) -> AnyPhase:
    assert isinstance(state.phase, phases.Closed)
    return phases.Opening(None, state.phase.missing)


def _erased(state: Conversation, event: Event, _: content.Erased) -> AnyPhase:
    phase = state.phase
    if isinstance(phase, phases.Closed):
        return replace(phase, erased=True)
    return phases.Closed(event.at, event.seq, event.id, erased=True)


def _said(phase: AnyPhase, role: Role, at_ms: int) -> AnyPhase:
    """Return where it is after a word that was said while nobody had it."""
    kind = type(phase)
    if role is not VISITOR:
        return phases.Opening() if kind in phases.UNSAID else phase
    if kind is phases.Unassigned and phase.since_ms is None:  # type: ignore[union-attr]
        return phases.Unassigned(at_ms)
    return phases.Opening(at_ms) if kind in phases.UNROUTED else phase


def _replied(phase: phases.Talking, role: Role, at_ms: int) -> AnyPhase:
    """Return what is owed after a word of a talk."""
    if role is VISITOR and phase.owed_since_ms is None:
        return phases.Talking(phase.agent, at_ms, phase.since_ms, phase.answered)
    if role is AGENT and (phase.owed_since_ms is not None or not phase.answered):
        return phases.Talking(phase.agent, None, phase.since_ms, True)
    return phase


def _queued(state: Conversation, event: Event, _: content.Queued) -> AnyPhase:
    phase = state.phase
    # Whoever already waited keeps their place: a lost agent is our failure, not theirs.
    kept = phase.since_ms if isinstance(phase, phases.Unassigned | phases.Waiting) else None
    return phases.Waiting(event.at if kept is None else kept)


def _unrouted(state: Conversation, _: Event, __: content.Unrouted) -> AnyPhase:
    phase = state.phase
    if isinstance(phase, phases.Opening):
        return phases.Unassigned(phase.said_ms)
    if isinstance(phase, phases.Waiting):
        return phases.Unassigned(phase.since_ms)
    return phase if isinstance(phase, phases.Unassigned) else phases.Unassigned(None)


def _assigned(state: Conversation, event: Event, body: content.Assigned) -> AnyPhase:
    phase = state.phase
    assert isinstance(phase, phases.Waiting | phases.Unassigned)
    return phases.Talking(body.agent, phase.since_ms, event.at)


def _unassigned(state: Conversation, _: Event, __: content.Unassigned) -> AnyPhase:
    assert isinstance(state.phase, phases.Talking)
    return phases.Unassigned(state.phase.owed_since_ms)


# What is not here leaves the phase as it is; of messages see above.
_PHASE_AFTER: dict[type[content.Body], Callable[[Conversation, Event, Any], AnyPhase]] = {
    content.Started: lambda _, __, body: phases.Opening(None, tuple(body.steps)),
    content.ConsentAnswered: _answered,
    content.EmailGiven: _email_given,
    content.Queued: _queued,
    content.Unrouted: _unrouted,
    content.Assigned: _assigned,
    content.Unassigned: _unassigned,
    content.Closed: _closed,
    content.Reopened: _reopened,
    content.Parked: lambda _, __, body: phases.Parked(body.error),
    content.Erased: _erased,
}
