"""Whose turn it is."""

from routing.core.ring import Ring


def ring(*agents: str) -> Ring:
    made = Ring()
    for agent in agents:
        made.join(agent)
    return made


def nobody(_: str) -> bool:
    return False


def test_agents_are_in_turn_in_the_order_of_joining() -> None:
    """The first who joined is the first in turn."""
    assert list(ring("b", "a", "c")) == ["b", "a", "c"]


def test_a_turn_sends_to_the_end() -> None:
    """Who used a turn is asked after everybody else."""
    three = ring("a", "b", "c")
    three.turn("a")
    assert list(three) == ["b", "c", "a"]


def test_who_was_asked_is_passed_over_and_keeps_the_turn() -> None:
    """Passing somebody over costs them nothing."""
    three = ring("a", "b", "c")
    assert three.first({"a"}.__contains__) == "b"
    three.turn("b")
    assert three.first(nobody) == "a"


def test_who_comes_back_after_a_turn_joins_at_the_end() -> None:
    """Newly eligible agents join at the end."""
    three = ring("a", "b", "c")
    three.leave("a")
    three.turn("b")
    three.join("a")
    assert list(three) == ["c", "b", "a"]


def test_a_lapse_between_two_turns_costs_nothing() -> None:
    """Who was ready at both decisions was ready all the time, as far as the ring can tell."""
    three = ring("a", "b", "c")
    three.leave("a")
    three.join("a")
    assert list(three) == ["a", "b", "c"]


def test_nobody_is_first_in_an_empty_ring() -> None:
    """A ring of nobody asks nobody."""
    assert ring().first(nobody) is None


def test_everybody_asked_leaves_nobody() -> None:
    """When all were asked there is no next."""
    assert ring("a", "b").first({"a", "b"}.__contains__) is None


def test_those_who_left_the_rule_are_forgotten() -> None:
    """A remembered place lasts only while the agent belongs to the rule."""
    two = ring("a", "b")
    two.leave("a")
    two.forget(["b"])
    two.join("a")
    assert list(two) == ["b", "a"]
