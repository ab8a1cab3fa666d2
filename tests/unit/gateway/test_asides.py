"""What a phone asks without n: context, consents beside the conversation, and what its token vouches for."""

from typing import Any

import msgspec
import pytest

from gateway.core.actions import End, Tell, Wake
from gateway.core.asides import CONTEXT
from gateway.core.flow import No
from gateway.core.mobile import LOOK, MobileSession
from gateway.core.resume import Page
from gateway.core.session import Moment
from protocol.bus.chatflow import EmailCapture
from protocol.bus.commands import Admit, NoteContext, SetAnalytics, VisitorWithdraws
from protocol.bus.records import ConsentRecord, Profile
from protocol.ids import AgentId
from protocol.wire import client
from protocol.wire.client import SetContext
from protocol.wire.codes import Code
from protocol.wire.content import ConsentAnswered
from tests.kit.workplace import OPEN, admits, chatflow, record, workplace
from tests.unit.gateway.sessions import ASKING, CHAT, NOW, attach, done, head, hint, said, submitted, visiting

AT_MS = NOW.at_ms
PLAN = SetContext(screen="/cart", properties={"plan": "gold"}, breadcrumb="added shoes")
KARI = Profile("Kari", "kari@nordvik.example", AgentId("agt_ann"), "kari")
OPENLY = msgspec.structs.replace(workplace(), chatflows=[chatflow(OPEN)])
GRANTED = ConsentRecord("granted", 0, "hash", OPEN, 3, "en", "1.0")


def asking(**changes: Any) -> MobileSession:
    """A session whose chatflow asks for consent first."""
    return visiting(workplace(), record(), tag="help", **changes)


def openly(**changes: Any) -> MobileSession:
    """A session whose chatflow asks nothing."""
    return visiting(OPENLY, changes.pop("known", record()), **changes)


def tell(session: MobileSession, *frames: SetContext, at_ms: int = AT_MS) -> list[Any]:
    """Set the context and let the session look; returns the commands."""
    for frame in frames:
        session.receive(frame, Moment(at_ms))
    return submitted(session.woke(at_ms))


def test_what_the_app_tells_is_held_back_until_consent() -> None:
    """In memory; on the committed grant it goes out."""
    session = asking()
    assert session.receive(PLAN, NOW) == [LOOK]
    assert submitted(session.woke(AT_MS)) == []
    granted = [hint(1, ConsentAnswered("process", "granted", "hash", "en"), ASKING)]
    attach(session, ASKING, Page(1, granted, head=head(ASKING)))
    (made,) = submitted(session.woke(AT_MS))
    assert isinstance(made, NoteContext)
    assert (made.screen, made.properties, made.breadcrumbs) == ("/cart", {"plan": "gold"}, ["added shoes"])


def test_without_consent_to_give_it_goes_out_at_once() -> None:
    """Under the chatflow that is shown, in its version."""
    (made,) = tell(openly(), PLAN)
    assert (made.chatflow, made.version, made.origin.n, made.origin.id) == (OPEN, 3, 0, CONTEXT)


def test_an_address_asked_first_holds_no_context_back() -> None:
    """Only the consent to process does."""
    config = msgspec.structs.replace(workplace(email=EmailCapture("before_chat", "before_chat")), data_privacy=False)
    assert len(tell(visiting(config, record()), PLAN)) == 1


def test_many_tellings_are_one_in_two_seconds() -> None:
    """Merged: the last screen, all properties, the last 20 breadcrumbs."""
    session = openly()
    (first,) = tell(session, SetContext(screen="/"))
    more = [SetContext(screen=f"/{n}", properties={f"p{n}": "x"}, breadcrumb=f"b{n}") for n in range(25)]
    assert tell(session, *more, at_ms=AT_MS + 1) == []
    session.outcome(done(0, CONTEXT), first)
    actions = session.woke(AT_MS + 1)
    assert submitted(actions) == []
    assert Wake(AT_MS + 2_000) in actions
    (second,) = submitted(session.woke(AT_MS + 2_000))
    assert (second.screen, len(second.properties)) == ("/24", 25)
    assert second.breadcrumbs == [f"b{n}" for n in range(5, 25)]


def test_one_telling_is_under_way_at_a_time() -> None:
    """A cell that does not answer is not told more and more."""
    session = openly()
    (first,) = tell(session, PLAN)
    assert tell(session, PLAN, at_ms=AT_MS + 60_000) == []
    assert LOOK in session.outcome(done(0, CONTEXT), first)
    assert len(submitted(session.woke(AT_MS + 60_000))) == 1


def test_more_than_eight_kibibytes_is_too_large_and_changes_nothing() -> None:
    """What was told before stays told."""
    session = asking()
    session.receive(PLAN, NOW)
    for number in range(20):
        large = SetContext(properties={f"p{number}": "x" * 500})
        answers = said(session.receive(large, NOW))
    assert [frame.code for frame in answers] == ["too_large"]
    session.gate.record = record(answer="granted")
    (made,) = submitted(session.woke(AT_MS))
    assert made.properties["plan"] == "gold"
    assert 10 <= len(made.properties) < 20


def test_device_properties_wait_for_analytics_consent() -> None:
    """The rest goes ahead; on the grant they follow."""
    session = openly()
    (made,) = tell(session, SetContext(screen="/", device={"model": "Phone 9"}))
    assert (made.screen, made.device) == ("/", {})
    session.outcome(done(0, CONTEXT), made)
    assert submitted(session.woke(AT_MS + 9_000)) == []
    session.record_moved(msgspec.structs.replace(record(), consents={"analytics": GRANTED}))
    (late,) = submitted(session.woke(AT_MS + 9_000))
    assert (late.screen, late.device) == (None, {"model": "Phone 9"})


def test_whoever_shows_the_visitor_hears_that_the_context_changed() -> None:
    """At each of their conversations."""
    session = openly()
    attach(session, CHAT, Page(1, [], head=head()))
    (made,) = tell(session, PLAN)
    assert Tell(CHAT, "context", b"") in session.outcome(done(0, CONTEXT), made)


@pytest.mark.parametrize("purpose", ["storage", "process", "communicate", "analytics"])
def test_a_withdrawal_is_done_once_it_is_committed(purpose: Any) -> None:
    """And the record read: whoever hears `done` knows what holds."""
    session = openly(known=record(answer="granted"))
    (made,) = submitted(session.receive(client.Withdraw("r1", purpose), NOW))
    assert isinstance(made, VisitorWithdraws)
    assert (made.purpose, made.origin.n, made.origin.id) == (purpose, 0, "r1")
    assert said(session.outcome(done(0, "r1"), made)) == []
    (answer,) = said(session.visitor_read(record(answer="withdrawn")))
    assert (type(answer).__name__, answer.ref) == ("Done", "r1")


def test_analytics_consent_is_done_or_refused_by_its_ref() -> None:
    """As every frame without n."""
    session = openly()
    (made,) = submitted(session.receive(client.SetAnalyticsConsent("r2", True), NOW))
    assert isinstance(made, SetAnalytics)
    assert made.granted
    (refusal,) = said(session.outcome(done(0, "r2", code="not_outstanding"), made))
    assert (refusal.code, refusal.ref, refusal.n) == ("not_outstanding", "r2", 0)


def test_what_is_asked_twice_is_asked_once() -> None:
    """Until it has its outcome; then it may be said again."""
    session, frame = openly(), client.Withdraw("r", "analytics")
    (made,) = submitted(session.receive(frame, NOW))
    assert session.receive(frame, NOW) == []
    session.outcome(done(0, "r"), made)
    assert submitted(session.receive(frame, NOW))


def test_a_visitor_whom_the_cell_let_go_of_comes_again() -> None:
    """With hello the record comes back, and the question is asked again."""
    session = openly()
    (made,) = submitted(session.receive(client.Withdraw("r", "process"), NOW))
    *told, end = session.outcome(done(0, "r", code="visitor_unknown"), made)
    assert (said(told)[0].code, said(told)[0].retryable) == ("unavailable", True)
    assert isinstance(end, End)
    assert end.code.come_back


def test_trouble_and_haste_are_refused_by_ref() -> None:
    """Before anything is written."""
    session = openly(messages_per_minute=1, message_burst=1)
    trouble = Moment(AT_MS, No(Code.OVERLOADED, 0, 2_000))
    (refusal,) = said(session.receive(client.Withdraw("r1", "storage"), trouble))
    assert (refusal.code, refusal.ref, refusal.retry_after_ms) == ("overloaded", "r1", 2_000)
    assert submitted(session.receive(client.Withdraw("r1", "storage"), NOW))
    (hasty,) = said(session.receive(client.Withdraw("r2", "storage"), NOW))
    assert (hasty.code, hasty.ref) == ("rate_limited", "r2")


def test_at_most_thirty_two_questions_are_under_way() -> None:
    """As of numbered frames."""
    session = openly(message_burst=100)
    for number in range(32):
        assert submitted(session.receive(client.Withdraw(f"r{number}", "storage"), NOW))
    (refusal,) = said(session.receive(client.Withdraw("one more", "storage"), NOW))
    assert refusal.code == "too_many_unresolved"


# What the token vouches for.


def test_what_the_token_vouches_for_waits_for_consent() -> None:
    """Then the same hello is put in again for its sake, once."""
    hello = admits(identified=True)
    session = asking(admit=hello, profile=KARI)
    assert submitted(session.woke(AT_MS)) == []
    session.visitor_read(record(answer="granted"))
    (made,) = submitted(session.woke(AT_MS))
    assert isinstance(made, Admit)
    assert (made.profile, made.visitor, made.identified) == (KARI, hello.visitor, True)
    assert (made.chatflow, made.version) == (session.told.chatflow, 3)
    assert submitted(session.woke(AT_MS)) == []


def test_what_the_cell_has_is_not_sent_again() -> None:
    """Hello brought it, since the gate was open; a newer token brings something else."""
    session = openly(admit=admits(identified=True, profile=KARI), profile=KARI)
    assert submitted(session.woke(AT_MS)) == []
    married = msgspec.structs.replace(KARI, name="Kari Nordmann")
    session.token_checked(AT_MS + 900_000, None, married)
    (made,) = submitted(session.woke(AT_MS))
    assert made.profile == married
