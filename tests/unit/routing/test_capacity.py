"""What counts for an agent's capacity, and what does not."""

from protocol.bus.decisions import Refusal
from protocol.wire.codes import Code
from tests.kit.shift import Shift, account, agent


def full() -> Shift:
    """Return a shift of ann, who has two conversations and room for two; a third waits."""
    shift = Shift(account([agent("ann")]))
    shift.arrive("ann")
    shift.seek("c1", "c2", "c3")
    shift.accept("c1")
    shift.accept("c2")
    return shift


def test_a_conversation_that_does_not_count_makes_room() -> None:
    """Snoozed, or the visitor has been silent: the next is offered at once."""
    shift = full()
    assert shift.asked("c3") is None
    shift.weigh("c1", counts=False)
    assert (shift.asked("c3"), shift.talks("c1")) == ("ann", "ann")


def test_a_return_may_lift_the_count_above_the_cap() -> None:
    """It stays with its agent, and blocks new ones."""
    shift = full()
    shift.weigh("c1", counts=False)
    shift.accept("c3")
    shift.weigh("c1", counts=True)
    assert (shift.roster.members["ann"].load, shift.talks("c1")) == (3, "ann")
    shift.seek("c4")
    shift.release("c2")
    assert shift.asked("c4") is None
    shift.release("c3")
    assert shift.asked("c4") == "ann"


def test_what_is_handed_on_counts_again() -> None:
    """Whoever has it new has not answered yet."""
    shift = Shift(account([agent("ann"), agent("bob", capacity=1)]))
    shift.arrive("ann")
    shift.seek("c1")
    shift.accept("c1")
    shift.weigh("c1", counts=False)
    shift.arrive("bob")
    shift.transfer("ann", "c1", "bob")
    assert (shift.roster.members["ann"].load, shift.roster.members["bob"].load) == (0, 1)


def test_whoever_is_assigned_again_counts_again() -> None:
    """A new search is for somebody who has to answer."""
    shift = full()
    shift.weigh("c1", counts=False)
    shift.decline("c3")
    shift.seek("c1", reason="agent_lost")
    shift.accept("c1")
    assert shift.roster.members["ann"].load == 2


def test_a_lowered_cap_takes_nothing_away_and_blocks_new_ones() -> None:
    """The configuration is live at once."""
    shift = full()
    shift.publish(account([agent("ann", capacity=1)], version=2))
    shift.release("c1")
    assert (shift.talks("c2"), shift.asked("c3")) == ("ann", None)
    shift.release("c2")
    assert shift.asked("c3") == "ann"


def test_a_raised_capacity_has_the_queue_looked_at_at_once() -> None:
    """Nobody waits for another change."""
    shift = full()
    shift.publish(account([agent("ann", capacity=3)], version=2))
    assert shift.asked("c3") == "ann"


def test_a_claim_at_capacity_is_refused_whatever_is_silent() -> None:
    """Only what counts is counted, for claims too."""
    shift = full()
    assert shift.claim("ann", "c3") == Refusal(Code.AT_CAPACITY)
    shift.set_state("ann", "away")
    shift.weigh("c1", counts=False)
    shift.claim("ann", "c3")
    assert shift.talks("c3") == "ann"


def test_what_nobody_holds_has_no_weight() -> None:
    """The word comes too late: nothing happens."""
    shift = full()
    assert shift.weigh("c9", counts=False) == []
    assert shift.weigh("c1", counts=True) == []
