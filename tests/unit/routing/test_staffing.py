"""A configuration that changes while people talk."""

from protocol.bus.config import Rule
from protocol.bus.decisions import Already
from protocol.bus.effects import AgentLost
from routing.core.queue import Unassigned
from tests.kit.shift import INBOX, RULE, Shift, account, agent


def test_an_older_configuration_is_nothing_new() -> None:
    """Versions not above the present one are dropped."""
    shift = Shift(account([agent("ann")], version=2))
    shift.arrive("ann")
    assert shift.publish(account([agent("bob")], version=2)) == Already()


def test_a_raised_capacity_is_used_at_once() -> None:
    """A change of configuration is a change like any other."""
    shift = Shift(account([agent("ann", capacity=1)]))
    shift.arrive("ann")
    shift.seek("c1", "c2")
    shift.publish(account([agent("ann", capacity=2)], version=2))
    assert shift.asked("c2") == "ann"


def test_a_lowered_capacity_takes_nothing_away() -> None:
    """What an agent has stays, and blocks new ones."""
    shift = Shift(account([agent("ann", capacity=2)]))
    shift.arrive("ann")
    shift.seek("c1", "c2")
    shift.accept("c1")
    shift.publish(account([agent("ann", capacity=1)], version=2))
    shift.accept("c2")
    shift.seek("c3")
    assert (shift.talks("c1"), shift.talks("c2"), shift.asked("c3")) == ("ann", "ann", None)


def test_a_lost_seat_hands_on_offers_and_conversations() -> None:
    """Without a seat there is no routing to the agent, and nobody is left with one who may not answer."""
    shift = Shift(account([agent("ann"), agent("bob", capacity=5)]))
    shift.arrive("ann")
    shift.seek("c1", "c2")
    shift.accept("c1")
    shift.arrive("bob")
    shift.publish(account([agent("ann", seat=False), agent("bob", capacity=5)], version=2))
    assert [lost.conversation for lost in shift.said(AgentLost)] == ["c1"]
    assert (shift.asked("c1"), shift.asked("c2")) == ("bob", "bob")


def test_an_agent_who_left_the_account_is_forgotten_with_their_work_done() -> None:
    """The next configuration after the last session drops them."""
    shift = Shift(account([agent("ann"), agent("bob")]))
    shift.arrive("ann")
    shift.publish(account([agent("bob")], version=2))
    assert "ann" in shift.roster.members
    shift.leave("ann")
    shift.publish(account([agent("bob")], version=3))
    assert list(shift.roster.members) == ["bob"]


def test_turns_outlast_a_new_configuration() -> None:
    """Those who stay keep their order; new ones join at the end."""
    shift = Shift(account([agent("ann"), agent("bob")]))
    shift.arrive("ann", "bob")
    shift.seek("c1")
    shift.publish(account([agent("eva"), agent("ann"), agent("bob")], version=2))
    assert list(shift.roster.lines[RULE].ring) == ["bob", "ann"]
    shift.arrive("eva")
    assert list(shift.roster.lines[RULE].ring) == ["bob", "ann", "eva"]


def test_a_rule_that_is_gone_leaves_its_queue_to_the_inbox_s_default() -> None:
    """Nobody waits in a line that nobody looks at."""
    shift = Shift(account([agent("ann")]))
    shift.seek("c1")
    shift.publish(account([agent("ann")], rules=[Rule("rul_2", INBOX, "New")], version=2))
    assert shift.roster.held["c1"].rule == "rul_2"
    shift.arrive("ann")
    assert shift.asked("c1") == "ann"


def test_without_any_rule_the_queue_may_be_claimed() -> None:
    """An inbox that lost its last rule is one with assignment off."""
    shift = Shift(account([agent("ann")]))
    shift.seek("c1")
    shift.publish(account([agent("ann")], rules=[], version=2))
    assert isinstance(shift.roster.held["c1"].phase, Unassigned)


def test_a_rule_asks_only_its_own_agents() -> None:
    """Agents named by the rule, in its order, if they have access to the inbox."""
    shift = Shift(account([agent("ann"), agent("bob")], rules=[Rule(RULE, INBOX, "R", agents=["bob"])]))
    shift.arrive("ann", "bob")
    shift.seek("c1", "c2", "c3")
    assert [shift.asked(c) for c in ("c1", "c2", "c3")] == ["bob", "bob", None]


def test_an_agent_without_access_is_counted_and_not_asked() -> None:
    """The reasons say so."""
    config = account([agent("ann"), agent("bob")], rules=[Rule("r", "side", "R", agents=["ann", "bob"])], side=["ann"])
    shift = Shift(config)
    shift.arrive("bob")
    shift.seek("c1", inbox="side", rule="r")
    queued = shift.events[-1]
    assert queued.reasons.counts == {"offline": 1, "no_access": 1}


def test_a_new_configuration_ends_every_rest() -> None:
    """Who may be asked because of it is asked at once, for what the others declined too."""
    shift = Shift(account([agent("ann"), agent("eva", seat=False)]))
    shift.arrive("ann", "eva")
    shift.seek("c1")
    shift.decline("c1")
    shift.publish(account([agent("ann"), agent("eva")], version=2))
    assert shift.asked("c1") == "eva"
