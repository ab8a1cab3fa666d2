"""Commits as rows."""

import pytest

from protocol.bus.records import Commit, StateRow
from protocol.ids import CellName
from store.sql.bulk import Row
from store.sql.queries import rows
from tests.kit.commits import ACCOUNT, NOW_MS, commit, conversation, handed_on, outcome, said, state, visitor_state

CELL = CellName("c00")
ONE = conversation(1)


def events(commits: list[Commit]) -> list[Row]:
    return [dict(zip(rows.EVENT, values, strict=True)) for values in rows.events(commits)]


def test_an_entry_shows_its_kind_role_and_time() -> None:
    """What erasure must keep of an entry has columns of its own."""
    [first, second] = events([commit(1, events=[said(ONE, 1), handed_on(ONE, 2)])])
    assert (first["kind"], first["role"], first["at_ms"]) == ("message", "visitor", NOW_MS)
    assert (second["kind"], second["role"]) == ("transferred", "agent")


def test_only_closed_conversations_have_a_time_of_closing() -> None:
    """It is that of the commit."""
    [row] = rows.states(CELL, [commit(1, states=[state(ONE, 1, status="closed")])]).conversations
    assert row["closed_at_ms"] == NOW_MS + 1
    [row] = rows.states(CELL, [commit(1, states=[state(ONE, 1)])]).conversations
    assert row["closed_at_ms"] is None


def test_an_eviction_after_a_state_leaves_the_state() -> None:
    """State b"" is no state."""
    gone = StateRow("visitor", "vis_1", ACCOUNT, 0, b"")
    found = rows.states(CELL, [commit(1, states=[visitor_state()]), commit(2, states=[gone])])
    assert [row["commit_no"] for row in found.visitors] == [1]


def test_a_state_of_unknown_kind_is_a_bug() -> None:
    """Nothing is dropped silently."""
    with pytest.raises(AssertionError, match="unknown kind moon"):
        rows.states(CELL, [commit(1, states=[StateRow("moon", "x", ACCOUNT, 0, b"x")])])


def test_slots_repeat_after_thirty_two() -> None:
    """The last outcome of a slot wins; other devices have slots of their own."""
    found = rows.ledger(CELL, [commit(1, ledger=[outcome(ONE, 1), outcome(ONE, 33), outcome(ONE, 2)])])
    assert [(row["slot"], row["n"]) for row in found] == [(1, 33), (2, 2)]
