"""Places in line, and how they are told."""

import pytest

from protocol.bus.config import Rule
from routing.core.lines import shown
from routing.core.queue import Sorted
from tests.kit.shift import INBOX, RULE, Shift, account, agent


@pytest.mark.parametrize(
    ("place", "told"), [(1, 1), (10, 10), (11, 15), (15, 15), (50, 50), (51, 60), (200, 200), (201, 300), (301, 400)]
)
def test_places_beyond_ten_are_rounded_up(place: int, told: int) -> None:
    """The first ten are exact; nobody is told a better place than they have."""
    assert shown(place) == told


def test_the_place_is_those_ahead_plus_one() -> None:
    """A rank's place counts only what sorts before it."""
    line = Sorted()
    for rank in [(-1, 30, 3, "c"), (-1, 10, 1, "a"), (-1, 20, 2, "b")]:
        line.add(rank)
    assert [line.place(rank) for rank in line.ranks] == [1, 2, 3]
    line.remove((-1, 10, 1, "a"))
    assert line.place((-1, 30, 3, "c")) == 2


def test_the_place_is_told_at_once() -> None:
    """Who joins the line hears their place in the same step."""
    shift = Shift(account([agent("ann")]))
    shift.seek("c1", "c2")
    assert [(conversation, place) for _, conversation, place, _ in shift.places] == [("c1", 1), ("c2", 2)]


def test_a_better_place_is_told_when_somebody_ahead_leaves() -> None:
    """Everybody behind hears it, at most ten seconds after they last heard."""
    shift = Shift(account([agent("ann")]))
    shift.seek("c1", "c2", "c3")
    shift.places.clear()
    shift.pass_s(20)
    shift.release("c1")
    shift.pass_s(1)
    assert [told[1:] for told in shift.places] == [("c2", 1, True), ("c3", 2, True)]


def test_places_are_told_at_most_once_in_ten_seconds() -> None:
    """Many changes at once are one thing to tell."""
    shift = Shift(account([agent("ann")]))
    shift.seek("c1", "c2", "c3", "c4")
    shift.places.clear()
    for gone in ["c1", "c2", "c3"]:
        shift.release(gone)
    shift.pass_s(30)
    assert [(conversation, place) for _, conversation, place, _ in shift.places] == [("c4", 1)]


def test_a_place_beyond_ten_says_that_it_is_rounded() -> None:
    """The eleventh is told fifteen, and that it is not exact."""
    shift = Shift(account([agent("ann")]))
    shift.seek(*(f"c{number}" for number in range(11)))
    assert shift.places[-1][2:] == (15, False)


def test_an_offer_does_not_cost_the_place() -> None:
    """Being put before an agent who lets it expire leaves the visitor first in line."""
    shift = Shift(account([agent("ann", capacity=1)]))
    shift.arrive("ann")
    shift.seek("c1", "c2")
    shift.pass_s(31)
    line = shift.roster.lines[RULE]
    assert [conversation for _, _, _, conversation in line.everyone.ranks] == ["c1", "c2"]


def test_who_returns_to_the_line_keeps_the_place_by_age() -> None:
    """A conversation that waited since earlier stands before those who came later."""
    shift = Shift(account([agent("ann")]))
    shift.seek("new")
    shift.seek("old", since_ms=1, reason="agent_lost")
    assert shift.places[-1][1:3] == ("old", 1)
    shift.pass_s(11)
    assert shift.places[-1][1:3] == ("new", 2)


def test_who_is_not_assigned_in_the_same_step_after_all_is_told_the_place() -> None:
    """The only one ready is the one who just left it unanswered."""
    shift = Shift(account([agent("ann")], rules=[Rule(RULE, INBOX, "Auto", auto_accept=True)]))
    shift.arrive("ann")
    shift.seek("c1", reason="no_reply", avoid="ann")
    shift.pass_s(1)
    assert [told[1:3] for told in shift.places] == [("c1", 1)]


def test_nobody_is_told_a_place_when_assigned_in_the_same_step() -> None:
    """With auto-accept and somebody ready there is no waiting to tell of."""
    shift = Shift(account([agent("ann")], rules=[Rule(RULE, INBOX, "Auto", auto_accept=True)]))
    shift.arrive("ann")
    shift.seek("c1")
    assert shift.talks("c1") == "ann"
    assert shift.places == []
