"""Starting, consent, and where a visitor is sent instead."""

import hashlib

import pytest
from msgspec.structs import replace

from engine.core import phases
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import CancelTimer, NoteConsent, NoteStarted, Seek, SetTimer
from protocol.ids import ChatflowId
from protocol.wire import content
from protocol.wire.codes import Code
from tests.kit.threads import Thread
from tests.kit.workplace import (
    ASKS,
    IMPLIES,
    KARI,
    OPEN,
    RULE,
    UNROUTED,
    answers,
    closes,
    conversation,
    sends,
    workplace,
)


def test_first_message_starts() -> None:
    """A first message starts the conversation, is logged after the welcome, and is queued."""
    thread = Thread()
    started, message, queued = thread.ask(sends(text="Hei"))
    assert (started.welcome, started.ordinal, started.rule) == ("Hello!", 1, RULE)
    assert (message.text, message.by.id, queued.reason) == ("Hei", KARI, "started")
    assert thread.state.phase == phases.Waiting(1_000)


def test_start_notes_and_seeks() -> None:
    """A start tells the visitor's record first and the roster after."""
    thread = Thread()
    thread.ask(sends())
    noted, seek = thread.asked
    assert isinstance(noted, NoteStarted)
    assert isinstance(seek, Seek)
    assert (seek.rule, seek.since_ms, seek.reason, seek.prefer, seek.avoid) == (RULE, 1_000, "started", None, None)


def test_welcome_in_locale() -> None:
    """The welcome is frozen in the visitor's locale along the fallback chain."""
    thread = Thread()
    assert thread.ask(replace(sends(), locale="nb-NO"))[0].welcome == "Hei!"


def test_assignment_off() -> None:
    """With assignment off the conversation is unassigned, and the roster is told that nobody is sought."""
    thread = Thread(UNROUTED)
    assert thread.kinds(sends(flow=UNROUTED)) == ["Started", "Message", "Unrouted"]
    assert thread.state.phase == phases.Unassigned(1_000)
    assert [asked.rule for asked in thread.asked if isinstance(asked, Seek)] == [None]
    assert thread.kinds(sends(2, flow=UNROUTED)) == ["Message"]


def test_explicit_consent_comes_first() -> None:
    """Under an explicit chatflow nothing is taken before the grant, and nothing is started."""
    thread = Thread(ASKS)
    assert thread.ask(sends(flow=ASKS)) == Refusal(Code.CONSENT_REQUIRED)
    assert thread.log == []


def test_decline_gates() -> None:
    """A declined consent is logged, and the conversation is gated until its time is over."""
    thread = Thread(ASKS)
    assert thread.kinds(answers(value="declined")) == ["Started", "ConsentAnswered"]
    assert thread.state.phase == phases.Gated(601_000, ("consent_to_process",))
    assert [asked.due_ms for asked in thread.effects if isinstance(asked, SetTimer)] == [601_000]
    assert thread.ask(sends(2, flow=ASKS)) == Refusal(Code.CONSENT_REQUIRED)


def test_grant_after_decline() -> None:
    """Agreeing later works, and seeks nobody before there is a message."""
    thread = Thread(ASKS)
    thread.ask(answers(value="declined"))
    assert thread.kinds(answers(2)) == ["ConsentAnswered"]
    assert thread.state.phase == phases.Ready(601_000)
    assert [type(asked) for asked in thread.asked] == [NoteConsent]


def test_first_message_after_grant() -> None:
    """The first message after the grant is queued, and the gate's timer is cancelled."""
    thread = Thread(ASKS)
    thread.ask(answers())
    thread.visitor = Thread(ASKS, "granted").visitor
    assert thread.kinds(sends(2, flow=ASKS), 5_000) == ["Message", "Queued"]
    assert thread.state.phase == phases.Waiting(5_000)
    assert any(isinstance(asked, CancelTimer) for asked in thread.effects)


def test_answer_names_the_text() -> None:
    """The answer is logged with the hash of the text that was on the screen."""
    answered = Thread(ASKS).ask(answers())[1]
    assert answered.text_hash == hashlib.sha256(b"May we?").hexdigest()


def test_standing_grant_is_enough() -> None:
    """A visitor who granted under one chatflow is not asked under another."""
    assert Thread(ASKS, "granted").kinds(sends(flow=ASKS)) == ["Started", "Message", "Queued"]


def test_grant_from_elsewhere_opens_the_gate() -> None:
    """A gated conversation whose visitor granted elsewhere logs that grant before the message."""
    thread = Thread(ASKS)
    thread.ask(answers(value="declined"))
    thread.visitor = Thread(ASKS, "granted").visitor
    answered, message, _ = thread.ask(sends(2, flow=ASKS))
    assert (answered.answer, answered.text_hash) == ("granted", "hash")
    assert isinstance(message, content.Message)


def test_implied_consent() -> None:
    """Under legitimate interest the first message records implied consent, once."""
    thread = Thread(IMPLIES)
    assert thread.kinds(sends(flow=IMPLIES)) == ["Started", "ConsentAnswered", "Message", "Queued"]
    thread.visitor = Thread(IMPLIES, "implied").visitor
    assert thread.kinds(sends(2, flow=IMPLIES)) == ["Message"]


def test_implied_is_not_granted() -> None:
    """Implied consent does not satisfy a chatflow that asks."""
    assert Thread(ASKS, "implied").ask(sends(flow=ASKS)) == Refusal(Code.CONSENT_REQUIRED)


@pytest.mark.parametrize(("answer", "flow"), [("", OPEN), ("granted", ASKS), ("", IMPLIES)])
def test_nothing_outstanding(answer: str, flow: ChatflowId) -> None:
    """An answer to a step that nobody asked is refused, or already so."""
    decision = Thread(flow, answer).ask(answers(flow=flow))
    assert decision == (Already() if answer else Refusal(Code.NOT_OUTSTANDING))


def test_consent_follows_the_current_chatflow() -> None:
    """A running conversation whose chatflow now asks takes no message before the answer, and keeps its phase."""
    thread = Thread(OPEN)
    thread.ask(sends())
    strict = workplace(consent=workplace().chatflows[0].consent)
    thread.config = strict
    assert thread.ask(sends(2)) == Refusal(Code.CONSENT_REQUIRED)
    assert thread.kinds(answers(3, flow=OPEN)) == ["ConsentAnswered"]
    assert thread.state.phase == phases.Waiting(1_000)


def test_gate_stays_shut_without_chatflow() -> None:
    """A gate whose chatflow is gone stays shut: not knowing counts as outstanding."""
    thread = Thread(ASKS)
    thread.ask(answers(value="declined"))
    thread.config = workplace(id=ChatflowId("flw_other"))
    assert thread.ask(sends(2, flow=ASKS)) == Refusal(Code.CONSENT_REQUIRED)


def test_gate_expires() -> None:
    """A conversation that is still gated when its time is over is closed, and the roster hears nothing of it."""
    thread = Thread(ASKS)
    thread.ask(answers(value="declined"))
    (closed,) = thread.gate_expires()
    left = ("consent_to_process",)
    assert (closed.reason, thread.state.phase) == ("gate_expired", phases.Closed(700_000, 3, thread.log[-1].id, left))
    assert not any(type(asked).__name__ == "Release" for asked in thread.asked)
    assert thread.gate_expires() == Already()


def test_gate_timer_too_late() -> None:
    """The gate's timer has no effect on a conversation that has passed its gate."""
    thread = Thread()
    thread.ask(sends())
    assert thread.gate_expires() == Already()


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0\u2003"])
def test_empty_text(text: str) -> None:
    """A text without a visible character is refused."""
    assert Thread().ask(sends(text=text)) == Refusal(Code.EMPTY_TEXT)


@pytest.mark.parametrize("flow", ["flw_none", None])
def test_unserved_chatflow(flow: ChatflowId | None) -> None:
    """Nothing is started under a chatflow that does not exist."""
    assert Thread().ask(replace(sends(), chatflow=flow)) == Refusal(Code.NO_CHATFLOW)


def test_disabled_chatflow() -> None:
    """A disabled chatflow starts nothing new and lets running conversations go on."""
    thread = Thread()
    thread.ask(sends())
    thread.config = workplace(enabled=False)
    assert thread.kinds(sends(2)) == ["Message"]
    assert Thread(config=workplace(enabled=False)).ask(sends()) == Refusal(Code.NO_CHATFLOW)


def test_one_at_a_time() -> None:
    """While one conversation is open, the next one's id is sent back to it."""
    thread = Thread()
    thread.current(None)
    decision = thread.ask(sends(conversation=conversation(ordinal=2)))
    assert decision == Refusal(Code.CONTINUED, instead=conversation())


def test_next_ordinal() -> None:
    """Past the reopen window the visitor's next conversation may be started."""
    thread = Thread()
    thread.current(closed_at_ms=0)
    started, *_ = thread.ask(sends(conversation=conversation(ordinal=2)), 3_600_000)
    assert started.ordinal == 2


def test_old_id_is_continued() -> None:
    """An evicted conversation's id is answered with the id to start next."""
    thread = Thread()
    thread.current(closed_at_ms=0, ordinal=3)
    decision = thread.ask(sends(conversation=conversation(ordinal=1)), 3_600_000)
    assert decision == Refusal(Code.CONTINUED, instead=conversation(ordinal=4))


def test_made_up_id() -> None:
    """An id that the visitor was never given is not found."""
    assert Thread().ask(sends(conversation=conversation(ordinal=9))) == Refusal(Code.NOT_FOUND)


def test_nothing_to_close() -> None:
    """A conversation that was never started cannot be closed."""
    assert Thread().ask(closes()) == Refusal(Code.NOT_FOUND)
