"""What the notebook of a chaos run counts."""

import samtale.journal as told

from loadtests.chaos.journal import Notebook

FRAME = ("cnv", "dev", 1, "i1")


def noted(*facts: told.Fact) -> Notebook:
    notebook = Notebook()
    note = notebook.for_client("kari", "nord")
    for fact in facts:
        note(fact)
    return notebook


def acked(t: float) -> told.Acked:
    return told.Acked(t, *FRAME, 1, "1.1.0")


def refused(t: float, code: str, expected: int) -> told.Refused:
    return told.Refused(t, *FRAME, code, expected)


def test_a_wait_begins_when_it_is_asked() -> None:
    """Whoever has no line waits as well."""
    sent = told.Sent(30.0, *FRAME, "send", "digest")
    assert noted(told.Asked(10.0, "i1"), sent, acked(31.0)).waits.longest.all_s == 21.0


def test_what_is_acknowledged_again_was_not_waited_for() -> None:
    """After a data loss a client offers what it has an outcome of."""
    assert noted(told.Asked(10.0, "i1"), acked(11.0), acked(1_100.0)).waits.longest.all_s == 1.0


def test_a_refusal_ends_a_wait_if_it_is_the_outcome() -> None:
    """One that asks for the same frame again does not."""
    facts = [told.Asked(10.0, "i1"), refused(11.0, "overloaded", 1), refused(14.0, "conversation_closed", 0)]
    assert noted(*facts).waits.longest.all_s == 4.0


def test_a_wait_without_a_line_is_told_apart() -> None:
    """Of what was asked before the first line, and waited through a second outage: how long nothing could be heard."""
    before, lost = told.Opened(12.0, "kari", "dev", 1), told.Closed(15.0, 1006)
    again, after = told.Closed(17.0, 1006), told.Opened(20.0, "kari", "dev", 1)
    waits = noted(told.Asked(10.0, "i1"), before, lost, again, after, acked(21.0)).waits
    assert (waits.longest.all_s, waits.longest.offline_s, waits.longest_online_s) == (11.0, 7.0, 4.0)


def test_an_outage_before_the_asking_is_no_part_of_the_wait() -> None:
    """Only what a frame itself sat through counts."""
    waits = noted(told.Closed(1.0, 1006), told.Opened(9.0, "kari", "dev", 1), told.Asked(10.0, "i1"), acked(11.0)).waits
    assert (waits.longest.all_s, waits.longest.offline_s) == (1.0, 0.0)
