"""Whom a visitor is known as: contacts found or created, and what waits for them."""

from msgspec.structs import replace

from protocol.bus.chatflow import Communicate, EmailCapture
from protocol.bus.facts import ContactKnown, Subscribed
from protocol.bus.records import Profile
from protocol.ids import AgentId, SubscriptionId, contact_by_email, contact_by_subject
from tests.kit.visits import Visit, asking
from tests.kit.workplace import ANN, ASKS, KEY, OLA, OPEN

NEWS = SubscriptionId("sub_news")
KARI_KNOWN = Profile("Kari", "kari@example.no", AgentId(ANN), "user-7")
NAMELESS = Profile(subject="user-7")
CARD = asking(ASKS, communicate=Communicate(NEWS), email=EmailCapture("on_first_message", "never"))


def agreed(visit: Visit, *, communicate: bool | None = None) -> Visit:
    """The same visit, the consent to process given, something said, and an address asked."""
    visit.answer("consent_to_process", communicate=communicate)
    visit.say()
    return visit


def test_token_waits_for_consent() -> None:
    """What a token says of the visitor is kept only once no consent to process is awaited."""
    visit = Visit(ASKS, identified=True, profile=KARI_KNOWN, chatflow=ASKS)
    assert (visit.record.profile, visit.record.contact, visit.kept(ContactKnown)) == (None, None, [])
    visit.answer("consent_to_process")
    visit.hello(identified=True, profile=KARI_KNOWN, chatflow=ASKS)
    assert visit.record.profile == KARI_KNOWN
    assert len(visit.kept(ContactKnown)) == 1


def test_known_by_subject() -> None:
    """An identified visitor is the contact of that subject, with name, address and owner vouched for."""
    visit = Visit(OPEN, identified=True, profile=KARI_KNOWN, chatflow=OPEN)
    (known,) = visit.kept(ContactKnown)
    assert (known.id, known.subject) == (contact_by_subject(KEY, "user-7"), "user-7")
    assert (known.name, known.email, known.owner, known.verified) == ("Kari", "kari@example.no", ANN, True)
    assert visit.record.contact is not None
    assert visit.record.contact.verified


def test_hello_again_says_nothing_new() -> None:
    """The same token again is no new fact; another address of theirs is."""
    visit = Visit(OPEN, identified=True, profile=KARI_KNOWN, chatflow=OPEN)
    visit.hello(identified=True, profile=KARI_KNOWN, chatflow=OPEN)
    assert len(visit.kept(ContactKnown)) == 1
    visit.hello(identified=True, profile=replace(KARI_KNOWN, email="k@example.no"), chatflow=OPEN)
    assert [known.email for known in visit.kept(ContactKnown)] == ["kari@example.no", "k@example.no"]


def test_known_by_address() -> None:
    """An anonymous visitor who types an address is its contact, unverified; two who type the same are one contact."""
    kari = agreed(Visit(ASKS, CARD))
    kari.answer("email", "Kari@example.no")
    ola = agreed(Visit(ASKS, world=kari.world, visitor=OLA))
    ola.answer("email", "kari@EXAMPLE.no")
    assert [known.id for known in kari.kept(ContactKnown)] == [contact_by_email(KEY, "kari@example.no")] * 2
    assert [known.verified for known in kari.kept(ContactKnown)] == [False, False]
    assert kari.record.contact is not None
    assert not kari.record.contact.verified


def test_identified_who_types_an_address() -> None:
    """An identified visitor whose token has no address stays the contact of their subject; the address is unverified."""
    visit = Visit(
        OPEN, asking(OPEN, email=EmailCapture("on_first_message")), identified=True, profile=NAMELESS, chatflow=OPEN
    )
    visit.say()
    visit.answer("email", "kari@example.no")
    typed = visit.kept(ContactKnown)[-1]
    assert (typed.id, typed.email, typed.verified) == (contact_by_subject(KEY, "user-7"), "kari@example.no", False)


def test_subscription_waits_for_a_contact() -> None:
    """The box ticked by somebody nobody knows waits on their record, and becomes the contact's with the address."""
    visit = agreed(Visit(ASKS, CARD), communicate=True)
    assert visit.kept(Subscribed) == []
    visit.answer("email", "kari@example.no")
    (wants,) = visit.kept(Subscribed)
    assert (wants.contact, wants.subscription) == (contact_by_email(KEY, "kari@example.no"), NEWS)
    assert (wants.wants, wants.verified) == (True, False)


def test_subscription_of_a_known_contact() -> None:
    """The box ticked by an identified visitor is their contact's at once, with their own authority."""
    visit = agreed(Visit(ASKS, CARD, identified=True, profile=KARI_KNOWN, chatflow=ASKS))
    visit.hello(identified=True, profile=KARI_KNOWN, chatflow=ASKS)
    visit.answer("consent_to_communicate")
    assert [(known.wants, known.verified) for known in visit.kept(Subscribed)] == [(True, True)]


def test_unticked_is_no_opt_out() -> None:
    """A box left unticked says nothing of what the contact wants; taking a yes back does."""
    visit = agreed(Visit(ASKS, CARD), communicate=False)
    visit.answer("email", "kari@example.no")
    assert visit.kept(Subscribed) == []
    visit.answer("consent_to_communicate")
    visit.withdraw("communicate")
    assert [known.wants for known in visit.kept(Subscribed)] == [True, False]


def test_contact_named_at_start() -> None:
    """A conversation names the contact that its visitor was when it began."""
    visit = Visit(OPEN, identified=True, profile=KARI_KNOWN, chatflow=OPEN)
    visit.say()
    started = visit.world.log(visit.where)[0].body
    assert started.contact == contact_by_subject(KEY, "user-7")  # type: ignore[union-attr]
