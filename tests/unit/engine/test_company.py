"""Conversations that the company begins, or goes on with."""

from typing import Any

from engine.core import phases
from protocol.bus.chatflow import EmailCapture
from protocol.bus.commands import CompanySends
from protocol.bus.records import VisitorRecord
from protocol.ids import AppKey
from protocol.wire.content import Author, Message, Role, Started
from tests.kit.visits import Visit, asking
from tests.kit.workplace import ACCOUNT, APP, ASKS, KARI, OPEN, conversation, origin
from tests.kit.world import World


def writes(world: World, **changes: Any) -> Any:
    """The company writes to Kari; its outcome."""
    fields: dict[str, Any] = {
        "account": ACCOUNT, "origin": origin("server", 0, "call-1"), "conversation": conversation(), "visitor": KARI,
        "chatflow": OPEN, "text": "Your parcel is here.", "name": "Nordvik", "locale": "en", "app": APP,
    }  # fmt: skip
    return world.ask(CompanySends(**{**fields, **changes}))


def test_begins() -> None:
    """The company begins a conversation with somebody who was never here: no welcome, its own name, and no agent."""
    world = World()
    outcome = writes(world)
    started, message, _ = (event.body for event in world.log(conversation()))
    assert isinstance(started, Started)
    assert (started.by, started.welcome, started.steps) == ("company", None, [])
    assert message == Message(Author(Role.SYSTEM, "", "Nordvik"), "Your parcel is here.")
    assert world.conversation(conversation()).phase == phases.Unassigned(None)
    assert (outcome.code, outcome.seq) == ("", 2)
    record = world.visitor(KARI)
    assert record is not None
    assert (record.identified, record.current[OPEN].conversation) == (True, conversation())


def test_reply_is_sought_for() -> None:
    """When the visitor replies, an agent is sought as for any first word."""
    visit = Visit(identified=True)
    writes(visit.world)
    visit.say()
    assert visit.kinds() == ["Started", "Message", "Unrouted", "Message", "Queued"]


def test_consent_gates_the_reply() -> None:
    """What the company began asks for consent before it takes a reply."""
    visit = Visit(ASKS, identified=True)
    assert writes(visit.world, chatflow=ASKS, conversation=visit.where).code == ""
    assert visit.say() == "consent_required"
    visit.answer("consent_to_process")
    assert visit.say() == ""
    assert visit.kinds() == ["Started", "Message", "Unrouted", "ConsentAnswered", "Message", "Queued"]


def test_goes_on() -> None:
    """In a conversation that goes on the company's word is one more message, and changes nothing else."""
    visit = Visit(identified=True)
    visit.agent_comes()
    visit.say()
    visit.agent_says()
    before = visit.phase()
    assert writes(visit.world).code == ""
    assert visit.kinds()[-1] == "Message"
    assert visit.phase() == before


def test_brings_back() -> None:
    """Within the reopen window the company's word brings the conversation back, and nobody is sought for it."""
    visit = Visit(identified=True)
    visit.say()
    visit.close()
    writes(visit.world)
    assert visit.kinds()[-3:] == ["Reopened", "Message", "Unrouted"]
    assert visit.phase() == phases.Unassigned(None)


def test_gated_conversation() -> None:
    """A word of the company's in a gated conversation is seen by all, and the visitor's gate stays shut."""
    visit = Visit(ASKS, identified=True)
    visit.answer("consent_to_process", "declined")
    writes(visit.world, chatflow=ASKS, conversation=visit.where)
    assert visit.phase() == phases.Unassigned(None)
    assert visit.say() == "consent_required"


def test_is_told_where() -> None:
    """Addressed to one that is over for good, the company is told which to write to."""
    visit = Visit(identified=True)
    visit.say()
    visit.close()
    visit.world.pass_time(3_600_000)
    outcome = writes(visit.world)
    assert (outcome.code, outcome.instead) == ("continued", conversation(ordinal=2))
    assert writes(visit.world, conversation=conversation(ordinal=2)).code == ""


def test_refused() -> None:
    """Nothing is written to the anonymous, to the blocked, to another app's visitors, under no chatflow, or in silence."""
    anonymous = Visit()
    assert writes(anonymous.world).code == "visitor_unknown"
    visit = Visit(identified=True)
    assert writes(visit.world, app=AppKey("app_other")).code == "visitor_unknown"
    assert writes(visit.world, chatflow="flw_none").code == "no_chatflow"
    assert writes(visit.world, text=" ").code == "empty_text"
    visit.world.change_visitor(KARI, blocked=True)
    assert writes(visit.world).code == "blocked"


def test_rehydrated() -> None:
    """The record that came along from SQL is used if the cell has none."""
    old = VisitorRecord(KARI, ACCOUNT, APP, True, 7, 7, {}, {}, {})
    world = World()
    writes(world, record=old)
    record = world.visitor(KARI)
    assert record is not None
    assert record.created_at_ms == 7


def test_whose_record_left_meanwhile() -> None:
    """Whoever was seen in Redis, and is not there any more, is not made anew: their record is in SQL."""
    world = World()
    assert writes(world, known=True).code == "unavailable"
    assert world.visitor(KARI) is None


def test_no_address_is_asked_by_itself() -> None:
    """What the company says starts no clock: an address is asked after the visitor's own first word."""
    visit = Visit(OPEN, asking(OPEN, email=EmailCapture()), identified=True)
    writes(visit.world)
    visit.world.pass_time(60_000)
    assert "EmailAsked" not in visit.kinds()
    visit.say()
    visit.world.pass_time(60_000)
    assert visit.kinds()[-1] == "EmailAsked"
