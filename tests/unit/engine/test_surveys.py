"""The survey that a close asks, and what becomes of it."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.core.phones import KeepWithPhone
from protocol.bus.chatflow import SCORES, Survey
from protocol.bus.commands import AgentCloses
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import End, NoteClosed
from protocol.bus.facts import SurveyChanged
from protocol.ids import SurveyId
from protocol.wire.codes import Code
from protocol.wire.content import SurveyAnswered, SurveyCommented, SurveyExpired, SurveySeen
from tests.kit.desks import SURVEY, by, helpdesk, rates, talked
from tests.kit.threads import Thread
from tests.kit.workplace import ACCOUNT, ANN, UNROUTED, closes, hangs_up, replies, sends

WEEK_MS = 604_800_000


def asked(**survey: Any) -> Thread:
    """A conversation that Ann closed at 5 s, having answered: it asks."""
    thread = talked(helpdesk(survey=replace(SURVEY, **survey)))
    thread.ask(hangs_up(ANN, 2, thread.state.id), 5_000)
    thread.current(closed_at_ms=5_000)
    return thread


def rate(thread: Thread, n: int, action: str, **what: Any) -> Any:
    """Kari says something of the first ask, a second later."""
    return thread.ask(rates(n, thread.state.id, action, **what), 6_000)


def test_asked_in_the_commit_that_closes() -> None:
    """Right behind the close stands the ask, in the visitor's words, for seven days."""
    thread = talked()
    closed, ask = thread.ask(hangs_up(ANN, 2, thread.state.id), 5_000)
    assert type(closed).__name__ == "Closed"
    assert (ask.ask, ask.survey, ask.version, ask.scale) == (1, "srv_help", 3, "faces")
    assert (ask.question, ask.until_ms, ask.thanks) == (
        "How was it?", 5_000 + WEEK_MS, {"any": "Thank you for your answer."},
    )  # fmt: skip


def test_words_of_the_survey() -> None:
    """Question, follow-ups and thanks are in the conversation's locale."""
    survey = replace(
        SURVEY, follow_up={"0": {"nb": "Hva gikk galt?"}}, thanks={"2": {"en": "Great!"}, "any": {"nb": "Takk!"}}
    )
    thread = Thread(config=helpdesk(survey=survey))
    thread.ask(replace(sends(), locale="nb-NO"))
    thread.assign(ANN)
    thread.ask(replies(ANN, 1, thread.state.id))
    ask = thread.ask(hangs_up(ANN, 2, thread.state.id))[-1]
    assert (ask.question, ask.follow_up, ask.thanks) == (
        "Hvordan var det?", {"0": "Hva gikk galt?"}, {"2": "Great!", "any": "Takk!"},
    )  # fmt: skip


def test_default_question() -> None:
    """A survey without a question asks the catalogue's, by its scale."""
    thread = talked(helpdesk(survey=Survey(SurveyId("srv"), "Stars", scale="stars")))
    assert thread.ask(hangs_up(ANN, 2, thread.state.id))[-1].question == "How many stars would you give us?"


def test_closed_by_the_visitor() -> None:
    """The visitor's own close asks too."""
    thread = talked()
    assert thread.kinds(closes(2)) == ["Closed", "SurveyAsked"]


def test_not_earned_without_an_answer() -> None:
    """Nobody having answered, nothing is asked."""
    thread = Thread(config=helpdesk())
    thread.ask(sends())
    assert thread.kinds(closes(2)) == ["Closed"]


def test_no_survey_linked() -> None:
    """A chatflow without a survey asks nothing."""
    thread = talked(helpdesk(survey=None))
    assert thread.kinds(closes(2)) == ["Closed"]


def test_never_for_spam() -> None:
    """Spam asks nothing."""
    thread = talked()
    assert thread.kinds(by(ANN, AgentCloses, 2, thread.state.id, spam=True)) == ["Closed"]


@pytest.mark.parametrize("reason", ["consent_withdrawn", "blocked"])
def test_never_for_reasons_of_the_visitors(reason: str) -> None:
    """A withdrawal or a block asks nothing."""
    thread = talked()
    assert thread.kinds(End(ACCOUNT, thread.state.id, reason)) == ["Closed"]


@pytest.mark.parametrize(("option", "kinds"), [(False, ["Closed"]), (True, ["Closed", "SurveyAsked"])])
def test_inactivity_is_an_option(option: bool, kinds: list[str]) -> None:
    """A close for inactivity asks only if the survey says so."""
    thread = talked(helpdesk(survey=replace(SURVEY, on_inactivity=option)))
    assert thread.kinds(thread.timer("inactivity"), thread.due("inactivity") or 0) == kinds


def test_running_conversations_keep_their_survey() -> None:
    """The version decides: a survey that a publish took away is still asked where it was promised."""
    thread = talked()
    old = thread.config.chatflows
    thread.config = replace(thread.config, chatflows=[replace(flow, version=4, survey=None) for flow in old], past=old)
    assert thread.ask(closes(2))[-1].question == "How was it?"


def test_each_close_that_earned_it() -> None:
    """A reopen cancels nothing; only a close with a new word and a new answer in it makes an ask of its own."""
    thread = asked()
    thread.ask(sends(2), 6_000)
    assert thread.kinds(closes(3), 7_000) == ["Closed"]
    thread.current(closed_at_ms=7_000)
    thread.ask(sends(4), 8_000)
    thread.assign(ANN, 8_500)
    thread.ask(replies(ANN, 3, thread.state.id), 9_000)
    assert thread.ask(closes(5), 10_000)[-1].ask == 2
    assert thread.ask(rates(6, thread.state.id, "answer", score=2), 11_000) == [SurveyAnswered(1, 2)]
    assert thread.ask(rates(7, thread.state.id, "answer", 2, score=0), 11_000) == [SurveyAnswered(2, 0)]


def test_an_answer_alone_earns_nothing() -> None:
    """An agent's word after the last ask needs a visitor's word too."""
    thread = asked()
    thread.ask(sends(2), 6_000)
    thread.assign(ANN, 6_500)
    thread.ask(closes(3), 7_000)
    assert thread.state.beside.asks == 1


def test_answered_while_open_again() -> None:
    """An ask is answered also after the conversation was reopened, from any device."""
    thread = asked()
    thread.ask(sends(2), 6_000)
    assert thread.ask(rates(1, thread.state.id, "answer", score=1, number=2), 7_000) == [SurveyAnswered(1, 1)]


@pytest.mark.parametrize("scale", SCORES)
def test_scores(scale: Any) -> None:
    """Each scale takes its own scores and no other."""
    for score in range(-1, 12):
        thread = asked(scale=scale)
        fits = score in SCORES[scale]
        expected = [SurveyAnswered(1, score)] if fits else Refusal(Code.BAD_ANSWER)
        assert thread.ask(rates(2, thread.state.id, "answer", score=score), 6_000) == expected
    assert asked(scale=scale).ask(rates(2, thread.state.id, "answer"), 6_000) == Refusal(Code.BAD_ANSWER)


def test_first_score_is_final() -> None:
    """The first score is final; a comment follows it once."""
    thread = asked()
    assert rate(thread, 2, "comment", text="Early") == Refusal(Code.BAD_ANSWER)
    rate(thread, 3, "answer", score=2)
    assert rate(thread, 4, "answer", score=0) == Refusal(Code.SURVEY_OVER)
    assert rate(thread, 5, "comment", text=" ") == Refusal(Code.EMPTY_TEXT)
    assert rate(thread, 6, "comment", text="x" * 2_001) == Refusal(Code.TOO_LARGE)
    assert rate(thread, 7, "comment", text="Good") == [SurveyCommented(1, "Good")]
    assert rate(thread, 8, "comment", text="More") == Refusal(Code.SURVEY_OVER)


def test_dismissing_is_seeing() -> None:
    """Dismissed counts as seen; seen again changes nothing; it may be answered all the same."""
    thread = asked()
    assert rate(thread, 2, "dismiss") == [SurveySeen(1, True)]
    assert rate(thread, 3, "dismiss") == rate(thread, 4, "seen") == Already()
    assert rate(thread, 5, "answer", score=2) == [SurveyAnswered(1, 2)]


def test_seen_then_dismissed() -> None:
    """What was seen may still be put away."""
    thread = asked()
    assert thread.ask(rates(2, thread.state.id, "seen"), 6_000) == [SurveySeen(1)]
    assert thread.ask(rates(3, thread.state.id, "dismiss"), 6_000) == [SurveySeen(1, True)]


def test_expires() -> None:
    """Nobody having answered, it expires when its time is over, and not before."""
    thread = asked()
    assert thread.due("survey", "1") == 5_000 + WEEK_MS
    assert thread.fire("survey", 4_999 + WEEK_MS, "1") == Already()
    assert thread.fire("survey", 5_000 + WEEK_MS, "1") == [SurveyExpired(1)]
    assert thread.ask(rates(2, thread.state.id, "answer", score=2), 6_000 + WEEK_MS) == Refusal(Code.SURVEY_OVER)


def test_late_is_late() -> None:
    """After its time an ask takes nothing, though its timer be late."""
    thread = asked()
    for action in ("seen", "dismiss", "answer", "comment"):
        assert thread.ask(rates(2, thread.state.id, action, score=2), 5_000 + WEEK_MS) == Refusal(Code.SURVEY_OVER)


def test_answered_does_not_expire() -> None:
    """What was answered never expires."""
    thread = asked()
    thread.ask(rates(2, thread.state.id, "answer", score=2), 6_000)
    assert thread.due("survey", "1") is None
    assert thread.fire("survey", 5_000 + WEEK_MS, "1") == Already()


def test_no_such_ask() -> None:
    """An ask that there never was is over, and a conversation that there never was is not found."""
    assert rate(asked(), 2, "answer", ask=7, score=2) == Refusal(Code.SURVEY_OVER)
    assert rate(Thread(UNROUTED), 1, "seen") == Refusal(Code.NOT_FOUND)


def test_the_visitor_knows_until_when() -> None:
    """The visitor's record learns until when the survey may be answered, and keeps it when the talk is reopened."""
    thread = talked()
    thread.ask(closes(2), 5_000)
    notes = [asked.survey_until_ms for asked in thread.asked if isinstance(asked, NoteClosed)]
    assert notes == [0, 5_000 + WEEK_MS]
    thread.current(closed_at_ms=5_000)
    thread.ask(sends(3), 6_000)
    assert [asked.survey_until_ms for asked in thread.asked if isinstance(asked, NoteClosed)] == [5_000 + WEEK_MS]


def facts(thread: Thread) -> list[SurveyChanged]:
    """The facts for the report since the last command."""
    return [asked.fact for asked in thread.asked if isinstance(asked, KeepWithPhone)]


def test_report() -> None:
    """Every change of an ask is a fact for the report."""
    thread = talked()
    thread.ask(closes(2), 5_000)
    (fact,) = facts(thread)
    assert (fact.ask, fact.survey, fact.chatflow, fact.scale, fact.asked_at_ms) == (
        1, "srv_help", thread.state.terms.chatflow, "faces", 5_000,
    )  # fmt: skip
    assert (fact.seen_at_ms, fact.score, fact.comment, fact.expired) == (None, None, None, False)
    assert (fact.inbox, fact.agent) == (thread.state.terms.inbox, ANN)
    thread.ask(rates(3, thread.state.id, "dismiss"), 6_000)
    assert [(fact.seen_at_ms, fact.dismissed) for fact in facts(thread)] == [(6_000, True)]
    thread.ask(rates(4, thread.state.id, "answer", score=2), 7_000)
    assert [(fact.score, fact.seen_at_ms, fact.answered_at_ms) for fact in facts(thread)] == [(2, 6_000, 7_000)]
    thread.ask(rates(5, thread.state.id, "comment", text="Good"), 8_000)
    assert [(fact.score, fact.comment) for fact in facts(thread)] == [(2, "Good")]


def test_report_of_what_expired() -> None:
    """An expiry is a fact, too."""
    thread = asked()
    thread.fire("survey", 5_000 + WEEK_MS, "1")
    assert [(fact.expired, fact.score) for fact in facts(thread)] == [(True, None)]
