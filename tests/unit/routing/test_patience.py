"""Priorities, and what waiting leads to: rising, overflowing, being called out."""

from protocol.bus.config import AccountConfig, Inbox, Rule
from protocol.bus.effects import Overflowed
from protocol.bus.staff import Overflow
from routing.core.queue import Waiting
from tests.kit.shift import ACCOUNT, INBOX, RULE, Shift, account, agent

FEED = f"inbox:{ACCOUNT}:{INBOX}"


def nobody_there(teams: dict[str, list[str]] | None = None, **rule: object) -> Shift:
    """Return a shift of ann (of the rule) and bob (of no rule), both absent."""
    only = Rule(RULE, INBOX, "R", agents=["ann"], **rule)  # type: ignore[arg-type]
    return Shift(account([agent("ann", capacity=1), agent("bob", capacity=1)], rules=[only], teams=teams))


def order(shift: Shift) -> list[str]:
    return [rank[3] for rank in shift.roster.lines[RULE].everyone.ranks]


def test_a_higher_priority_goes_first() -> None:
    """Then age decides."""
    shift = nobody_there()
    shift.seek("low", priority="low")
    shift.seek("old", "new")
    shift.seek("high", priority="high")
    shift.seek("urgent", priority="urgent")
    assert order(shift) == ["urgent", "high", "old", "new", "low"]
    shift.arrive("ann")
    assert shift.asked("urgent") == "ann"


def test_a_changed_priority_changes_the_place() -> None:
    """Set by an agent, say: those behind are told anew."""
    shift = nobody_there()
    shift.seek("c1", "c2")
    shift.pass_s(20)
    shift.places.clear()
    shift.prioritise("c2", "urgent")
    shift.pass_s(1)
    assert order(shift) == ["c2", "c1"]
    assert sorted(told[1:3] for told in shift.places) == [("c1", 2), ("c2", 1)]


def test_whoever_waits_rises_one_level_per_step() -> None:
    """Ten minutes lift low to normal; then it is older than what came later as normal."""
    shift = nobody_there(overflow=Overflow(0))
    shift.seek("low", priority="low")
    shift.pass_s(599)
    shift.seek("normal")
    assert order(shift) == ["normal", "low"]
    shift.pass_s(1)
    assert order(shift) == ["low", "normal"]


def test_nobody_rises_above_urgent() -> None:
    """Then age alone decides, and no timer is left."""
    shift = nobody_there(overflow=Overflow(0))
    shift.seek("c1", priority="high")
    shift.pass_s(600)
    assert shift.roster.held["c1"].level == 3
    assert [timer.kind for timer in shift.timers] == []


def test_ageing_can_be_switched_off() -> None:
    """0: never."""
    shift = nobody_there(ageing_s=0, overflow=Overflow(0))
    shift.seek("c1", priority="low")
    shift.pass_s(100_000)
    assert shift.roster.held["c1"].level == 0


def test_a_conversation_keeps_its_age_when_its_agent_is_lost() -> None:
    """It rises by the time its visitor has waited in all."""
    shift = nobody_there()
    shift.now_ms += 2_000_000
    shift.seek("c1", since_ms=shift.now_ms - 700_000, reason="agent_lost")
    assert shift.roster.held["c1"].level == 2


def test_a_long_wait_overflows_once() -> None:
    """After 300 s the conversation is told, so that the away text and the e-mail ask follow."""
    shift = nobody_there()
    shift.seek("c1")
    shift.pass_s(299)
    assert shift.said(Overflowed) == []
    shift.pass_s(10_000)
    assert shift.said(Overflowed) == [Overflowed(ACCOUNT, "c1")]


def test_who_was_assigned_in_time_does_not_overflow() -> None:
    """The timer goes with the wait."""
    shift = nobody_there()
    shift.seek("c1")
    shift.arrive("ann")
    shift.accept("c1")
    shift.pass_s(301)
    assert shift.said(Overflowed) == []


def test_the_overflow_team_is_asked_too() -> None:
    """And the place is kept."""
    shift = nobody_there(overflow=Overflow(60, "others"), teams={"others": ["bob"]})
    shift.arrive("bob")
    shift.seek("c1", "c2")
    shift.pass_s(30)
    assert shift.asked("c1") is None
    shift.pass_s(31)
    assert shift.asked("c1") == "bob"
    assert order(shift) == ["c1", "c2"]


def test_the_rule_s_own_agents_are_asked_after_an_overflow_as_before() -> None:
    """Whoever is ready first."""
    shift = nobody_there(overflow=Overflow(60, "others"), teams={"others": ["bob"]})
    shift.seek("c1")
    shift.pass_s(61)
    shift.arrive("ann")
    assert shift.asked("c1") == "ann"
    shift.decline("c1")
    shift.arrive("bob")
    assert shift.asked("c1") == "bob"


def test_an_overflow_ends_a_rest() -> None:
    """The team was not among those who declined."""
    shift = nobody_there(overflow=Overflow(20, "others"), teams={"others": ["bob"]})
    shift.arrive("ann", "bob")
    shift.seek("c1")
    shift.decline("c1")
    shift.pass_s(21)
    assert shift.asked("c1") == "bob"


def test_an_overflow_uses_no_turn_of_the_rule() -> None:
    """The team has a ring of its own."""
    shift = nobody_there(overflow=Overflow(20, "others"), teams={"others": ["bob"]})
    shift.arrive("bob")
    shift.seek("c1")
    shift.pass_s(21)
    assert shift.roster.lines[RULE].ring.turns == 0


def test_an_overflow_that_a_publish_shortens_comes_sooner() -> None:
    """All who wait do so by the new rule."""
    shift = nobody_there()
    shift.seek("c1")
    rules = [Rule(RULE, INBOX, "R", agents=["ann"], overflow=Overflow(10))]
    shift.publish(account([agent("ann")], rules=rules, version=2))
    shift.pass_s(10)
    assert len(shift.said(Overflowed)) == 1


def off(**inbox: int) -> AccountConfig:
    config = account([agent("ann")], rules=[])
    return AccountConfig(
        config.account, config.name, 1, config.cell, config.id_key, [],
        [Inbox(INBOX, "Support", agents=["ann"], **inbox)], config.agents, [], [],
    )  # fmt: skip


def test_an_unassigned_conversation_is_told_of_again() -> None:
    """After five minutes, to everybody of the inbox: the row says how often."""
    shift = Shift(off())
    shift.seek("c1", rule=None)
    assert "reminded" not in shift.rows[FEED]["c1"]
    shift.pass_s(300)
    assert shift.rows[FEED]["c1"]["reminded"] == 1
    assert shift.rows[FEED]["c1"]["supervisors"] is False


def test_supervisors_are_told_after_a_while_and_the_away_path_begins() -> None:
    """Ten minutes: then the visitor is not left without a word either."""
    shift = Shift(off())
    shift.seek("c1", rule=None)
    shift.pass_s(600)
    assert shift.rows[FEED]["c1"]["supervisors"] is True
    assert shift.said(Overflowed) == [Overflowed(ACCOUNT, "c1")]


def test_reminders_go_on_ever_more_seldom() -> None:
    """Nobody is forgotten, and nobody is nagged every five minutes for days."""
    shift = Shift(off())
    shift.seek("c1", rule=None)
    shift.pass_s(86_400)
    assert 6 <= shift.rows[FEED]["c1"]["reminded"] <= 12


def test_a_claim_ends_the_reminders() -> None:
    """Somebody has it."""
    shift = Shift(off())
    shift.arrive("ann")
    shift.seek("c1", rule=None)
    shift.claim("ann", "c1")
    assert [timer.kind for timer in shift.timers] == []


def test_reminders_can_be_switched_off() -> None:
    """0: never; supervisors may still be told."""
    shift = Shift(off(remind_s=0, supervisors_s=120))
    shift.seek("c1", rule=None)
    shift.pass_s(120)
    assert shift.rows[FEED]["c1"] | {"reminded": 1, "supervisors": True} == shift.rows[FEED]["c1"]
    assert shift.timers == {}


def test_nobody_is_reminded_of_what_is_owed_nothing() -> None:
    """A conversation that lost its agent after their answer waits for the visitor."""
    shift = Shift(off())
    shift.seek("c1", rule=None, reason="lost")
    assert shift.timers == {}


def test_a_better_priority_wakes_nobody_who_rests() -> None:
    """Everybody was asked: that it matters more changes the order alone."""
    shift = nobody_there()
    shift.seek("c1")
    shift.prioritise("c1", "urgent")
    assert isinstance(shift.roster.held["c1"].phase, Waiting)
    assert shift.prioritise("c1", "urgent") == []
