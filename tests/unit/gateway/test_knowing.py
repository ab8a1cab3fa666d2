"""What an agent is shown beside the log: the visitor, and which colleagues look."""

import msgspec

from gateway.core.actions import Forward, ReadContext, Tell
from gateway.core.knowing import context_view
from gateway.core.resume import Page
from gateway.core.session import encode
from protocol.bus.records import Breadcrumb, ContactRef, Context, Profile
from protocol.bus.topics import Ephemeral
from protocol.ids import ContactId, ConversationId, DeviceId
from protocol.wire import client
from protocol.wire.content import Author, EmailGiven, Message, Note, Role, audience_of
from protocol.wire.server import (
    ContextView,
    Looking,
    TypingNow,
)
from tests.kit.workplace import ANN, BO, CY, INBOX, KARI, record
from tests.unit.gateway.sessions import CHAT, NOW, agent, attach, done, head, hint, said, submitted

HELLO = Message(Author(Role.VISITOR, "vis_kari"), "Hello?")
BO_DEVICE = DeviceId("dev_bo")


def test_the_visitor_is_shown_when_a_conversation_is_resumed() -> None:
    """With their phone, their context, their contact and their past in the agent's inboxes."""
    session = agent()
    came = attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    (asked,) = [action for action in came if isinstance(action, ReadContext)]
    assert asked == ReadContext(CHAT, KARI, [INBOX])
    known = msgspec.structs.replace(
        record(),
        contact=ContactRef(ContactId("con_k"), "typed@nordvik.example"),
        profile=Profile("Kari", "kari@nordvik.example"),
        context=Context("/cart", {"plan": "gold"}, {"model": "9"}, [Breadcrumb(7, "added shoes")]),
    )
    (view,) = said(session.context_read(asked, known, [ConversationId(CHAT), ConversationId("cnv_old")]))
    assert isinstance(view, ContextView)
    assert (view.visitor, view.platform, view.screen, view.properties) == (KARI, "ios", "/cart", {"plan": "gold"})
    assert (view.name, view.email, view.email_verified, view.past) == (
        "Kari",
        "kari@nordvik.example",
        True,
        ["cnv_old"],
    )
    assert [(each.at, each.text) for each in view.breadcrumbs] == [(7, "added shoes")]


def test_a_typed_address_is_shown_as_unverified() -> None:
    """Nobody vouches for it."""
    contact = ContactRef(ContactId("con_k"), "typed@nordvik.example")
    view = context_view(CHAT, msgspec.structs.replace(record(), contact=contact), [])
    assert (view.contact, view.email, view.email_verified) == ("con_k", "typed@nordvik.example", False)


def test_a_change_shows_the_visitor_again() -> None:
    """Told by their phone, or seen in the log; one reading at a time, and the last change is never lost."""
    session = agent()
    came = attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    (first,) = [action for action in came if isinstance(action, ReadContext)]
    changed = Ephemeral("context", DeviceId("dev_kari1"), b"")
    assert session.ephemeral(CHAT, changed) == session.ephemeral(CHAT, changed) == []
    told = session.context_read(first, record(), [])
    (second,) = [action for action in told if isinstance(action, ReadContext)]
    assert second.inboxes == []  # the past is known
    session.context_read(second, record(), None)
    given = session.hinted(CHAT, [hint(2, EmailGiven("kari@nordvik.example", ContactId("con_k")))])
    assert any(isinstance(action, ReadContext) for action in given)


def test_a_conversation_that_was_left_shows_nobody() -> None:
    """What was read meanwhile is dropped."""
    session = agent()
    came = attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    (asked,) = [action for action in came if isinstance(action, ReadContext)]
    session.receive(client.Leave(CHAT), NOW)
    assert session.context_read(asked, record(), []) == []


def test_a_block_tells_the_visitors_phones() -> None:
    """They read their record, and are sent away."""
    session = agent()
    (command,) = submitted(session.receive(client.Block(n=1, id="a", conversation=CHAT), NOW))
    assert Tell(CHAT, "context", b"") in session.outcome(done(1, "a"), command)


# Colleagues.


def test_colleagues_hear_who_looks_and_who_looks_away() -> None:
    """On attaching, on leaving, and when the line is lost."""
    session = agent()
    came = attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    looks, away = (Tell(CHAT, "staff", encode(Looking(CHAT, ANN, "Ann", on))) for on in (True, False))
    assert looks in came
    assert away in session.receive(client.Leave(CHAT), NOW)
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    assert away in session.lost()
    assert away not in agent().lost()


def test_who_looks_already_answers_who_comes() -> None:
    """The newcomer asks who is there."""
    session = agent()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    asks = Ephemeral("present", BO_DEVICE, b"")
    assert session.ephemeral(CHAT, asks) == [Tell(CHAT, "staff", encode(Looking(CHAT, ANN, "Ann", True)))]


def test_a_colleague_is_told_of_once_and_gone_after_two_silent_checks() -> None:
    """However many frames were lost; one's own other console is nobody else."""
    session = agent()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    bo = Ephemeral("staff", BO_DEVICE, encode(Looking(CHAT, BO, "Bo", True)))
    assert session.ephemeral(CHAT, bo) == [Forward([bo.frame])]
    assert session.ephemeral(CHAT, bo) == []
    mine = Ephemeral("staff", DeviceId("dev_ann2"), encode(Looking(CHAT, ANN, "Ann", True)))
    assert session.ephemeral(CHAT, mine) == []
    assert said(session.check()) == []
    assert said(session.check()) == [Looking(CHAT, BO, "Bo", False)]


def test_a_colleagues_typing_is_forwarded() -> None:
    """By their own name."""
    session = agent()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head()))
    typing = Ephemeral("staff", BO_DEVICE, encode(TypingNow(CHAT, "agent", "Bo", True)))
    assert session.ephemeral(CHAT, typing) == [Forward([typing.frame])]


def test_typing_behind_an_alias_names_nobody() -> None:
    """To the visitor the heading's name, to colleagues one's own."""
    session = agent()
    attach(session, CHAT, Page(1, [hint(1, HELLO)], head=head(alias="Nordvik")))
    to_visitor, to_staff = (tell for tell in session.receive(client.Typing(CHAT, True), NOW) if isinstance(tell, Tell))
    assert to_visitor == Tell(CHAT, "visitor", encode(TypingNow(CHAT, "agent", "Nordvik", True)))
    assert b"Ann" not in to_visitor.frame
    assert b"agt_" not in to_visitor.frame
    assert b"Ann" in to_staff.frame


def test_a_whisper_goes_to_staff_alone() -> None:
    """A note is hidden from visitors in the log, and passes by nobody else."""
    assert audience_of(Note(Author(Role.AGENT, CY, "Cy"), "psst", whisper=True)) == "staff"
    (made,) = agent(CY).receive(client.AddNote(n=1, id="a", conversation=CHAT, text="psst", whisper=True), NOW)
    assert not isinstance(made, Tell)
