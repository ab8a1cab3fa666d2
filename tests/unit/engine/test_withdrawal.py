"""Consents taken back, run out, or asked once and for all."""

import pytest
from msgspec.structs import replace

from protocol.bus.chatflow import Survey
from protocol.bus.facts import ConsentGiven
from protocol.bus.steps import VALID_MS
from protocol.ids import ChatflowId, SurveyId
from protocol.wire.content import Closed, SurveyAnswered
from tests.kit.visits import Visit, asking
from tests.kit.workplace import ASKS, IMPLIES, OPEN


def test_withdrawal_ends_everything() -> None:
    """Withdrawing the consent to process closes every open conversation, with its own ledger line and no survey."""
    visit = Visit(ASKS)
    visit.answer("consent_to_process")
    visit.say()
    visit.flow = OPEN
    visit.say()
    assert visit.withdraw("process") == ""
    for flow in (ASKS, OPEN):
        visit.flow = ChatflowId(flow)
        assert [closed.reason for closed in visit.logged(Closed)] == ["consent_withdrawn"]
        assert visit.kinds()[-1] == "Closed"
    assert [line.answer for line in visit.kept(ConsentGiven)] == ["granted", "withdrawn"]
    assert [current.closed_at_ms is None for current in visit.record.current.values()] == [False, False]


@pytest.mark.parametrize("flow", [ASKS, IMPLIES])
def test_send_after_withdrawal(flow: ChatflowId) -> None:
    """After a withdrawal the next message is refused until the visitor grants, whatever the chatflow's mode."""
    visit = Visit(flow)
    visit.answer("consent_to_process")
    visit.say()
    visit.withdraw("process")
    assert visit.say() == "consent_required"
    visit.answer("consent_to_process", "declined")
    assert visit.say() == "consent_required"
    assert visit.answer("consent_to_process") == ""
    assert visit.say() == ""


def test_withdrawn_twice() -> None:
    """Withdrawing what was withdrawn is success, and leaves no second line."""
    visit = Visit(IMPLIES)
    visit.say()
    assert [visit.withdraw("process"), visit.withdraw("process")] == ["", ""]
    assert [line.answer for line in visit.kept(ConsentGiven)] == ["implied", "withdrawn"]


def test_whoever_was_not_here_for_long() -> None:
    """What the company takes back comes with what SQL has of them, and is with it on the record; never instead of it."""
    visit = Visit(IMPLIES)
    visit.say()
    visit.close()
    stored = visit.record
    del visit.world.visitors[visit.visitor]
    assert visit.withdraw("process") == "visitor_unknown"
    visit.last = replace(visit.last, record=stored)
    assert visit.again() == ""
    answer = replace(stored.consents["process"], answer="withdrawn", at_ms=visit.world.now_ms, locale="en")
    assert visit.record == replace(stored, consents={"process": answer})
    visit.last = replace(visit.last, record=replace(stored, blocked=True))
    assert visit.again() == ""
    assert not visit.record.blocked


def test_withdrawal_stops_surveys() -> None:
    """An ask that is still open is over once the consent to process is taken back."""
    visit = Visit(OPEN, asking(OPEN, survey=Survey(SurveyId("srv_1"), "How was it?")))
    visit.agent_comes()
    visit.say()
    visit.agent_says()
    visit.agent_closes()
    assert visit.rate(1, "seen") == ""
    visit.withdraw("process")
    assert visit.rate(1, "answer", score=2) == "survey_over"
    assert visit.logged(SurveyAnswered) == []


def test_asked_once() -> None:
    """A grant under one chatflow is not asked for under another, nor in the next conversation."""
    visit = Visit(ASKS)
    visit.answer("consent_to_process")
    visit.flow = IMPLIES
    assert visit.say() == ""
    assert len(visit.kept(ConsentGiven)) == 1


def test_asked_again_after_a_year() -> None:
    """Twelve months after the grant the next message is refused, and a new grant counts for twelve more."""
    visit = Visit(ASKS)
    visit.answer("consent_to_process")
    visit.say()
    visit.world.pass_time(VALID_MS)
    assert visit.say() == "consent_required"
    assert visit.answer("consent_to_process") == ""
    visit.world.pass_time(VALID_MS - 1_000)
    assert visit.say() == ""


def test_implied_again_after_a_year() -> None:
    """Under legitimate interest the first message after twelve months records implied consent anew."""
    visit = Visit(IMPLIES)
    visit.say()
    visit.world.pass_time(VALID_MS)
    visit.say()
    assert [line.answer for line in visit.kept(ConsentGiven)] == ["implied", "implied"]
