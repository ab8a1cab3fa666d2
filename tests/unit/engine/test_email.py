"""The e-mail ask: at its moment and at no other, and what becomes of an address."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.core import phases
from protocol.bus.chatflow import Availability, EmailCapture
from protocol.bus.config import AccountConfig, Rule
from protocol.bus.facts import ContactKnown
from protocol.bus.hours import Hours
from protocol.bus.records import Profile
from protocol.bus.staff import Overflow
from protocol.ids import HoursId, contact_by_email
from protocol.wire.content import EmailAsked, EmailGiven, EmailGivenUp, Message, Queued
from tests.kit.visits import Visit, asking
from tests.kit.workplace import ASKS, KEY, OPEN

CLOSED = HoursId("hrs_never")


def flow(moment: Any, away: Any = "never", **changes: Any) -> AccountConfig:
    """The workplace, whose open chatflow asks for an address at these moments."""
    return asking(OPEN, email=EmailCapture(moment, away, text={"en": "Address?"}, away_text={"en": "Away?"}), **changes)


def nobody_there(config: AccountConfig, kind: str = "office_hours") -> AccountConfig:
    """The same, with every chatflow closed for good: by its hours, or for want of agents."""
    there = Availability(kind=kind, hours=CLOSED)  # type: ignore[arg-type]
    hours = [Hours(CLOSED, "never", "Europe/Oslo", [[] for _ in range(7)])]
    return replace(config, hours=hours, chatflows=[replace(flow, availability=there) for flow in config.chatflows])


def why(visit: Visit) -> list[str]:
    """Why an address was asked, each time."""
    return [asked.why for asked in visit.logged(EmailAsked)]


def test_never() -> None:
    """Where it is never asked, it never is, and an address that nobody asked for is refused."""
    visit = Visit(OPEN, flow("never"))
    visit.say()
    visit.world.pass_time(86_400_000)
    assert why(visit) == []
    assert visit.answer("email", "kari@example.no") == "not_outstanding"


def test_before_chat() -> None:
    """Before the chat nothing is taken without an address; routing starts in the commit that accepts it."""
    visit = Visit(OPEN, flow("before_chat"))
    assert visit.say() == "email_required"
    assert visit.answer("email", "kari@example.no") == ""
    assert visit.kinds() == ["Started", "EmailAsked", "EmailGiven", "Queued"]
    assert isinstance(visit.phase(), phases.Waiting)
    assert visit.say() == ""
    assert visit.kinds()[4:] == ["Message"]


def test_before_chat_after_consent() -> None:
    """The address comes after the consent, is asked in the commit of that answer, and keeps the conversation gated."""
    visit = Visit(ASKS, asking(ASKS, email=EmailCapture("before_chat", "never", text={"en": "Address?"})))
    assert visit.answer("email", "kari@example.no") == "consent_required"
    visit.answer("consent_to_process")
    assert [asked.text for asked in visit.logged(EmailAsked)] == ["Address?"]
    assert visit.phase().missing == ("email",)
    assert visit.say() == "email_required"
    visit.answer("email", "kari@example.no")
    assert visit.kinds() == ["Started", "ConsentAnswered", "EmailAsked", "EmailGiven", "Queued"]


def test_before_chat_bad_address() -> None:
    """Before the chat a bad address is refused as often as it comes: the gate stays closed, and nothing is given up."""
    visit = Visit(ASKS, asking(ASKS, email=EmailCapture("before_chat", "never")))
    visit.answer("consent_to_process")
    assert [visit.answer("email", bad) for bad in ("kari", "kari@", "@no", "kari@example")] == ["bad_answer"] * 4
    assert why(visit) == ["before_chat"]
    assert isinstance(visit.phase(), phases.Gated)


def test_gate_that_opened_meanwhile() -> None:
    """If the address asked before the chat is no longer waited for, bad ones are still refused, and words are taken."""
    visit = Visit(ASKS, asking(ASKS, email=EmailCapture("before_chat", "never")))
    visit.answer("consent_to_process")
    visit.publish(email=EmailCapture("never", "never"))
    assert [visit.answer("email", "kari") for _ in range(4)] == ["bad_answer"] * 4
    assert why(visit) == ["before_chat"]
    assert visit.say() == ""


def test_closing_opens_no_gate() -> None:
    """Whoever ends a gated conversation and comes back still owes the address."""
    visit = Visit(ASKS, asking(ASKS, email=EmailCapture("before_chat", "never")))
    visit.answer("consent_to_process")
    visit.close()
    assert visit.say() == "email_required"


def test_before_chat_only_when_open() -> None:
    """Which moment counts is the present state's: away, another setting rules than while it is open."""
    visit = Visit(OPEN, nobody_there(flow("before_chat", "on_first_message")))
    assert visit.say() == ""
    assert why(visit) == ["away"]


def test_on_first_message() -> None:
    """On the first message it is asked in that very commit, beside routing, and once."""
    visit = Visit(OPEN, flow("on_first_message"))
    visit.say()
    assert visit.kinds() == ["Started", "Message", "Queued", "EmailAsked"]
    assert [(asked.why, asked.text) for asked in visit.logged(EmailAsked)] == [("first_message", "Address?")]
    visit.say()
    assert why(visit) == ["first_message"]


def test_away_in_its_own_words() -> None:
    """While nobody is there it is asked in the words of the away setting."""
    visit = Visit(OPEN, nobody_there(flow("never", "on_first_message")))
    visit.say()
    assert [(asked.why, asked.text) for asked in visit.logged(EmailAsked)] == [("away", "Away?")]
    assert visit.logged(Queued)[0].away


def test_nobody_ready_is_away() -> None:
    """Under agents_available the away setting rules until somebody is ready."""
    config = nobody_there(flow("never", "on_first_message"), "agents_available")
    visit = Visit(OPEN, config)
    visit.agent_comes()
    visit.say()
    assert why(visit) == []
    alone = Visit(OPEN, config)
    alone.say()
    assert why(alone) == ["away"]


def test_after_delay() -> None:
    """After a delay it is asked that long after the visitor's first message, not after the next one."""
    visit = Visit(OPEN, flow("after_delay"))
    visit.say()
    visit.world.pass_time(20_000)
    visit.say()
    visit.world.pass_time(9_000)
    assert why(visit) == []
    visit.world.pass_time(1_001)
    assert why(visit) == ["delay"]
    visit.world.pass_time(86_400_000)
    assert why(visit) == ["delay"]


def test_delay_stopped_by_a_human() -> None:
    """The first human message stops the delay; being assigned to somebody who is silent does not."""
    visit = Visit(OPEN, flow("after_delay"))
    visit.agent_comes()
    visit.say()
    visit.agent_says()
    visit.world.pass_time(60_000)
    assert why(visit) == []
    alone = Visit(OPEN, flow("after_delay"))
    alone.say()
    alone.world.pass_time(60_000)
    assert why(alone) == ["delay"]


def test_delay_over_when_closed() -> None:
    """A conversation that is over asks for nothing."""
    visit = Visit(OPEN, flow("after_delay"))
    visit.say()
    visit.close()
    visit.world.pass_time(60_000)
    assert why(visit) == []


def test_address_known() -> None:
    """Of a contact with an address none is asked, at no moment."""
    profile = Profile("Kari", "kari@example.no", None, "user-7")
    for moment in ("before_chat", "on_first_message", "after_delay"):
        visit = Visit(OPEN, flow(moment), identified=True, profile=profile, chatflow=OPEN)
        assert visit.say() == ""
        visit.world.pass_time(60_000)
        assert why(visit) == []


def test_address_known_meanwhile() -> None:
    """If the address became known before the delay was over, that is noted and nothing asked."""
    visit = Visit(OPEN, flow("after_delay"), identified=True)
    visit.say()
    visit.hello(identified=True, profile=Profile("Kari", "kari@example.no", None, "user-7"), chatflow=OPEN)
    visit.world.pass_time(60_000)
    assert why(visit) == []
    assert [(given.email, given.verified) for given in visit.logged(EmailGiven)] == [("kari@example.no", True)]


def test_given_on_the_card() -> None:
    """An address given on the card is an entry that names its contact, however it is capitalised."""
    visit = Visit(OPEN, flow("on_first_message"))
    visit.say()
    assert visit.answer("email", "Kari@Example.NO") == ""
    (given,) = visit.logged(EmailGiven)
    assert (given.email, given.contact) == ("Kari@Example.NO", contact_by_email(KEY, "kari@example.no"))
    assert not given.verified
    assert visit.answer("email", "kari@example.no") == ""
    assert visit.answer("email", "ola@example.no") == "not_outstanding"
    assert len(visit.logged(EmailGiven)) == 1


def test_message_that_is_an_address() -> None:
    """While it is asked, a message that is only a valid address is also the answer."""
    visit = Visit(OPEN, flow("on_first_message"))
    visit.say("kari@example.no, please")
    visit.say("  kari@example.no ")
    assert visit.kinds()[4:] == ["Message", "EmailGiven"]
    assert visit.logged(EmailGiven)[0].email == "kari@example.no"
    assert visit.record.contact is not None


def test_address_in_a_message_unasked() -> None:
    """An address that nobody asked for is but a message, and so is one inside a sentence."""
    visit = Visit(OPEN, flow("never"))
    visit.say("kari@example.no")
    asked = Visit(OPEN, flow("on_first_message"))
    asked.say()
    asked.say("I am kari@example.no")
    assert [visit.logged(EmailGiven), asked.logged(EmailGiven)] == [[], []]


def test_two_polite_asks() -> None:
    """A bad address is refused and asked again twice; the third time it is given up, and never asked again here."""
    visit = Visit(OPEN, flow("on_first_message"))
    visit.say()
    assert [visit.answer("email", "kari") for _ in range(3)] == ["bad_answer"] * 3
    assert why(visit) == ["first_message", "invalid", "invalid"]
    assert len(visit.logged(EmailGivenUp)) == 1
    assert visit.answer("email", "kari@example.no") == "not_outstanding"
    visit.world.pass_time(86_400_000)
    assert len(visit.logged(EmailAsked)) == 3


def test_bad_address_sent_again() -> None:
    """A bad answer put in again is answered from memory, and asks nothing again."""
    visit = Visit(OPEN, flow("on_first_message"))
    visit.say()
    visit.answer("email", "kari")
    assert visit.again() == "bad_answer"
    assert why(visit) == ["first_message", "invalid"]


def test_overflow_asks() -> None:
    """Who has waited too long is told that nobody is there, and asked for an address; the place is kept."""
    config = flow("never", "on_first_message", availability=Availability(away_text={"en": "All are busy."}))
    visit = Visit(OPEN, with_overflow(config))
    visit.agent_comes()
    visit.say()
    since_ms = visit.phase().since_ms
    visit.world.pass_time(301_000)
    assert [(asked.why, asked.text) for asked in visit.logged(EmailAsked)] == [("overflow", "Away?")]
    assert visit.logged(Message)[-1].text == "All are busy."
    assert visit.phase() == phases.Waiting(since_ms)


def with_overflow(config: AccountConfig) -> AccountConfig:
    """The same, where nobody has any room and the rule overflows after five minutes."""
    rules = [replace(rule, overflow=Overflow(300)) for rule in config.rules]
    assert all(isinstance(rule, Rule) for rule in rules)
    return replace(config, rules=rules, agents=[replace(agent, capacity=0) for agent in config.agents])


def test_overflow_asks_once() -> None:
    """An address that is asked or given already is not asked again by an overflow."""
    for address in ("", "kari@example.no"):
        visit = Visit(OPEN, with_overflow(flow("on_first_message")))
        visit.agent_comes()
        visit.say()
        if address:
            visit.answer("email", address)
        visit.world.pass_time(301_000)
        assert why(visit) == ["first_message"]


def test_overflow_where_never_is_never() -> None:
    """Where an address is asked in neither state, an overflow does not ask for one either."""
    visit = Visit(OPEN, with_overflow(flow("never")))
    visit.agent_comes()
    visit.say()
    visit.world.pass_time(301_000)
    assert why(visit) == []
    assert len(visit.logged(Message)) == 2


@pytest.mark.parametrize("marketing", [True, False])
def test_marketing_contacts(marketing: bool) -> None:
    """Contacts that the chatflow creates are marked for marketing if it says so."""
    visit = Visit(OPEN, flow("on_first_message", marketing=marketing))
    visit.say()
    visit.answer("email", "kari@example.no")
    (known,) = visit.kept(ContactKnown)
    assert (known.email, known.verified, known.marketing) == ("kari@example.no", False, marketing)
