"""The gate of a visitor's session: consent, and the other steps that come before the composer."""

from typing import Any

import msgspec
import pytest

from gateway.core.actions import Action, Follow, ReadVisitor, Submit
from gateway.core.gate import RuleRow
from gateway.core.mobile import MobileSession
from gateway.core.resume import Page
from gateway.core.session import Moment
from protocol.bus.chatflow import Availability, EmailCapture, Rollout, Storage
from protocol.bus.config import AccountConfig, Consent
from protocol.bus.records import ConsentRecord, ContactRef, VisitorRecord
from protocol.bus.steps import VALID_MS
from protocol.bus.topics import Hint
from protocol.ids import ChatflowId, ContactId, ConversationId, event_id
from protocol.wire import client
from protocol.wire.codes import Code
from protocol.wire.content import AnyBody, Author, Closed, ConsentAnswered, EmailGiven, Event, Message, Role
from tests.kit.workplace import ASKS, IMPLIES, OPEN, RULE, UNROUTED, chatflow, conversation, record, workplace
from tests.unit.gateway.sessions import ASKING, CHAT, NOW, attach, done, head, hint, mobile, said, submitted, visiting

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


def test_a_record_read_before_the_grant_does_not_tell_its_ack() -> None:
    """Another answer's reading was under way: its record knows nothing of the grant, and the ack waits for the next."""
    session = mobile()
    allowing = client.Answer(n=1, id="a", conversation=ASKING, step="storage_consent", value="granted")
    (first,) = submitted(session.receive(allowing, NOW))
    (second,) = submitted(session.receive(msgspec.structs.replace(GRANT, n=2), NOW))
    assert reads(session.outcome(done(1, "a", conversation=ASKING), first)) == 1
    assert reads(session.outcome(done(2, "g", conversation=ASKING), second)) == 0
    actions = session.visitor_read(record())
    assert [each.id for each in said(actions)] == ["a"]
    assert reads(actions) == 1
    (ack,) = said(session.visitor_read(record(answer="granted")))
    assert ack.id == "g"


def reads(actions: list[Action]) -> int:
    return sum(isinstance(action, ReadVisitor) for action in actions)


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


# The other steps.

AT_MS = NOW.at_ms
BEFORE = EmailCapture(open="before_chat", away="before_chat")
HIDES = Availability("agents_available")


def flows(**changes: Any) -> AccountConfig:
    """The workplace with every chatflow changed so."""
    return workplace(**changes)


def refused_with(session: MobileSession, conversation: str = CHAT) -> str:
    """The code with which a word is refused; "" if it passes."""
    actions = session.receive(client.Send(n=1, id="a", conversation=conversation, text="my secret"), NOW)
    if submitted(actions):
        return ""
    assert "my secret" not in repr(actions)
    return str(said(actions)[0].code)


def answered(purpose: str, answer: str, at_ms: int = 0) -> VisitorRecord:
    consent = ConsentRecord(answer, at_ms, "hash", OPEN, 3, "en", "1.0")
    return msgspec.structs.replace(record(), consents={purpose: consent})


@pytest.mark.parametrize(
    ("known", "code"),
    [
        (record(), "storage_required"),
        (answered("storage", "granted"), ""),
        (answered("storage", "declined"), ""),
        (answered("storage", "withdrawn"), "storage_required"),
        (msgspec.structs.replace(record(), identified=True), ""),
    ],
)
def test_words_wait_for_the_storage_consent(known: VisitorRecord, code: str) -> None:
    """Yes and no both answer it; whoever is identified is never asked."""
    assert refused_with(visiting(flows(storage=Storage("before_chat")), known)) == code


def test_storage_consent_on_exit_is_in_nobodys_way() -> None:
    """It is asked when somebody leaves, so it is never outstanding."""
    assert refused_with(visiting(flows(storage=Storage("on_exit_intent")), record())) == ""


def test_words_wait_for_the_address_that_is_asked_before_the_chat() -> None:
    """Until a contact has one."""
    config = flows(email=BEFORE)
    assert refused_with(visiting(config, record())) == "email_required"
    contact = ContactRef(ContactId("con_kari"), "kari@nordvik.example")
    assert refused_with(visiting(config, msgspec.structs.replace(record(), contact=contact))) == ""


def test_the_first_step_on_the_screen_is_the_one_that_is_named() -> None:
    """Storage, process, address."""
    config = flows(storage=Storage("before_chat"), email=BEFORE)
    session = visiting(config, record(), tag="asks")
    assert refused_with(session, ASKING) == "storage_required"
    assert session.gate.outstanding(ASKS, AT_MS) == ["storage_consent", "consent_to_process", "email"]


def test_the_switches_of_the_account_open_their_gates() -> None:
    """With data_privacy and storage_consent off nobody is asked."""
    config = flows(storage=Storage("before_chat"))
    config = msgspec.structs.replace(config, data_privacy=False, storage_consent=False)
    assert refused_with(visiting(config, record()), ASKING) == ""


@pytest.mark.parametrize(("age_ms", "code"), [(VALID_MS - 1, ""), (VALID_MS, "consent_required")])
def test_a_grant_that_has_grown_old_counts_no_longer(age_ms: int, code: str) -> None:
    """After 365 days it is asked again."""
    assert refused_with(visiting(workplace(), answered("process", "granted", AT_MS - age_ms)), ASKING) == code


def test_a_grant_counts_to_its_last_millisecond_and_no_longer() -> None:
    """Also if words passed in the same second."""
    gate = visiting(workplace(), answered("process", "granted", AT_MS)).gate
    lapses_ms = AT_MS + VALID_MS
    assert gate.closed_by(ASKS, lapses_ms - 1, ASKING) is None
    assert gate.closed_by(ASKS, lapses_ms, ASKING) is Code.CONSENT_REQUIRED


def test_an_open_gate_closes_with_whatever_it_looked_at() -> None:
    """The record, the configuration, the version shown: in the very millisecond in which words passed."""
    asks = workplace()
    open_now = msgspec.structs.replace(asks, data_privacy=False)
    for change in ({"record": answered("process", "withdrawn")}, {"config": asks, "record": record()}):
        gate = visiting(open_now if "config" in change else asks, answered("process", "granted", AT_MS)).gate
        assert gate.closed_by(ASKS, AT_MS, ASKING) is None
        for name, now in change.items():
            setattr(gate, name, now)
        assert gate.closed_by(ASKS, AT_MS, ASKING) is Code.CONSENT_REQUIRED


def test_a_gate_that_is_open_to_one_conversation_may_be_closed_to_another() -> None:
    """Each under its own chatflow, in one millisecond."""
    gate = mobile().gate
    assert gate.closed_by(OPEN, AT_MS, CHAT) is None
    assert gate.closed_by(ASKS, AT_MS, ASKING) is Code.CONSENT_REQUIRED


@pytest.mark.parametrize("flow", [ASKS, IMPLIES])
def test_after_a_withdrawal_nothing_passes(flow: ChatflowId) -> None:
    """Explicit or not, it has to be granted anew."""
    session, which = visiting(workplace(), answered("process", "withdrawn")), conversation(flow)
    attach(session, which, Page(1, [], head=head(which, chatflow=flow)))
    assert refused_with(session, which) == "consent_required"


def test_a_withdrawal_on_another_phone_closes_the_gate_by_its_entry() -> None:
    """The conversation's end is on its way to this phone, and says why."""
    session = mobile("granted")
    attach(session, ASKING, Page(1, []))
    session.hinted(ASKING, [at(1, 5, Closed(Author(Role.VISITOR, "vis_kari"), "consent_withdrawn"))])
    assert refused_with(session, ASKING) == "consent_required"


def test_an_old_grant_in_the_log_opens_nothing_after_a_withdrawal() -> None:
    """Logs are read from their beginning; what the record knows is later."""
    session = visiting(workplace(), answered("process", "withdrawn", at_ms=9))
    attach(session, ASKING, Page(1, [at(1, 5, GRANTED)], head=head(ASKING)))
    assert refused_with(session, ASKING) == "consent_required"


def test_a_consent_for_another_purpose_opens_nothing() -> None:
    """To be written to is not to be processed."""
    session = mobile()
    body = ConsentAnswered("communicate", "granted", "hash", "en", 3, "sub_news")
    attach(session, ASKING, Page(1, [at(1, 5, body)], head=head(ASKING)))
    assert refused_with(session, ASKING) == "consent_required"


def test_an_address_in_the_log_opens() -> None:
    """Given on another phone: the entry is enough."""
    session = visiting(flows(email=BEFORE), record())
    given = EmailGiven("kari@nordvik.example", ContactId("con_kari"))
    attach(session, CHAT, Page(1, [at(1, 5, given, CHAT)], head=head(phase="gated")))
    assert refused_with(session) == ""


def test_who_has_spoken_is_asked_for_no_address_before_the_chat() -> None:
    """It goes on, and before is over."""
    session = visiting(flows(email=BEFORE), record())
    said_before = Message(Author(Role.VISITOR, "vis_kari"), "Hello?")
    attach(session, CHAT, Page(1, [hint(1, said_before)], head=head()))
    assert refused_with(session) == ""


@pytest.mark.parametrize(
    ("rows", "code"),
    [(None, "email_required"), ({RULE: RuleRow(ready=True)}, ""), ({RULE: RuleRow()}, "email_required")],
)
def test_not_knowing_who_is_there_counts_as_closed(rows: Any, code: str) -> None:
    """Only away asks for an address first: while nothing is known of the rule, it is asked."""
    config = flows(email=EmailCapture(open="never", away="before_chat"), availability=HIDES)
    assert refused_with(visiting(config, record(), rows=rows)) == code


def test_where_nobody_is_sought_the_inboxs_rules_say_who_is_there() -> None:
    """Assignment is off, and agents of the inbox claim."""
    config = flows(availability=HIDES)
    gate = visiting(config, record(), rows={RULE: RuleRow(ready=True)}).gate
    assert gate.row(chatflow(UNROUTED)) == RuleRow(ready=True)
    gate.rows = {}
    assert gate.row(chatflow(UNROUTED)) == RuleRow()


def test_a_blocked_visitor_says_nothing() -> None:
    """Neither words nor typing nor answers."""
    session = visiting(workplace(), msgspec.structs.replace(record(), blocked=True))
    attach(session, CHAT, Page(1, []))
    assert refused_with(session) == "blocked"
    answer = client.Answer(n=1, id="g", conversation=ASKING, step="consent_to_process", value="granted")
    for frame in (client.Typing(CHAT, True), answer):
        (refusal,) = said(session.receive(frame, NOW))
        assert refusal.code == "blocked"


def test_a_running_conversation_outlives_its_chatflow() -> None:
    """Without a chatflow only those who have spoken, or agreed, go on."""
    session = visiting(workplace(), record())
    session.configured(msgspec.structs.replace(workplace(), chatflows=[chatflow(ASKS)]))
    assert refused_with(session) == "consent_required"
    session.gate.spoken.add(CHAT)
    assert refused_with(session) == ""


def test_in_a_staged_rollout_the_version_served_says_what_is_asked() -> None:
    """Whoever was served the one before answers its steps, though the newest asks for more."""
    old = msgspec.structs.replace(chatflow(OPEN), version=2)
    new = msgspec.structs.replace(chatflow(OPEN), consent=Consent("explicit"), rollout=Rollout(share=0))
    config = msgspec.structs.replace(workplace(), chatflows=[new], past=[old])
    assert refused_with(visiting(config, record())) == ""
    everybody = msgspec.structs.replace(new, rollout=Rollout())
    config = msgspec.structs.replace(config, chatflows=[everybody])
    assert refused_with(visiting(config, record())) == "consent_required"


def at(seq: int, at_ms: int, body: AnyBody, which: ConversationId = ASKING) -> Hint:
    """A committed entry of that time."""
    name = event_id(1, seq, 0)
    return Hint(seq, name, msgspec.msgpack.encode(Event(which, seq, name, at_ms, body)))
