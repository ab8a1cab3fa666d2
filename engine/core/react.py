"""What a conversation's event asks of the rest of the cell, and of the world.

Invariant: the roster is told of a conversation exactly while it is `ROUTED`; the gate's timer is set exactly while it
is `UNSAID`; the visitor's record names it from `Started` on.
"""

from collections.abc import Callable

from engine.core import phases
from engine.core.conversation import Conversation
from engine.core.decide import GATE, GATE_GENERATION
from protocol.bus.commands import TimerFired
from protocol.bus.effects import (
    Assign,
    CancelTimer,
    Effect,
    HandOver,
    Inner,
    NoteClosed,
    NoteConsent,
    NoteStarted,
    Release,
    Seek,
    SetTimer,
)
from protocol.ids import RuleId
from protocol.wire import content
from protocol.wire.content import Event

Reaction = list[Inner | Effect]


def react(before: Conversation, event: Event, after: Conversation) -> Reaction:
    """Return what must be decided next and done, `event` having led from `before` to `after`."""
    reactor = _REACTORS.get(type(event.body))
    asked = reactor(before, event, after) if reactor is not None else []
    was_unsaid, is_unsaid = type(before.phase) in phases.UNSAID, type(after.phase) in phases.UNSAID
    if is_unsaid and not was_unsaid:
        return [*asked, *deadlines(after)]
    if was_unsaid and not is_unsaid:
        return [*asked, CancelTimer(_gate(after))]
    return asked


def deadlines(conversation: Conversation) -> list[SetTimer]:
    """Return every timer of the conversation that is now set: what a rebuilt cell must set again."""
    match conversation.phase:
        case phases.Gated(until_ms=until_ms) | phases.Ready(until_ms=until_ms):
            return [SetTimer(until_ms, _gate(conversation))]
        case _:
            return []


def on_refusal(inner: Inner) -> list[Inner]:
    """Return what a refused inner command leaves to be put right: nobody is left on an empty line."""
    return [Release(inner.account, inner.conversation)] if isinstance(inner, Assign | HandOver) else []


def _gate(state: Conversation) -> TimerFired:
    return TimerFired(state.account, state.id, GATE, "", GATE_GENERATION)


def _started(_: Conversation, __: Event, after: Conversation) -> Reaction:
    terms = after.terms
    names = (terms.visitor, terms.chatflow)
    return [NoteStarted(after.account, after.id, *names, terms.ordinal, terms.reopen_window_s)]


def _answered(_: Conversation, event: Event, after: Conversation) -> Reaction:
    body, terms = event.body, after.terms
    assert isinstance(body, content.ConsentAnswered)
    answer = (body.purpose, body.answer, body.text_hash)
    return [NoteConsent(after.account, after.id, terms.visitor, *answer, terms.chatflow, terms.version, body.locale)]


def _queued(_: Conversation, event: Event, after: Conversation) -> Reaction:
    assert isinstance(after.phase, phases.Waiting)
    assert isinstance(event.body, content.Queued)
    return [_seek(after, after.terms.rule, after.phase.since_ms, event.body.reason)]


def _unrouted(_: Conversation, event: Event, after: Conversation) -> Reaction:
    assert isinstance(after.phase, phases.Unassigned)
    since_ms = after.phase.since_ms
    return [_seek(after, None, event.at if since_ms is None else since_ms, "unrouted")]


def _unassigned(_: Conversation, event: Event, after: Conversation) -> Reaction:
    assert isinstance(after.phase, phases.Unassigned)
    assert isinstance(event.body, content.Unassigned)
    # Owed nothing, it is not handed on before the visitor speaks again; until then anybody may claim it.
    quiet = event.body.reason == "lost" and after.phase.since_ms is None
    return [_seek(after, None, event.at, "lost")] if quiet else []


def _closed(before: Conversation, _: Event, after: Conversation) -> Reaction:
    return [_noted(after, closed=True), *_released(before)]


def _reopened(_: Conversation, __: Event, after: Conversation) -> Reaction:
    return [_noted(after, closed=False)]


def _parked(before: Conversation, _: Event, __: Conversation) -> Reaction:
    return _released(before)


def _noted(state: Conversation, *, closed: bool) -> NoteClosed:
    return NoteClosed(state.account, state.id, state.terms.visitor, state.terms.chatflow, closed)


def _released(before: Conversation) -> Reaction:
    return [Release(before.account, before.id)] if type(before.phase) in phases.ROUTED else []


def _seek(state: Conversation, rule: RuleId | None, since_ms: int, reason: str) -> Seek:
    prefer = state.last_agent if reason == "returned" else None
    avoid = state.last_agent if reason == "agent_lost" else None
    return Seek(state.account, state.id, state.terms.inbox, rule, since_ms, reason, prefer, avoid)


# Messages, assignments and transfers ask nothing of anybody by themselves.
_REACTORS: dict[type[content.Body], Callable[[Conversation, Event, Conversation], Reaction]] = {
    content.Started: _started,
    content.ConsentAnswered: _answered,
    content.Queued: _queued,
    content.Unrouted: _unrouted,
    content.Unassigned: _unassigned,
    content.Closed: _closed,
    content.Reopened: _reopened,
    content.Parked: _parked,
}
