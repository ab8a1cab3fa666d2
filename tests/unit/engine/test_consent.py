"""The consents: what is logged and kept of each answer, and what stays shut without it."""

import pytest
from msgspec.structs import replace

from engine.core import phases
from protocol.bus.chatflow import Communicate, Consent, EmailCapture, Storage
from protocol.bus.facts import ConsentGiven
from protocol.bus.steps import communicate_label, consent_text, storage_text, text_hash
from protocol.ids import SubscriptionId
from protocol.wire.content import ConsentAnswered
from tests.kit.visits import Visit, asking
from tests.kit.workplace import ACCOUNT, ASKS, IMPLIES, OPEN, answers, record

NEWS = SubscriptionId("sub_news")
CARD = asking(ASKS, communicate=Communicate(NEWS))
PHONE = asking(OPEN, storage=Storage("before_chat"))


@pytest.mark.parametrize("value", ["granted", "declined"])
def test_storage_answered(value: str) -> None:
    """Before the storage consent nothing is taken; yes and no both let the visitor in, and are logged before a word."""
    visit = Visit(OPEN, PHONE)
    assert visit.say() == "storage_required"
    assert visit.answer("storage_consent", value) == ""
    assert visit.say() == ""
    assert visit.kinds() == ["Started", "ConsentAnswered", "Message", "Queued"]
    assert visit.record.consents["storage"].answer == value


def test_storage_hash() -> None:
    """The storage answer names its text by hash, and the version it stood in."""
    visit = Visit(OPEN, PHONE)
    visit.answer("storage_consent")
    (answered,) = visit.logged(ConsentAnswered)
    text = storage_text(visit.world.configs[ACCOUNT], visit.served, "en")
    assert (answered.purpose, answered.text_hash, answered.version) == ("storage", text_hash(text), 3)


def test_storage_of_the_identified() -> None:
    """An identified visitor is not asked, and an answer to what nobody asked is refused."""
    visit = Visit(OPEN, PHONE, identified=True)
    assert visit.answer("storage_consent") == "not_outstanding"
    assert visit.say() == ""


def test_storage_on_exit() -> None:
    """Asked on the way out, the storage consent is taken at any time and stands in nobody's way."""
    visit = Visit(OPEN, asking(OPEN, storage=Storage("on_exit_intent")))
    assert visit.say() == ""
    assert visit.answer("storage_consent", "declined") == ""
    assert visit.answer("storage_consent") == ""  # agreeing later works
    assert visit.answer("storage_consent", "declined") == "not_outstanding"  # and is taken back by withdrawing


def test_steps_in_order() -> None:
    """With both consents outstanding the gate stays shut until the last is given, and names the first."""
    visit = Visit(ASKS, asking(ASKS, storage=Storage("before_chat")))
    assert visit.say() == "storage_required"
    visit.answer("storage_consent", "declined")
    assert visit.phase().missing == ("consent_to_process",)
    assert visit.say() == "consent_required"
    visit.answer("consent_to_process")
    assert isinstance(visit.phase(), phases.Ready)
    assert visit.say() == ""


def test_consent_hash() -> None:
    """The grant names the text that was on the screen by its hash, its version and its locale."""
    visit = Visit(ASKS)
    visit.answer("consent_to_process", locale="nb-NO")
    (answered,) = visit.logged(ConsentAnswered)
    assert (answered.text_hash, answered.version, answered.locale) == (text_hash("Kan vi?"), 3, "nb-NO")


def test_old_card_on_the_screen() -> None:
    """Who answers the card of the version before is logged with that card's text, and asked anew if the publish says so."""
    visit = Visit(ASKS)
    visit.publish(consent=Consent(text={"en": "May we now?"}, ask_again_from=4))
    assert visit.answer("consent_to_process", version=3) == ""
    (answered,) = visit.logged(ConsentAnswered)
    assert (answered.text_hash, answered.version) == (text_hash("May we?"), 3)
    assert visit.say() == "consent_required"
    assert visit.answer("consent_to_process", version=4) == ""
    assert visit.say() == ""


@pytest.mark.parametrize(
    ("step", "value"), [("consent_to_process", "yes"), ("email_", "granted"), ("storage_consent", "")]
)
def test_bad_answers(step: str, value: str) -> None:
    """An answer that the step does not take is refused."""
    assert Visit(ASKS).answer(step, value) == "bad_answer"


def test_communicate_ticked() -> None:
    """The box ticked on the card is an entry and a ledger line of its own, with its label's hash and subscription."""
    visit = Visit(ASKS, CARD)
    visit.answer("consent_to_process", communicate=True)
    _, boxed = visit.logged(ConsentAnswered)
    label = communicate_label(CARD, visit.served, "en")
    assert (boxed.purpose, boxed.answer, boxed.subscription) == ("communicate", "granted", NEWS)
    assert boxed.text_hash == text_hash(label)
    assert [(line.purpose, line.subscription) for line in visit.kept(ConsentGiven)] == [
        ("process", ""), ("communicate", NEWS),
    ]  # fmt: skip


def test_communicate_is_no_gate() -> None:
    """The box left unticked is recorded and keeps nobody out; a box that was not shown is not recorded."""
    visit = Visit(ASKS, CARD)
    visit.answer("consent_to_process", communicate=False)
    assert [line.answer for line in visit.kept(ConsentGiven)] == ["granted", "declined"]
    assert visit.say() == ""
    unseen = Visit(ASKS, CARD)
    unseen.answer("consent_to_process")
    assert len(unseen.logged(ConsentAnswered)) == 1


def test_communicate_with_a_no() -> None:
    """Who says no to processing gives no other consent by the same card."""
    visit = Visit(ASKS, CARD)
    visit.answer("consent_to_process", "declined", communicate=True)
    assert [answered.purpose for answered in visit.logged(ConsentAnswered)] == ["process"]


def test_communicate_later() -> None:
    """The box may be ticked at any time after the card, once; before the grant it may not."""
    visit = Visit(ASKS, CARD)
    assert visit.answer("consent_to_communicate") == "consent_required"
    visit.answer("consent_to_process")
    assert visit.answer("consent_to_communicate") == ""
    assert visit.answer("consent_to_communicate") == ""
    assert len(visit.kept(ConsentGiven)) == 2
    assert Visit(OPEN).answer("consent_to_communicate") == "not_outstanding"


def test_ledger_line() -> None:
    """Every answer leaves one ledger line: purpose, answer, hash, version, language, app version, time, and where."""
    visit = Visit(ASKS)
    visit.answer("consent_to_process", "declined")
    visit.answer("consent_to_process")
    declined, granted = visit.kept(ConsentGiven)
    event = visit.world.log(visit.where)[2]
    assert (declined.answer, granted.answer, granted.purpose, granted.id) == (
        "declined",
        "granted",
        "process",
        event.id,
    )
    assert (granted.text_hash, granted.version, granted.locale) == (text_hash("May we?"), 3, "en")
    assert (granted.app_version, granted.at_ms, granted.conversation) == ("1.0", event.at, visit.where)


def test_implied_once() -> None:
    """Legitimate interest records implied consent with the first message, once for all the visitor's conversations."""
    visit = Visit(IMPLIES)
    visit.say()
    visit.say()
    assert [line.answer for line in visit.kept(ConsentGiven)] == ["implied"]
    assert visit.kinds() == ["Started", "ConsentAnswered", "Message", "Queued", "Message"]


def test_switched_off() -> None:
    """With data privacy switched off, no chatflow asks and none records consent."""
    config = replace(asking(), data_privacy=False)
    for flow in (ASKS, IMPLIES):
        visit = Visit(flow, config)
        assert visit.say() == ""
        assert visit.kept(ConsentGiven) == []
        assert visit.answer("consent_to_process") == "not_outstanding"


def test_gate_logs_what_was_answered_elsewhere() -> None:
    """Both consents answered under another chatflow are in a gated log before its first message."""
    config = asking(ASKS, storage=Storage("before_chat"))
    config = replace(config, chatflows=[replace(flow, storage=Storage("before_chat")) for flow in config.chatflows])
    visit = Visit(ASKS, config)
    visit.answer("consent_to_process", "declined")
    gated, visit.flow = visit.where, OPEN
    visit.answer("storage_consent")
    visit.flow = IMPLIES
    visit.say()
    visit.flow = ASKS
    assert visit.say() == "consent_required"
    visit.answer("consent_to_process")
    assert visit.say() == ""
    purposes = [(answered.purpose, answered.answer) for answered in visit.logged(ConsentAnswered, gated)]
    assert purposes == [("process", "declined"), ("process", "granted"), ("storage", "granted")]


@pytest.mark.parametrize("value", ["granted", "declined"])
def test_repetition_leaves_no_line(value: str) -> None:
    """An answer that another log repeats leaves no second ledger line, and grows no younger by it."""
    both = [replace(flow, storage=Storage("before_chat")) for flow in asking().chatflows]
    visit = Visit(ASKS, replace(asking(), chatflows=both))
    visit.answer("consent_to_process")
    visit.flow = OPEN
    visit.answer("storage_consent", value)
    before = visit.record.consents
    visit.flow = ASKS
    assert visit.say() == ""
    assert [answered.answer for answered in visit.logged(ConsentAnswered)] == ["granted", value]
    assert len(visit.kept(ConsentGiven)) == 2
    assert visit.record.consents == before


def test_every_no_leaves_a_line() -> None:
    """Who says no to processing again is recorded again."""
    visit = Visit(ASKS)
    visit.answer("consent_to_process", "declined")
    visit.answer("consent_to_process", "declined")
    assert [line.answer for line in visit.kept(ConsentGiven)] == ["declined", "declined"]


def test_text_of_the_card() -> None:
    """The hash is of the catalogue's text where the chatflow gives none."""
    visit = Visit(ASKS, asking(ASKS, consent=Consent()))
    visit.answer("consent_to_process")
    (answered,) = visit.logged(ConsentAnswered)
    assert answered.text_hash == text_hash(consent_text(visit.world.configs[ACCOUNT], visit.served, "en"))


def test_one_entry_stands_for_the_frame() -> None:
    """Of the entries that one answer makes, the first of its own kind is the frame's, and the only one."""
    visit = Visit(ASKS, CARD)
    result = visit.world.do(answers(communicate=True))
    assert [logged.n for logged in result.events] == [0, 1, 0]
    assert result.outcomes[0][1].seq == 2


def test_address_opens_what_is_answered_elsewhere() -> None:
    """An address that was all a gate still waited for opens it, the consent given elsewhere being logged first."""
    config = asking(ASKS, email=EmailCapture("before_chat", "never"))
    visit = Visit(ASKS, config)
    visit.answer("consent_to_process", "declined")
    visit.world.change_visitor(visit.visitor, consents=record(answer="granted").consents)
    assert visit.answer("email", "kari@example.no") == ""
    assert visit.kinds() == ["Started", *["ConsentAnswered"] * 2, "EmailAsked", "EmailGiven", "Queued"]
    outcome = visit.world.ask(visit.last)
    assert outcome.seq == 5
