"""How far caution goes."""

import pytest

from engine.runtime.inbox import Entry
from engine.runtime.poison import Caution


def caution(until: str | None = "9-0", trying: str = "", tries: int = 0) -> Caution:
    return Caution(until, trying, tries)


def test_caution_ends_where_the_inbox_ended() -> None:
    """Entries that came later are decided in batches again."""
    careful = caution("9-5")
    assert careful.concerns(Entry("9-5", []))
    assert not careful.concerns(Entry("10-0", []))
    assert careful.until is None


def test_the_named_command_is_always_met_with_care() -> None:
    """An owner that begins without care still knows the command its predecessors died over."""
    careful = caution(None, "7-0:2", 1)
    assert not careful.concerns(Entry("7-0", [], 1))
    assert careful.concerns(Entry("7-0", [], 2))


def test_tries_of_one_command_are_counted() -> None:
    """Each careful owner that comes to it adds one; another command begins at one."""
    careful = caution(trying="7-0:0", tries=1)
    assert careful.dare(Entry("7-0", []))
    assert (careful.trying, careful.tries) == ("7-0:0", 2)
    assert careful.dare(Entry("8-0", []))
    assert (careful.trying, careful.tries) == ("8-0:0", 1)


@pytest.mark.parametrize(("trying", "tries", "dares"), [("7-0:0", 2, False), ("7-0:0", 1, True), ("6-0:0", 9, True)])
def test_two_careful_owners_are_enough(trying: str, tries: int, dares: bool) -> None:
    """The third leaves the command alone; another command begins at one."""
    assert caution(trying=trying, tries=tries).dare(Entry("7-0", [])) is dares


def test_a_try_that_a_lost_line_ended_does_not_count() -> None:
    """Nor for who takes the cell again in the same process; another command's tries are its own."""
    entry, other = Entry("7-0", []), Entry("8-0", [])
    careful = caution(trying="7-0:0", tries=1)
    assert careful.dare(entry)
    careful.spare(entry)
    again = Caution("9-0", "7-0:0", 2, spared=careful.spared)
    assert again.dare(entry)
    assert not again.dare(entry)
    assert not Caution("9-0", "8-0:0", 2, spared=careful.spared).dare(other)
