"""What is true beside the phase after an event.

Invariant: as `evolve`, of which it is the other half: a function of what was and of the event, deterministic to the
byte. An event that is not in `AFTER` leaves `Beside` the same object.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from engine.core.attaching import spent_after, spent_without
from engine.core.beside import PLAIN, Beside, Chooseable, EmailAsk, Heard, OpenSurvey, Ticket, TicketStatus
from engine.core.conversation import Conversation
from protocol.wire import content, kinds
from protocol.wire.content import AGENT, VISITOR, Event, Role

CHOOSEABLE_FOR = 100  # entries after a message, it can no longer be chosen from

AsideAfter = Callable[[Conversation, Event, Any], Beside]


def heard_after(heard: Heard, role: Role, at_ms: int) -> Heard:
    """Return who spoke, now that somebody of `role` did at `at_ms`. What the system says is nobody's word."""
    if role is VISITOR:
        return Heard(at_ms, heard.visitor_ms or at_ms, heard.agent_ms, True, heard.agent_since)
    if role is AGENT:
        return Heard(at_ms, heard.visitor_ms, heard.agent_ms or at_ms, heard.visitor_since, True)
    return heard


def heard_beside(heard: Heard, event: Event) -> Heard:
    """Return who spoke, after an event that is no message."""
    kind = type(event.body)
    if kind is content.Assigned or kind is content.Woken:
        return replace(heard, stirred_ms=event.at)
    if kind is content.SurveyAsked:
        return replace(heard, visitor_since=False, agent_since=False)
    return heard


def after_message(beside: Beside, event: Event, body: content.Message) -> Beside:
    """Return what is true beside the phase once `body` was said; the same object if nothing of it changed."""
    if beside.ticket is not None:
        status = _status_after(beside.ticket.status, body.by.role)
        if status != beside.ticket.status:
            beside = replace(beside, ticket=replace(beside.ticket, status=status, changed_ms=event.at))
    if beside.chooseable or body.content is not None:
        chooseable = _chooseable_after(beside.chooseable, event.seq, body.content)
        if chooseable != beside.chooseable:
            beside = replace(beside, chooseable=chooseable)
    if isinstance(body.content, kinds.Files):
        beside = replace(beside, spent=spent_after(beside.spent, event, body.content))
    return beside


def _status_after(status: TicketStatus, role: Role) -> TicketStatus:
    if role is AGENT:
        return status if status == "closed" else "waiting_visitor"
    if role is VISITOR:
        return status if status == "new" else "waiting_us"
    return status


def _chooseable_after(
    before: tuple[Chooseable, ...], seq: int, said: kinds.AnyContent | None
) -> tuple[Chooseable, ...]:
    # By distance and not by number: a message that was redacted since must not move what else may be chosen from.
    filled = said.of if isinstance(said, kinds.FormValues) else 0
    kept = [
        asked for asked in before if not asked.passing and asked.seq != filled and seq - asked.seq <= CHOOSEABLE_FOR
    ]
    match said:
        case kinds.QuickReplies():
            kept.append(Chooseable(seq, tuple(said.options), passing=True))
        case kinds.Form():
            kept.append(Chooseable(seq, fields=tuple(said.fields)))
        case kinds.Buttons() | kinds.Card() | kinds.Carousel():
            if options := options_of(said):
                kept.append(Chooseable(seq, options))
    return tuple(kept)


def options_of(said: kinds.Buttons | kinds.Card | kinds.Carousel) -> tuple[kinds.Option, ...]:
    """Return what pressing a button of `said` may choose: buttons that open an address choose nothing."""
    cards = said.cards if isinstance(said, kinds.Carousel) else [said]
    return tuple(kinds.Option(button.id, button.label) for card in cards for button in card.buttons if not button.url)


def _started(_: Conversation, __: Event, body: content.Started) -> Beside:
    return PLAIN if body.priority == PLAIN.priority else Beside(body.priority)


def _queued(state: Conversation, _: Event, body: content.Queued | content.Unrouted) -> Beside:
    """The first word of a visitor sets the clock of an ask that comes after a delay."""
    heard, beside, plan = state.heard, state.beside, state.terms.email
    first = heard.visitor_ms and not heard.agent_ms and beside.email == EmailAsk()
    if not first or (plan.away if body.away else plan.open) != "after_delay":
        return beside
    return replace(beside, email=EmailAsk(heard.visitor_ms + plan.delay_s * 1000))


def _email_asked(state: Conversation, _: Event, body: content.EmailAsked) -> Beside:
    return replace(state.beside, email=EmailAsk(0, body.why, state.beside.email.asks + 1))


def _email_over(state: Conversation, _: Event, __: content.EmailGiven | content.EmailGivenUp) -> Beside:
    return replace(state.beside, email=EmailAsk(0, "", state.beside.email.asks, True))


def _redacted(state: Conversation, event: Event, body: content.Redacted) -> Beside:
    beside = state.beside
    kept = tuple(asked for asked in beside.chooseable if asked.seq != body.of)
    spent = spent_without(beside.spent, event.at, body.of)
    if (len(kept), len(spent)) == (len(beside.chooseable), len(beside.spent)):
        return beside
    return replace(beside, chooseable=kept, spent=spent)


def _tagged(state: Conversation, _: Event, body: content.TagsChanged) -> Beside:
    kept = [tag for tag in state.beside.tags if tag not in body.removed]
    return replace(state.beside, tags=(*kept, *(tag for tag in body.added if tag not in kept)))


def _fields_set(state: Conversation, _: Event, body: content.FieldsSet) -> Beside:
    fields = {**state.beside.fields, **body.fields}
    return replace(state.beside, fields={name: value for name, value in fields.items() if value})


def _priority_set(state: Conversation, event: Event, body: content.PrioritySet) -> Beside:
    ticket = state.beside.ticket
    changed = replace(ticket, changed_ms=event.at) if ticket is not None else None
    return replace(state.beside, priority=body.priority, ticket=changed)


def _snoozed(state: Conversation, _: Event, body: content.Snoozed) -> Beside:
    return replace(state.beside, snoozed_ms=body.until_ms)


def _awake(state: Conversation, _: Event, __: content.Woken | content.Closed) -> Beside:
    return replace(state.beside, snoozed_ms=0) if state.beside.snoozed_ms else state.beside


def _ticket_opened(state: Conversation, event: Event, body: content.TicketOpened) -> Beside:
    return replace(state.beside, ticket=Ticket(body.number, "new", event.at, event.at))


def _ticket_changed(state: Conversation, event: Event, body: content.TicketChanged) -> Beside:
    ticket = state.beside.ticket
    assert ticket is not None, "a ticket is opened before it changes"
    return replace(state.beside, ticket=replace(ticket, status=body.status, changed_ms=event.at))


def _survey_asked(state: Conversation, event: Event, body: content.SurveyAsked) -> Beside:
    still = [survey for survey in state.beside.surveys if event.at < survey.until_ms or survey.score is None]
    asked = OpenSurvey(body.ask, body.survey, body.version, body.scale, event.at, body.until_ms)
    return replace(state.beside, asks=body.ask, surveys=(*still, asked))


def _survey_changed(state: Conversation, ask: int, **changes: Any) -> Beside:
    surveys = (replace(survey, **changes) if survey.ask == ask else survey for survey in state.beside.surveys)
    return replace(state.beside, surveys=tuple(surveys))


def _survey_seen(state: Conversation, event: Event, body: content.SurveySeen) -> Beside:
    survey = survey_of(state.beside, body.ask)
    seen_ms = survey.seen_ms if survey is not None else None
    return _survey_changed(state, body.ask, seen_ms=event.at if seen_ms is None else seen_ms, dismissed=body.dismissed)


def _survey_answered(state: Conversation, event: Event, body: content.SurveyAnswered) -> Beside:
    survey = survey_of(state.beside, body.ask)
    seen_ms = survey.seen_ms if survey is not None and survey.seen_ms is not None else event.at
    return _survey_changed(state, body.ask, seen_ms=seen_ms, score=body.score, scored_ms=event.at)


def _survey_over(state: Conversation, _: Event, body: content.SurveyCommented | content.SurveyExpired) -> Beside:
    return replace(state.beside, surveys=tuple(survey for survey in state.beside.surveys if survey.ask != body.ask))


def _erased(state: Conversation, _: Event, __: content.Erased) -> Beside:
    before = state.beside
    return Beside(before.priority, before.email, ticket=before.ticket, asks=before.asks)


def survey_of(beside: Beside, ask: int) -> OpenSurvey | None:
    """Return the open survey of that number, or None."""
    return next((survey for survey in beside.surveys if survey.ask == ask), None)


AFTER: dict[type[content.Body], AsideAfter] = {
    content.Started: _started,
    content.EmailAsked: _email_asked,
    content.EmailGiven: _email_over,
    content.EmailGivenUp: _email_over,
    content.Queued: _queued,
    content.Unrouted: _queued,
    content.Redacted: _redacted,
    content.TagsChanged: _tagged,
    content.FieldsSet: _fields_set,
    content.PrioritySet: _priority_set,
    content.Snoozed: _snoozed,
    content.Woken: _awake,
    content.Closed: _awake,
    content.TicketOpened: _ticket_opened,
    content.TicketChanged: _ticket_changed,
    content.SurveyAsked: _survey_asked,
    content.SurveySeen: _survey_seen,
    content.SurveyAnswered: _survey_answered,
    content.SurveyCommented: _survey_over,
    content.SurveyExpired: _survey_over,
    content.Erased: _erased,
}
