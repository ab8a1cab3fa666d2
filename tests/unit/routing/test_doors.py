"""Opening hours of chatflows, and agents' own working hours."""

from protocol.bus.config import AccountConfig, Rule
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import Overflowed
from protocol.bus.hours import Hours
from protocol.wire.codes import Code
from routing.core.queue import UntilOpen, Waiting
from tests.kit.shift import ACCOUNT, INBOX, RULE, Shift, account, agent, daily

HOUR_S = 3_600


def shop(*hours: Hours, version: int = 1, **staff: str | None) -> AccountConfig:
    """Return an account whose shop opens at eight and closes at sixteen, Greenwich; agents' hours by name."""
    agents = [agent(name, hours=of) for name, of in (staff or {"ann": None}).items()]
    return account(agents, version=version, hours=[daily("shop", 480, 960), *hours], rules=[Rule(RULE, INBOX, "R")])


def at(hour: float, config: AccountConfig | None = None) -> Shift:
    """Return a shift at an hour of the day."""
    shift = Shift(config or shop())
    shift.now_ms = round(hour * HOUR_S * 1000)
    return shift


def test_outside_hours_nobody_is_asked_before_they_open() -> None:
    """Held back over night, and offered at eight."""
    shift = at(7)
    shift.arrive("ann")
    shift.seek("c1", hours="shop")
    assert isinstance(shift.roster.held["c1"].phase, UntilOpen)
    shift.pass_s(HOUR_S - 1)
    assert shift.asked("c1") is None
    shift.pass_s(1)
    assert shift.asked("c1") == "ann"


def test_who_waited_longest_is_first_when_the_doors_open() -> None:
    """However the timers fall."""
    shift = at(7, shop(ann=None))
    shift.arrive("ann")
    shift.seek("c1", "c2", "c3", hours="shop")
    shift.pass_s(HOUR_S)
    assert [shift.asked(one) for one in ("c1", "c2", "c3")] == ["ann", "ann", None]


def test_a_higher_priority_is_first_when_the_doors_open() -> None:
    """Nobody grows old while nobody may be asked."""
    shift = at(1)
    shift.arrive("ann")
    shift.seek("c1", "c2", hours="shop")
    shift.seek("c3", hours="shop", priority="high")
    shift.pass_s(7 * HOUR_S)
    assert (shift.asked("c3"), shift.asked("c1"), shift.asked("c2")) == ("ann", "ann", None)


def test_what_is_held_back_may_be_claimed() -> None:
    """Somebody who is there anyway takes it."""
    shift = at(7)
    shift.arrive("ann")
    shift.seek("c1", hours="shop")
    shift.claim("ann", "c1")
    assert shift.talks("c1") == "ann"


def test_route_if_available_asks_at_any_hour() -> None:
    """Who is there is asked; who comes later too."""
    shift = at(7)
    shift.seek("c1", hours="shop", available_anyway=True)
    assert isinstance(shift.roster.held["c1"].phase, Waiting)
    shift.arrive("ann")
    assert shift.asked("c1") == "ann"


def test_at_closing_time_nobody_more_is_asked() -> None:
    """Who still waits is kept for the next opening; an open offer may still be accepted."""
    shift = at(15.996, shop(ann=None))
    shift.arrive("ann")
    shift.seek("c1", "c2", "c3", hours="shop")
    assert isinstance(shift.roster.held["c3"].phase, Waiting)
    shift.pass_s(15)
    assert isinstance(shift.roster.held["c3"].phase, UntilOpen)
    shift.accept("c1")
    shift.pass_s(30)
    assert isinstance(shift.roster.held["c2"].phase, UntilOpen)
    shift.pass_s(16 * HOUR_S - 25)
    assert shift.asked("c2") == "ann"


def test_no_place_is_told_while_nobody_may_be_asked() -> None:
    """A place in a line that does not move is no news; it is told when the doors open."""
    shift = at(7)
    shift.seek("c1", hours="shop")
    assert shift.places == []
    shift.pass_s(HOUR_S + 1)
    assert [told[1:3] for told in shift.places] == [("c1", 1)]


def test_who_is_held_back_does_not_stand_before_others() -> None:
    """Another chatflow's visitors of the same rule are not told that a closed shop's are ahead."""
    shift = at(7)
    shift.seek("c1", "c2", hours="shop")
    shift.seek("c3")
    assert [told[1:3] for told in shift.places] == [("c3", 1)]


def test_an_overflow_counts_from_the_opening() -> None:
    """Nobody has waited too long at the stroke of eight."""
    shift = at(7)
    shift.seek("c1", hours="shop")
    shift.pass_s(HOUR_S + 299)
    assert shift.said(Overflowed) == []
    shift.pass_s(1)
    assert shift.said(Overflowed) == [Overflowed(ACCOUNT, "c1")]


def test_hours_that_a_publish_opens_are_open_at_once() -> None:
    """Nobody waits for the old opening."""
    shift = at(7)
    shift.arrive("ann")
    shift.seek("c1", hours="shop")
    open_now = account([agent("ann")], version=2, hours=[daily("shop", 0, 1_440)])
    shift.publish(open_now)
    assert shift.asked("c1") == "ann"


def test_hours_that_a_publish_closes_are_closed_at_once() -> None:
    """Who waits is held back."""
    shift = at(9)
    shift.seek("c1", hours="shop")
    shift.publish(account([agent("ann")], version=2, hours=[daily("shop", 600, 660)]))
    shift.arrive("ann")
    assert shift.asked("c1") is None
    shift.pass_s(HOUR_S)
    assert shift.asked("c1") == "ann"


def test_hours_that_are_gone_hold_nobody_back() -> None:
    """What is not configured is always open."""
    shift = at(7)
    shift.arrive("ann")
    shift.seek("c1", hours="shop")
    shift.publish(account([agent("ann")], version=2))
    assert shift.asked("c1") == "ann"


def test_hours_that_never_open_leave_it_to_claims() -> None:
    """They are looked at once a day; nothing else happens."""
    shift = at(7, account([agent("ann")], hours=[Hours("never", "Never", "UTC", [[]] * 7)]))
    shift.arrive("ann")
    shift.seek("c1", hours="never")
    shift.pass_s(3 * 24 * HOUR_S)
    assert isinstance(shift.roster.held["c1"].phase, UntilOpen)


def test_the_last_agent_is_preferred_at_the_opening_too() -> None:
    """The preference outlasts the night."""
    shift = at(7, shop(ann=None, bob=None))
    shift.arrive("ann", "bob")
    shift.seek("c1", hours="shop", prefer="bob", reason="returned")
    shift.pass_s(HOUR_S)
    assert shift.asked("c1") == "bob"


def test_outside_their_own_hours_an_agent_is_away() -> None:
    """Colleagues see it, and nobody is put before them."""
    shift = at(7, shop(ann="shop", bob=None))
    shift.arrive("ann", "bob")
    shift.seek("c1")
    assert shift.asked("c1") == "bob"
    assert shift.rows[f"agent:{ACCOUNT}:ann"]["state"] == {"state": "away"}


def test_work_begins_and_ends_by_the_clock() -> None:
    """At the stroke of eight they are asked; at sixteen their open offers go on."""
    shift = at(7, shop(ann="shop", bob=None))
    shift.arrive("ann")
    shift.seek("c1")
    shift.pass_s(HOUR_S)
    assert shift.asked("c1") == "ann"
    shift.accept("c1")
    shift.pass_s(7.995 * HOUR_S)
    shift.seek("c2")
    assert shift.asked("c2") == "ann"
    shift.arrive("bob")
    shift.pass_s(19)
    assert (shift.talks("c1"), shift.asked("c2")) == ("ann", "bob")
    assert shift.rows[f"agent:{ACCOUNT}:ann"]["state"] == {"state": "away"}


def test_the_state_one_set_outlasts_working_hours() -> None:
    """Who went away by hand is not set available by the clock."""
    shift = at(7, shop(ann="shop"))
    shift.arrive("ann")
    shift.set_state("ann", "away")
    shift.pass_s(HOUR_S)
    assert shift.rows[f"agent:{ACCOUNT}:ann"]["state"] == {"state": "away"}
    shift.set_state("ann", "available")
    assert shift.rows[f"agent:{ACCOUNT}:ann"]["state"] == {"state": "available"}


def test_a_publish_may_send_an_agent_home() -> None:
    """Their open offers go on at once."""
    shift = at(9, shop(ann=None, bob=None))
    shift.arrive("ann", "bob")
    shift.seek("c1")
    late = account([agent("ann", hours="late"), agent("bob")], version=2, hours=[daily("late", 1_200, 1_260)])
    shift.publish(late)
    assert shift.asked("c1") == "bob"
    assert shift.rows[f"agent:{ACCOUNT}:ann"]["state"] == {"state": "away"}


def test_an_agent_may_go_offline() -> None:
    """As if not connected: seen so, and not asked; what they have stays theirs."""
    shift = at(9)
    shift.arrive("ann")
    shift.seek("c1")
    shift.accept("c1")
    shift.set_state("ann", "offline")
    shift.seek("c2")
    assert (shift.talks("c1"), shift.asked("c2")) == ("ann", None)
    assert shift.rows[f"agent:{ACCOUNT}:ann"]["state"] == {"state": "offline"}


def test_a_supervisor_sets_another_s_state() -> None:
    """Of an agent of an inbox they supervise; the log says who did."""
    staff = [agent("ann"), agent("bob"), agent("sue", role="supervisor")]
    shift = Shift(account(staff, side=["bob"]))
    shift.arrive("ann", "bob", "sue")
    assert shift.set_state("ann", "away", by="bob") == Refusal(Code.NOT_PERMITTED)
    (changed,) = shift.set_state("ann", "away", by="sue")
    assert (changed.why, changed.by, shift.roster.members["ann"].state) == ("supervisor", "sue", "away")
    assert shift.set_state("ann", "away", by="sue") == Already()


def test_a_supervisor_of_other_inboxes_sets_nobody_s_state() -> None:
    """They see none of these agents' conversations."""
    config = account([agent("ann"), agent("sue", role="supervisor")])
    apart = AccountConfig(
        config.account, config.name, 1, config.cell, config.id_key, [],
        [type(config.inboxes[0])(INBOX, "Support", agents=["ann"])], config.agents, config.rules, [],
    )  # fmt: skip
    shift = Shift(apart)
    shift.arrive("ann", "sue")
    assert shift.set_state("ann", "away", by="sue") == Refusal(Code.NOT_PERMITTED)
