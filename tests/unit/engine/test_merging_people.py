"""What becomes of consents, contact and block of who began on a phone, once they log in there (SPEC 3.9)."""

import pytest
from msgspec.structs import replace

from protocol.bus.commands import BlockVisitor, VisitorWithdraws
from protocol.bus.facts import Subscribed, VisitorMerged
from protocol.bus.records import ContactRef, Profile
from protocol.ids import ContactId, DeviceId, contact_by_subject
from protocol.wire import content
from tests.kit.logins import HERS, answered, kari, logs_in, met, record
from tests.kit.workplace import ACCOUNT, ANN, ASKS, KARI, KEY, OLA, UNROUTED, origin, phone, sends
from tests.kit.world import World


@pytest.fixture
def world() -> World:
    """Kari, anonymous, has said hello on her phone."""
    return kari()


@pytest.mark.parametrize(
    ("own", "begun", "stands"),
    [
        ("", "granted", "granted"),
        ("granted", "withdrawn", "withdrawn"),
        ("withdrawn", "granted", "withdrawn"),
        ("declined", "granted", "granted"),
        ("granted", "declined", "granted"),
        ("implied", "granted", "granted"),
    ],
)
def test_a_consent_to_process_is_theirs(world: World, own: str, begun: str, stands: str) -> None:
    """A yes of either counts, a withdrawal of either counts more."""
    met(world)
    answered(world, OLA, **({"process": own} if own else {}))
    answered(world, KARI, process=begun)
    logs_in(world)
    assert record(world).consents["process"].answer == stands


def test_a_no_to_analytics_stays(world: World) -> None:
    """Whoever said it, and what was told of the device goes with it."""
    met(world)
    answered(world, OLA, analytics="declined")
    answered(world, KARI, analytics="granted")
    logs_in(world)
    assert record(world).consents["analytics"].answer == "declined"


def test_what_was_open_ends_with_a_withdrawal(world: World) -> None:
    """As by any withdrawal: a message brings it back, once it was agreed to anew."""
    met(world)
    answered(world, OLA, process="withdrawn")
    world.ask(sends())
    logs_in(world)
    assert world.log(HERS)[-1].body == content.Closed(content.Author(content.Role.SYSTEM, ""), "consent_withdrawn")


def test_who_is_blocked_stays_so(world: World) -> None:
    """Nobody talks on under another name."""
    world.ask(sends())
    world.ask(BlockVisitor(ACCOUNT, origin(f"desk_{ANN}", 1), HERS, ANN, True))
    logs_in(world)
    assert record(world).blocked
    refused = world.ask(sends(flow=UNROUTED, visitor=OLA, origin=origin(phone(OLA), 1)))
    assert refused.code == "blocked"


def test_the_address_comes_along(world: World) -> None:
    """To whom none is known of, unverified; who has a contact keeps it."""
    world.change_visitor(KARI, contact=ContactRef(ContactId("con_typed"), "kari@example.no"))
    logs_in(world)
    assert record(world).contact == ContactRef(ContactId("con_typed"), "kari@example.no")


def test_what_the_token_says_is_taken_with_the_consent_that_was_given(world: World) -> None:
    """Whom the company vouches for is its contact at once, and SQL is told whom the other contact belongs to."""
    world.change_visitor(KARI, contact=ContactRef(ContactId("con_typed"), "kari@example.no"))
    answered(world, KARI, process="granted", news="granted")
    logs_in(world, profile=Profile("Ola", subject="17"), chatflow=ASKS, version=3)
    mine = contact_by_subject(KEY, "17")
    assert record(world).contact == ContactRef(mine, "kari@example.no")
    assert [fact.contact for fact in world.facts if isinstance(fact, VisitorMerged)] == [mine]
    (subscribed,) = [fact for fact in world.facts if isinstance(fact, Subscribed)]
    assert (subscribed.contact, subscribed.wants, subscribed.verified) == (mine, True, False)


def test_what_the_company_takes_back_for_them_is_the_users(world: World) -> None:
    """It had been asked before they logged in; a phone that speaks under the old name is told to come again."""
    world.ask(sends())
    before = record(world, KARI)
    logs_in(world)
    asked = VisitorWithdraws(ACCOUNT, origin(phone(KARI), 0, "w"), KARI, "process", DeviceId("the account"), "")
    assert world.ask(asked).code == "visitor_unknown"
    assert world.ask(replace(asked, record=before)).code == ""
    assert record(world).consents["process"].answer == "withdrawn"
    assert world.log(HERS)[-1].body == content.Closed(content.Author(content.Role.SYSTEM, ""), "consent_withdrawn")
