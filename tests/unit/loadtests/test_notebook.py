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
    assert noted(told.Asked(10.0, "i1"), sent, acked(31.0)).longest_pause_s == 21.0


def test_what_is_acknowledged_again_was_not_waited_for() -> None:
    """After a data loss a client offers what it has an outcome of."""
    assert noted(told.Asked(10.0, "i1"), acked(11.0), acked(1_100.0)).longest_pause_s == 1.0


def test_a_refusal_ends_a_wait_if_it_is_the_outcome() -> None:
    """One that asks for the same frame again does not."""
    facts = [told.Asked(10.0, "i1"), refused(11.0, "overloaded", 1), refused(14.0, "conversation_closed", 0)]
    assert noted(*facts).longest_pause_s == 4.0
