"""The consent gate of a visitor's session."""

import msgspec
import pytest

from gateway.core.actions import Follow, ReadVisitor, Submit
from gateway.core.resume import Page
from gateway.core.session import Moment
from protocol.bus.config import Consent
from protocol.wire import client
from protocol.wire.codes import Code
from protocol.wire.content import Author, ConsentAnswered, Message, Role
from tests.kit.workplace import record, workplace
from tests.unit.gateway.sessions import ASKING, CHAT, NOW, attach, done, head, hint, mobile, said, submitted

SEND = client.Send(n=1, id="a", conversation=ASKING, text="my secret")
GRANT = client.Answer(n=1, id="g", conversation=ASKING, step="consent_to_process", value="granted")
GRANTED = ConsentAnswered("process", "granted", "hash", "en")


def test_what_is_sent_before_consent_leaves_the_session_in_no_form() -> None:
    """The refusal keeps the place of n and nothing of the text."""
    actions = mobile().receive(SEND, NOW)
    (refusal,) = said(actions)
    assert (refusal.code, refusal.n, refusal.id, refusal.expected) == ("consent_required", 1, "a", 1)
    assert submitted(actions) == []
    assert "my secret" not in repr(actions)


def test_typing_before_consent_is_refused() -> None:
    """Typing is something the visitor types too."""
    session = mobile()
    attach(session, ASKING, Page(1, []))
    (refusal,) = said(session.receive(client.Typing(conversation=ASKING, on=True), NOW))
    assert refusal.code == Code.CONSENT_REQUIRED.wire


def test_an_answer_passes_the_closed_gate() -> None:
    """It is what opens it."""
    assert submitted(mobile().receive(GRANT, NOW))


def test_nothing_opens_before_the_answer_is_committed() -> None:
    """An answer on its way is not an answer."""
    session = mobile()
    session.receive(GRANT, NOW)
    (refusal,) = said(session.receive(client.Send(n=2, id="b", conversation=ASKING, text="x"), NOW))
    assert refusal.code == Code.CONSENT_REQUIRED.wire


def test_a_committed_grant_in_the_log_opens() -> None:
    """From this phone or another: the entry on its way to the visitor is enough."""
    session = mobile()
    attach(session, ASKING, Page(1, [hint(1, GRANTED, ASKING)], head=head(ASKING)))
    assert submitted(session.receive(SEND, NOW))


def test_a_hinted_grant_opens() -> None:
    """Live entries count as those read from the log do."""
    session = mobile()
    attach(session, ASKING, Page(1, []))
    session.hinted(ASKING, [hint(1, GRANTED, ASKING)])
    assert submitted(session.receive(SEND, NOW))


@pytest.mark.parametrize("answer", ["declined", "implied"])
def test_another_answer_does_not_open(answer: str) -> None:
    """Where consent is explicit, only a grant is one."""
    session = mobile()
    body = ConsentAnswered("process", answer, "hash", "en")  # type: ignore[arg-type]
    attach(session, ASKING, Page(1, [hint(1, body, ASKING)], head=head(ASKING)))
    assert submitted(session.receive(SEND, NOW)) == []


def test_words_that_speak_of_consent_do_not_open() -> None:
    """The gate reads kinds, not texts."""
    session = mobile()
    body = Message(Author(Role.AGENT, "agt_ann", "Ann"), "consent granted process")
    attach(session, ASKING, Page(1, [hint(1, body, ASKING)], head=head(ASKING)))
    assert submitted(session.receive(SEND, NOW)) == []


def test_the_ack_of_a_grant_waits_for_the_committed_record() -> None:
    """Whoever hears the ack may send: so the gate is open when it is told."""
    session = mobile()
    (command,) = submitted(session.receive(GRANT, NOW))
    actions = session.outcome(done(1, "g", conversation=ASKING, seq=2, event="1.1.1"), command)
    assert said(actions) == []
    assert any(isinstance(action, ReadVisitor) for action in actions)
    (ack,) = said(session.visitor_read(record(answer="granted")))
    assert (ack.n, ack.id, ack.seq) == (1, "g", 2)
    assert submitted(session.receive(client.Send(n=2, id="b", conversation=ASKING, text="x"), NOW))


def test_a_stale_ack_of_a_grant_does_not_open() -> None:
    """A recorded outcome of long ago is no consent of now: the record says what holds."""
    session = mobile()
    (command,) = submitted(session.receive(GRANT, NOW))
    session.outcome(done(1, "g", conversation=ASKING), command)
    session.visitor_read(record())
    assert submitted(session.receive(client.Send(n=2, id="b", conversation=ASKING, text="x"), NOW)) == []


def test_a_visitor_who_granted_before_is_not_asked_again() -> None:
    """Once per visitor, whatever the conversation."""
    assert submitted(mobile("granted").receive(SEND, NOW))


def test_where_nothing_is_asked_words_pass() -> None:
    """The gate is the chatflow's, not the visitor's."""
    assert submitted(mobile().receive(client.Send(n=1, id="a", conversation=CHAT, text="x"), NOW))


def test_consent_follows_the_current_version_of_the_chatflow() -> None:
    """A chatflow that stops asking lets through at once, one that starts to ask shuts at once."""
    session = mobile()
    config = workplace()
    flows = [msgspec.structs.replace(flow, consent=Consent("off")) for flow in config.chatflows]
    session.configured(msgspec.structs.replace(config, chatflows=flows))
    assert submitted(session.receive(SEND, NOW))
    session.configured(config)
    assert submitted(session.receive(client.Send(n=2, id="b", conversation=ASKING, text="x"), NOW)) == []


def test_the_gate_is_asked_before_everything_that_could_keep_a_word() -> None:
    """Also when the cell is in trouble, the visitor hears of consent first."""
    session = mobile()
    assert not any(isinstance(action, Follow | Submit) for action in session.receive(SEND, Moment(1)))
