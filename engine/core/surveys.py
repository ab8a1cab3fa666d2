"""Surveys: asked in the commit that closes, answered whenever, each exactly once (product §7).

Invariant: a close asks only if since the last ask the visitor spoke and an agent answered; nothing cancels an ask but
its answer and its end. Results are kept as facts with the visitor's phone, which only the visitor's record knows.
"""

from typing import Any, Final

from engine.core.aside import survey_of
from engine.core.asked import Decision, Stamped
from engine.core.beside import OpenSurvey
from engine.core.conversation import Conversation
from engine.core.phones import KeepWithPhone
from protocol.bus.catalogue import UNSAID, said
from protocol.bus.chatflow import SCORES, Survey
from protocol.bus.commands import VisitorRates
from protocol.bus.config import flow_at
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import Effect, Inner
from protocol.bus.facts import SurveyChanged
from protocol.bus.records import VisitorRecord
from protocol.bus.texts import text_for
from protocol.wire import content
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, Event

MAX_COMMENT_CHARS: Final = 2_000
_OVER: Final = Refusal(Code.SURVEY_OVER)
_ASKED_OF: Final = frozenset({"agent", "visitor"})  # inactivity by the survey's own option; no other close at all


def asked_by_close(state: Conversation, asked: Stamped, reason: str) -> list[AnyBody]:
    """Return the ask that stands right behind `Closed`, if this close has earned one."""
    plan, heard, config = state.terms.survey, state.heard, asked.facts.config
    if plan is None or config is None or not (heard.visitor_since and heard.agent_since):
        return []
    if reason not in _ASKED_OF and not (reason == "inactivity" and plan.on_inactivity):
        return []
    flow, locale = flow_at(config, state.terms.chatflow, state.terms.version), state.terms.locale
    if flow is None:
        return []
    survey = flow.survey if flow.survey is not None and flow.survey.id == plan.id else Survey(plan.id, "")
    ask = content.SurveyAsked(
        ask=state.beside.asks + 1,
        survey=plan.id,
        version=state.terms.version,
        scale=plan.scale,
        question=said(config, flow, locale, f"survey_question_{plan.scale}", survey.question),
        until_ms=asked.at_ms + plan.expires_s * 1000,
        follow_up=_by_score(survey.follow_up, locale, flow.language),
        thanks={"any": said(config, flow, locale, "survey_thanks"), **_by_score(survey.thanks, locale, flow.language)},
    )
    return [ask]


def _by_score(texts: dict[str, dict[str, str]], locale: str, language: str) -> dict[str, str]:
    found = {score: text_for(each or UNSAID, locale, language) for score, each in texts.items()}
    return {score: text for score, text in found.items() if text is not None}


def rate(state: Conversation, asked: Stamped) -> Decision:
    """Return what becomes of an ask of which the visitor says something."""
    command: VisitorRates = asked.command
    if state.seq == 0:
        return Refusal(Code.NOT_FOUND)
    survey = survey_of(state.beside, command.ask)
    if survey is None or asked.at_ms >= survey.until_ms or _withdrawn(asked.facts.visitor):
        return _OVER
    match command.action:
        case "seen" | "dismiss":
            return _seen(survey, dismissed=command.action == "dismiss")
        case "answer" if survey.score is None:
            return _scored(survey, command.score)
        case "comment" if survey.score is not None:
            return _commented(survey, command.text)
        case "comment":
            return Refusal(Code.BAD_ANSWER)  # the score comes first
        case _:
            return _OVER


def _withdrawn(visitor: VisitorRecord | None) -> bool:
    """Whether the visitor took the consent to process back: that ends every ask, until they give it again."""
    answer = visitor.consents.get("process") if visitor is not None else None
    return answer is not None and answer.answer == "withdrawn"


def _seen(survey: OpenSurvey, *, dismissed: bool) -> Decision:
    news = survey.seen_ms is None or (dismissed and not survey.dismissed and survey.score is None)
    return [content.SurveySeen(survey.ask, dismissed)] if news else Already()


def _scored(survey: OpenSurvey, score: int | None) -> Decision:
    if score is None or score not in SCORES[survey.scale]:
        return Refusal(Code.BAD_ANSWER)
    return [content.SurveyAnswered(survey.ask, score)]


def _commented(survey: OpenSurvey, text: str) -> Decision:
    if not text or text.isspace():
        return Refusal(Code.EMPTY_TEXT)
    return Refusal(Code.TOO_LARGE) if len(text) > MAX_COMMENT_CHARS else [content.SurveyCommented(survey.ask, text)]


def expired(state: Conversation, ask: int, at_ms: int) -> Decision:
    """Return that nobody answered `ask` in time, if so it is."""
    survey = survey_of(state.beside, ask)
    due = survey is not None and survey.score is None and survey.until_ms <= at_ms
    return [content.SurveyExpired(ask)] if due else Already()


def report(before: Conversation, event: Event, after: Conversation) -> list[Inner | Effect]:
    """Return the fact that an event of a survey leaves."""
    body: Any = event.body
    # Whoever commented or let it expire is gone from `after`.
    survey = survey_of(after.beside, body.ask) or survey_of(before.beside, body.ask)
    assert survey is not None, "an ask is open until it is over"
    fact = SurveyChanged(
        account=after.account,
        conversation=after.id,
        ask=survey.ask,
        survey=survey.survey,
        version=survey.version,
        chatflow=after.terms.chatflow,
        scale=survey.scale,
        environment=after.terms.environment,
        platform="",
        app_version="",
        asked_at_ms=survey.asked_ms,
        seen_at_ms=survey.seen_ms,
        dismissed=survey.dismissed,
        score=survey.score,
        answered_at_ms=survey.scored_ms,
        comment=body.text if isinstance(body, content.SurveyCommented) else None,
        expired=isinstance(body, content.SurveyExpired),
        inbox=after.terms.inbox,
        agent=after.last_agent or "",
    )
    return [KeepWithPhone(after.account, after.id, after.terms.visitor, fact)]
