"""Decisions in words."""

from protocol.bus.config import Rule
from routing.core.explain import NAMED, explain
from tests.kit.shift import INBOX, RULE, Shift, account, agent, daily

NAMES = {"ann": "Ann", "bob": "Bob"}


def words(shift: Shift) -> list[str]:
    return [line for event in shift.events for line in explain(event, NAMES)]


def test_an_offer_in_words() -> None:
    """Who won, who was passed over and why."""
    shift = Shift(account([agent("ann"), agent("bob")]))
    shift.arrive("ann")
    shift.seek("c1")
    assert words(shift) == [
        "c1 was offered to Ann",
        "  agents of the rule: 1 ready, 1 offline (roster seq 3)",
        "  Ann is next in turn",
        "  Bob is offline",
    ]


def test_waiting_in_words() -> None:
    """Nobody ready: the queue says why."""
    shift = Shift(account([agent("ann")]))
    shift.seek("c1")
    assert words(shift) == [
        "c1 waits: nobody is ready",
        "  agents of the rule: 1 offline (roster seq 1)",
        "  Ann is offline",
    ]


def test_a_rest_in_words() -> None:
    """Everybody said no."""
    shift = Shift(account([agent("ann")]))
    shift.arrive("ann")
    shift.seek("c1")
    shift.decline("c1")
    assert words(shift)[-3:] == [
        "c1 rests: everybody ready was asked",
        "  agents of the rule: 1 ready (roster seq 5)",
        "  Ann was asked before and did not take it",
    ]


def test_a_forced_claim_in_words() -> None:
    """A supervisor above capacity is named as such."""
    shift = Shift(account([agent("ann", role="supervisor", capacity=0)]))
    shift.arrive("ann")
    shift.seek("c1")
    shift.claim("ann", "c1", force=True)
    assert words(shift)[-1] == "c1 was assigned to Ann (forced, forced by a supervisor)"


def test_at_most_twenty_are_named() -> None:
    """However large the account, a reason stays short."""
    many = [agent(f"a{number}") for number in range(50)]
    shift = Shift(account(many))
    shift.arrive(*(one.id for one in many[:30]))
    shift.seek("c1")
    assert len(shift.events[-1].reasons.candidates) == NAMED


def test_who_would_be_asked_now() -> None:
    """A dry run names the next in turn and changes nothing."""
    shift = Shift(account([agent("ann")]))
    shift.arrive("ann")
    before = shift.decider.freeze(shift.roster)
    assert shift.who_next("ann").agent == "ann"
    assert shift.decider.freeze(shift.roster) == before


def test_a_preference_in_words() -> None:
    """Nobody else was considered."""
    shift = Shift(account([agent("ann"), agent("bob")]))
    shift.arrive("ann", "bob")
    shift.seek("c1", prefer="bob", reason="returned")
    assert words(shift)[-2:] == ["c1 was offered to Bob", "  Bob talked with this visitor last"]


def test_the_least_busy_in_words() -> None:
    """The load decided, not the turn."""
    shift = Shift(account([agent("ann"), agent("bob")], rules=[Rule(RULE, INBOX, "Load", choice="least_busy")]))
    shift.arrive("ann", "bob")
    shift.seek("c1")
    assert words(shift)[2:] == ["  Ann is least busy", "  Bob comes later in turn"]


def test_handing_on_in_words() -> None:
    """To an agent, by force or not, and to a team."""
    staff = [agent("ann"), agent("bob"), agent("sue", role="supervisor")]
    shift = Shift(account(staff, teams={"red": ["bob"]}))
    shift.arrive("ann", "bob", "sue")
    shift.seek("c1")
    shift.accept("c1")
    shift.transfer("sue", "c1", "bob")
    shift.transfer("bob", "c1", "", "", "red")
    told = words(shift)
    assert "c1 was handed to Bob by sue, forced by a supervisor" in told
    assert "c1 was handed to the team red by Bob" in told


def test_a_long_wait_in_words() -> None:
    """The story of a conversation says when it overflowed."""
    shift = Shift(account([agent("ann")]))
    shift.seek("c1")
    shift.pass_s(301)
    assert words(shift)[-1] == "c1 waited too long"


def test_working_hours_in_words() -> None:
    """Off shift is another reason than away."""
    shift = Shift(account([agent("ann", hours="night")], hours=[daily("night", 1_380, 1_440)]))
    shift.arrive("ann")
    shift.seek("c1")
    assert words(shift)[-1] == "  Ann is outside working hours"
