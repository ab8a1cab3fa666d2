"""A visitor's answers, surveys and contents: what becomes of them, and what is wrong with them at a glance."""

from typing import Any

import msgspec
import pytest

from protocol.bus.chatflow import EmailCapture, Storage
from protocol.bus.commands import VisitorAnswers, VisitorRates, VisitorSends
from protocol.wire import client
from protocol.wire.kinds import Choice, FormValues
from tests.kit.workplace import OPEN, phone, record, workplace
from tests.unit.gateway.sessions import ASKING, CHAT, NOW, done, mobile, said, submitted, visiting

BEFORE = EmailCapture(open="before_chat", away="before_chat")


def answer(step: Any, value: str, conversation: str = CHAT, **more: Any) -> client.Answer:
    return client.Answer(n=1, id="a", conversation=conversation, step=step, value=value, **more)


def survey(action: Any, score: int | None = None, text: str = "", conversation: str = CHAT) -> client.Survey:
    return client.Survey(n=1, id="s", conversation=conversation, ask=1, action=action, score=score, text=text)


@pytest.mark.parametrize("step", ["storage_consent", "consent_to_process", "consent_to_communicate"])
@pytest.mark.parametrize("value", ["granted", "declined"])
def test_each_consent_becomes_its_command(step: str, value: str) -> None:
    """The step, the answer, the box on the card, and the version that was on the screen."""
    (made,) = submitted(mobile().receive(answer(step, value, communicate=True), NOW))
    assert isinstance(made, VisitorAnswers)
    assert (made.step, made.value, made.communicate, made.environment) == (step, value, True, "production")


@pytest.mark.parametrize("step", ["storage_consent", "consent_to_process", "consent_to_communicate"])
def test_a_consent_is_granted_or_declined(step: str) -> None:
    """Another value is no answer, and keeps the place of n."""
    (refusal,) = said(mobile().receive(answer(step, "perhaps"), NOW))
    assert (refusal.code, refusal.expected) == ("bad_answer", 1)


def test_the_version_named_is_the_one_that_was_shown() -> None:
    """Of the chatflow served; of another's conversation none."""
    session = visiting(workplace(), record(), tag="help")
    served = session.told.chatflow
    frames = {CHAT: answer("consent_to_process", "granted"), ASKING: answer("consent_to_process", "granted", ASKING)}
    for frame in frames.values():
        (made,) = submitted(session.receive(frame, NOW))
        assert made.version == (3 if made.chatflow == served else 0)


def test_an_address_waits_for_the_consents() -> None:
    """It is something the visitor typed."""
    config = workplace(storage=Storage("before_chat"), email=BEFORE)
    for step, code in (("storage", "storage_required"), ("process", "consent_required")):
        known = {} if step == "storage" else {"storage": record(answer="declined").consents["process"]}
        actions = visiting(config, msgspec.structs.replace(record(), consents=known)).receive(
            answer("email", "kari@nordvik.example", ASKING), NOW
        )
        assert submitted(actions) == []
        assert said(actions)[0].code == code
        assert "kari@" not in repr(actions)


@pytest.mark.parametrize(
    "value", ["kari", "kari@nordvik", "@nordvik.example", "a b@nordvik.example", "kari@@x.example"]
)
def test_a_bad_address_at_the_gate_is_a_field_error(value: str) -> None:
    """The step stays, and nothing of it leaves."""
    actions = visiting(workplace(email=BEFORE), record()).receive(answer("email", value), NOW)
    assert (said(actions)[0].code, submitted(actions)) == ("bad_answer", [])


def test_a_bad_address_beside_the_chat_is_the_engines_to_count() -> None:
    """It asks again, politely, twice."""
    (made,) = submitted(mobile().receive(answer("email", "kari"), NOW))
    assert made.value == "kari"


@pytest.mark.parametrize(
    ("frame", "kept"),
    [
        (survey("seen"), ("seen", None, "")),
        (survey("dismiss"), ("dismiss", None, "")),
        (survey("answer", 2), ("answer", 2, "")),
        (survey("comment", text="Sma\u030a"), ("comment", None, "Små")),
        (survey("seen", text="not asked for"), ("seen", None, "")),
    ],
)
def test_a_survey_becomes_its_command(frame: client.Survey, kept: Any) -> None:
    """Words count with a comment only."""
    (made,) = submitted(mobile().receive(frame, NOW))
    assert isinstance(made, VisitorRates)
    assert (made.action, made.score, made.text) == kept


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (survey("answer"), "bad_answer"),
        (survey("seen", 1), "bad_answer"),
        (survey("comment"), "empty_text"),
        (survey("comment", text=" \n"), "empty_text"),
        (survey("comment", text="words", conversation=ASKING), "consent_required"),
    ],
)
def test_a_survey_that_is_none_goes_no_further(frame: client.Survey, code: str) -> None:
    """A score belongs to an answer and words to a comment; words wait for consent."""
    actions = mobile().receive(frame, NOW)
    assert (said(actions)[0].code, submitted(actions)) == (code, [])


def test_a_late_survey_of_a_conversation_long_over_is_looked_up() -> None:
    """Its outcome may be in SQL, as that of a message."""
    session = mobile()
    (made,) = submitted(session.receive(survey("answer", 1), NOW))
    (asked,) = session.outcome(done(1, "s", code="not_found", expected=1), made)
    assert type(asked).__name__ == "ReadOutcome"


def test_a_choice_and_a_filled_form_go_along() -> None:
    """With their plain form."""
    for content in (Choice(3, "yes"), FormValues(3, {"city": "Bergen"})):
        frame = client.Send(n=1, id="a", conversation=CHAT, text="Yes", content=content)
        (made,) = submitted(mobile().receive(frame, NOW))
        assert isinstance(made, VisitorSends)
        assert (made.content, made.text) == (content, "Yes")


@pytest.mark.parametrize("values", [{f"f{n}": "x" for n in range(21)}, {"city": "B" * 2_001}])
def test_a_form_larger_than_any_form_is_bad_content(values: dict[str, str]) -> None:
    """20 fields of 2,000 characters."""
    frame = client.Send(n=1, id="a", conversation=CHAT, text="x", content=FormValues(3, values))
    (refusal,) = said(mobile().receive(frame, NOW))
    assert refusal.code == "bad_content"


def test_what_an_answer_says_is_told_after_the_record_was_read() -> None:
    """Also of the address and of the phone: whoever hears the ack may write at once."""
    session = mobile()
    (made,) = submitted(session.receive(answer("email", "kari@nordvik.example"), NOW))
    assert said(session.outcome(done(1, "a", conversation=CHAT, seq=3, event="1.3.0"), made)) == []
    (ack,) = said(session.visitor_read(record()))
    assert (ack.n, ack.seq) == (1, 3)


def test_the_environment_of_the_app_goes_along() -> None:
    """So that what is tried in a test app is known as such."""
    session = visiting(workplace(), record(), environment="test")
    (made,) = submitted(session.receive(client.Send(n=1, id="a", conversation=CHAT, text="x"), NOW))
    assert (made.environment, made.chatflow, made.origin.device) == ("test", OPEN, phone(record().id))
