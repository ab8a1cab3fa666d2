"""Handing a conversation to a team."""

from protocol.bus.config import Rule
from protocol.bus.decisions import Refusal
from protocol.bus.effects import HandOver
from protocol.bus.staff import Overflow
from protocol.wire.codes import Code
from protocol.wire.content import Author, Role
from routing.core.events import HandedToTeam
from routing.core.log import encode
from tests.kit.shift import ACCOUNT, INBOX, RULE, Shift, account, agent


def desk(**rule: object) -> Shift:
    """Return a shift: ann has c1; bob and eva are the team red, kim a team nobody of which has access."""
    staff = [agent(name) for name in ("ann", "bob", "eva", "sue")]
    staff[3] = agent("sue", role="supervisor")
    rules = [Rule(RULE, INBOX, "R", agents=["ann"], **rule)]  # type: ignore[arg-type]
    shift = Shift(account(staff, rules=rules, teams={"red": ["bob", "eva"], "blue": ["kim"]}))
    shift.arrive("ann")
    shift.seek("c1")
    shift.accept("c1")
    return shift


def test_the_team_is_sought_and_takes_it_in_turn() -> None:
    """By a ring of its own: no turn of the rule is used."""
    shift = desk()
    turns = shift.roster.lines[RULE].ring.turns
    shift.arrive("bob", "eva")
    shift.transfer("ann", "c1", "", "they know", "red")
    assert shift.asked("c1") == "bob"
    shift.decline("c1")
    assert shift.asked("c1") == "eva"
    assert shift.roster.lines[RULE].ring.turns == turns


def test_the_conversation_is_told_of_the_team() -> None:
    """Who asked, which team and the note; nobody has it yet."""
    shift = desk()
    shift.transfer("ann", "c1", "", "they know", "red")
    ann, nobody = Author(Role.AGENT, "ann", "Ann"), Author(Role.AGENT, "")
    assert shift.said(HandOver) == [HandOver(ACCOUNT, "c1", ann, nobody, "they know", "red", False)]
    assert shift.roster.members["ann"].load == 0


def test_it_waits_for_the_team_alone() -> None:
    """Whoever of the rule is ready is not asked."""
    shift = desk()
    shift.transfer("ann", "c1", "", "", "red")
    assert shift.asked("c1") is None
    shift.arrive("eva")
    assert shift.asked("c1") == "eva"


def test_who_waits_for_a_team_overflows_too() -> None:
    """The rule's patience is the team's."""
    shift = desk(overflow=Overflow(60, "red"))
    shift.transfer("ann", "c1", "", "", "red")
    shift.pass_s(61)
    assert shift.roster.held["c1"].overflowed


def test_a_team_of_nobody_is_refused() -> None:
    """None of its members may take it, or there is no such team."""
    shift = desk()
    assert shift.transfer("ann", "c1", "", "", "blue") == Refusal(Code.NOT_AVAILABLE)
    assert shift.transfer("ann", "c1", "", "", "green") == Refusal(Code.NOT_FOUND)


def test_only_its_agent_or_a_supervisor_hands_it_to_a_team() -> None:
    """As to an agent."""
    shift = desk()
    shift.arrive("bob", "sue")
    assert shift.transfer("bob", "c1", "", "", "red") == Refusal(Code.NOT_PERMITTED)
    shift.transfer("sue", "c1", "", "", "red")
    assert [event.forced for event in shift.events if isinstance(event, HandedToTeam)] == [True]
    assert shift.asked("c1") == "bob"


def test_a_team_is_sought_even_where_assignment_is_off() -> None:
    """Under the inbox's default rule."""
    shift = desk()
    shift.seek("c2", rule=None)
    shift.claim("ann", "c2")
    shift.seek("c2", rule=None, team="red", reason="transfer")
    shift.arrive("bob")
    assert shift.asked("c2") == "bob"


def test_a_team_that_a_publish_dissolves_leaves_it_to_the_rule() -> None:
    """Nobody waits for those who are not there any more."""
    shift = desk()
    shift.transfer("ann", "c1", "", "", "red")
    shift.publish(account([agent("ann"), agent("bob")], version=2))
    assert shift.asked("c1") == "ann"


def test_the_note_to_a_team_is_not_kept_in_the_roster_s_log() -> None:
    """What people wrote is stored in one place, where erasure finds it."""
    assert b"555" not in encode(HandedToTeam(1, "c1", "ann", "red", "call 555 0100", False))
