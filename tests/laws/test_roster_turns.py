"""The law of turns itself, and that the test which watches it can fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.bus.config import Rule
from routing.core.ring import Ring
from tests.kit.shift import INBOX, RULE, Shift, account, agent
from tests.kit.turns import Turns

AGENTS = ["ann", "bob", "eva", "kim", "ola"]
moves = st.lists(
    st.tuples(st.sampled_from(["come", "go", "decide", "decide", "decide"]), st.sampled_from(AGENTS), st.booleans()),
    max_size=120,
)


@given(moves=moves)
def test_turns_differ_by_at_most_one(moves: list[tuple[str, str, bool]]) -> None:
    """Whoever comes and goes and declines, those eligible at every decision of a window get the same number of turns."""
    ring, law = Ring(), Turns()
    for move, who, declined in moves:
        if move == "come" and who not in ring:
            ring.join(who)
        elif move == "go" and who in ring:
            ring.leave(who)
        elif move == "decide":
            able = [one for one in ring if not (declined and one == who)]
            chosen = ring.first(lambda one, able=able: one not in able)  # type: ignore[misc]
            if chosen is not None:
                law.used(chosen, able)
                ring.turn(chosen)


def test_two_turns_in_a_row_break_the_law() -> None:
    """The watcher notices an agent who is passed over."""
    law = Turns()
    law.used("ann", ["ann", "bob"])
    with pytest.raises(AssertionError, match="2 turns apart"):
        law.used("ann", ["ann", "bob"])


def test_a_window_ends_when_somebody_was_not_eligible() -> None:
    """What happened while one of two was away is not held against the ring."""
    law = Turns()
    law.used("ann", ["ann", "bob"])
    law.used("ann", ["ann"])
    law.used("ann", ["ann", "bob"])


@given(count=st.integers(1, 9), conversations=st.integers(0, 30))
def test_a_full_house_shares_evenly(count: int, conversations: int) -> None:
    """Agents who are there all the time and always have room get the same number of conversations, give or take one."""
    staff = [agent(f"a{number}", capacity=100) for number in range(count)]
    shift = Shift(account(staff, rules=[Rule(RULE, INBOX, "Auto", auto_accept=True)]))
    shift.arrive(*(one.id for one in staff))
    shift.seek(*(f"c{number}" for number in range(conversations)))
    loads = [member.load for member in shift.roster.members.values()]
    assert sum(loads) == conversations
    assert max(loads) - min(loads) <= 1
