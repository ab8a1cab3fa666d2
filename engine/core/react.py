"""What a conversation's event asks of the rest of the cell, and of the world.

Invariant: the roster is told of a conversation exactly while it is `ROUTED`; the visitor's record names it from
`Started` on; timers are the deadlines (engine.core.timers).
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from engine.core import figures, phases, surveys, tickets, timers
from engine.core.beside import survey_until_ms
from engine.core.conversation import Conversation
from protocol.bus.effects import (
    Assign,
    Effect,
    FeedUpdate,
    HandOver,
    Inner,
    Keep,
    NoteClosed,
    NoteConsent,
    NoteEmail,
    NoteReply,
    NoteStarted,
    Release,
    Reprioritise,
    Seek,
    Weigh,
)
from protocol.bus.facts import AttachmentsUsed, ConversationErased
from protocol.bus.topics import agent_feed
from protocol.ids import RuleId, TeamId
from protocol.wire import content, kinds
from protocol.wire.content import AGENT, VISITOR, Event

Reaction = list[Inner | Effect]
Reactor = Callable[[Conversation, Event, Conversation], Reaction]
_AVOIDED = frozenset({"agent_lost", "no_reply"})  # why somebody else is sought than who just had it


def react(before: Conversation, event: Event, after: Conversation) -> Reaction:
    """Return what must be decided next and done, `event` having led from `before` to `after`."""
    reactor = _REACTORS.get(type(event.body))
    asked = reactor(before, event, after) if reactor is not None else []
    moved = timers.moved(before, after)
    return [*asked, *moved] if moved else asked


def on_refusal(inner: Inner) -> list[Inner]:
    """Return what a refused inner command leaves to be put right: nobody is left on an empty line."""
    return [Release(inner.account, inner.conversation)] if isinstance(inner, Assign | HandOver) else []


def _started(_: Conversation, __: Event, after: Conversation) -> Reaction:
    terms = after.terms
    names = (terms.visitor, terms.chatflow)
    return [NoteStarted(after.account, after.id, *names, terms.ordinal, terms.reopen_window_s)]


def _answered(_: Conversation, event: Event, after: Conversation) -> Reaction:
    body, terms = event.body, after.terms
    assert isinstance(body, content.ConsentAnswered)
    answer = (body.purpose, body.answer, body.text_hash, terms.chatflow, body.version or terms.version, body.locale)
    return [NoteConsent(after.account, after.id, terms.visitor, *answer, event.id, body.subscription)]


def _email_given(_: Conversation, event: Event, after: Conversation) -> Reaction:
    body, terms = event.body, after.terms
    assert isinstance(body, content.EmailGiven)
    flow = (terms.chatflow, terms.version)
    return [NoteEmail(after.account, after.id, terms.visitor, body.email, body.contact, *flow)]


def _said(before: Conversation, event: Event, after: Conversation) -> Reaction:
    """Nearly every message asks nothing of anybody: only the first ones, and one that ends a silence."""
    asked: Reaction = []
    heard = before.heard
    if not heard.visitor_ms or not heard.agent_ms:
        asked += _first_words(before, event, after)
    kind = type(before.phase)
    if kind is phases.Talking:
        if timers.fell_silent(before, event.at):
            asked.append(Weigh(after.account, after.id, True))
    elif kind is phases.Unassigned:
        asked += figures.at_word_to_nobody(before, event, after)
    if after.beside is not before.beside:
        asked += tickets.kept(before, after)
        asked += _attached(event, after)
    return asked


def _attached(event: Event, after: Conversation) -> Reaction:
    body: Any = event.body
    if not isinstance(body.content, kinds.Files):
        return []
    return [Keep(AttachmentsUsed(after.account, after.id, event.seq, [file.id for file in body.content.files]))]


def _first_words(before: Conversation, event: Event, after: Conversation) -> Reaction:
    """Return what it asks that the visitor, or an agent, speaks for the first time."""
    body: Any = event.body
    role, visitor_ms, asked = body.by.role, before.heard.visitor_ms, figures.at_first_word(before, event)
    if role is VISITOR and not visitor_ms:
        asked += tickets.opened_by(before, after)
    if role is AGENT and not before.heard.agent_ms and visitor_ms:
        asked.append(NoteReply(after.account, after.id, after.terms.inbox, event.at - visitor_ms))
    return asked


def _noted(_: Conversation, event: Event, after: Conversation) -> Reaction:
    """Whoever is mentioned is told on their own feed; there is no row to keep of it."""
    body = event.body
    assert isinstance(body, content.Note)
    key = f"mention:{after.id}:{event.seq}"
    return [FeedUpdate(agent_feed(after.account, agent), "mentioned", key, None) for agent in body.mentions]


def _priority_set(before: Conversation, _: Event, after: Conversation) -> Reaction:
    routed = type(after.phase) in phases.ROUTED
    moved: Reaction = [Reprioritise(after.account, after.id, after.beside.priority)] if routed else []
    return [*moved, *tickets.kept(before, after)]


def _ticket(before: Conversation, _: Event, after: Conversation) -> Reaction:
    return tickets.kept(before, after)


def _snoozed(_: Conversation, event: Event, after: Conversation) -> Reaction:
    talking = type(after.phase) is phases.Talking
    return [Weigh(after.account, after.id, type(event.body) is content.Woken)] if talking else []


def _queued(_: Conversation, event: Event, after: Conversation) -> Reaction:
    assert isinstance(after.phase, phases.Waiting)
    assert isinstance(event.body, content.Queued)
    team = TeamId(event.body.team) if event.body.team else None
    return [_seek(after, after.terms.rule, after.phase.since_ms, event.body.reason, team)]


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
    return [_note(after, closed=True), *_released(before)]


def _reopened(_: Conversation, __: Event, after: Conversation) -> Reaction:
    return [_note(after, closed=False)]


def _erased(_: Conversation, event: Event, after: Conversation) -> Reaction:
    """What SQL has of it is emptied by its scribe, who has brought all of it there by then."""
    return [
        replace(_note(after, closed=True), final=True),
        Keep(ConversationErased(after.account, after.id, event.seq)),
    ]


def _survey_asked(before: Conversation, event: Event, after: Conversation) -> Reaction:
    return [_note(after, closed=True), *surveys.report(before, event, after)]


def _parked(before: Conversation, _: Event, __: Conversation) -> Reaction:
    return _released(before)


def _note(state: Conversation, *, closed: bool) -> NoteClosed:
    names = (state.account, state.id, state.terms.visitor, state.terms.chatflow)
    return NoteClosed(*names, closed, survey_until_ms(state.beside))


def _released(before: Conversation) -> Reaction:
    return [Release(before.account, before.id)] if type(before.phase) in phases.ROUTED else []


def _seek(state: Conversation, rule: RuleId | None, since_ms: int, reason: str, team: TeamId | None = None) -> Seek:
    return Seek(
        state.account,
        state.id,
        state.terms.inbox,
        rule,
        since_ms,
        reason,
        prefer=state.last_agent if reason == "returned" else None,
        avoid=state.last_agent if reason in _AVOIDED else None,
        priority=state.beside.priority,
        language=state.terms.locale,
        team=team,
    )


# What is not here asks nothing of anybody by itself.
_REACTORS: dict[type[content.Body], Reactor] = {
    content.Message: _said,
    content.Started: _started,
    content.ConsentAnswered: _answered,
    content.EmailGiven: _email_given,
    content.Note: _noted,
    content.PrioritySet: _priority_set,
    content.Snoozed: _snoozed,
    content.Woken: _snoozed,
    content.TicketOpened: _ticket,
    content.TicketChanged: _ticket,
    content.Queued: _queued,
    content.Unrouted: _unrouted,
    content.Unassigned: _unassigned,
    content.Closed: _closed,
    content.Reopened: _reopened,
    content.SurveyAsked: _survey_asked,
    content.SurveySeen: surveys.report,
    content.SurveyAnswered: surveys.report,
    content.SurveyCommented: surveys.report,
    content.SurveyExpired: surveys.report,
    content.Parked: _parked,
    content.Erased: _erased,
}


def _counted(reactor: Reactor) -> Reactor:
    """Return `reactor` with the figures that the moment leaves."""
    return lambda before, event, after: [*reactor(before, event, after), *figures.at_moment(before, event, after)]


def _nothing(_: Conversation, __: Event, ___: Conversation) -> Reaction:
    return []


_REACTORS.update({moment: _counted(_REACTORS.get(moment, _nothing)) for moment in figures.MOMENTS})
