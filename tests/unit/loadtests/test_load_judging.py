"""A run's verdict: wrong journals, stories and records fed to it are each found, and counted as what they are."""

import pytest

from loadtests.chaos.evidence import NotQuiet
from loadtests.checker.history import (
    Acked,
    ClientFact,
    Decision,
    Entry,
    History,
    Leak,
    Misserved,
    Raised,
    Seen,
    Sent,
    Waited,
)
from loadtests.checker.stories import Story
from loadtests.load.judging import judged
from loadtests.load.outcome import Outcome
from loadtests.load.results import Judgement

C = "cnv"
COUNTS = (
    "lost", "duplicated", "out_of_order", "gaps", "two_assignees", "over_capacity", "stored_before_consent", "others",
)  # fmt: skip


def sent(n: int, t: float | None = None) -> Sent:
    return Sent(float(n) if t is None else t, "v", "acc", C, "dev", n, f"f{n}", f"d{n}")


def acked(n: int, seq: int = 0) -> Acked:
    seq = seq or n
    return Acked(n + 0.5, "v", "acc", C, "dev", n, f"f{n}", seq, f"1.{seq}.0")


def seen(n: int) -> Seen:
    return Seen(n + 0.6, "a", "acc", C, n, f"1.{n}.0", "message", f"d{n}")


def message(n: int, seq: int | None = None, id_: str = "") -> Entry:
    seq = n if seq is None else seq
    return Entry("acc", C, seq, f"1.{seq}.0", "message", f"d{n}", "dev", n, id_ or f"f{n}", role="visitor")


def assigned(seq: int, agent: str) -> Entry:
    return Entry("acc", C, seq, f"1.{seq}.0", "assigned", "d", agent=agent)


def run(facts: list[ClientFact], entries: list[Entry], found: Outcome | None = None, **more: object) -> Judgement:
    history = History(facts=facts, entries=entries)
    for name, value in more.items():
        setattr(history, name, value)
    return judged(found or Outcome(sessions=2), history)


def wrong(judgement: Judgement) -> set[str]:
    assert judgement.is_good == (not any(getattr(judgement, name) for name in COUNTS))
    return {name for name in COUNTS if getattr(judgement, name)}


def test_a_whole_story_is_good() -> None:
    """Sent, acknowledged, kept and seen: nothing to complain of, and it says how much was looked at."""
    judgement = run([sent(1), acked(1), seen(1)], [message(1)])
    assert judgement == Judgement(sessions=2, messages=1)
    assert judgement.is_good


@pytest.mark.parametrize(
    ("facts", "entries", "expected"),
    [
        ([sent(1), acked(1), sent(2), acked(2)], [message(1)], {"lost"}),
        ([sent(1), Waited(9.0, "v", "acc", C, "f1", 30.0)], [], {"lost"}),
        ([sent(1)], [message(1), message(1, seq=2)], {"duplicated"}),
        ([sent(1), acked(1, seq=2), sent(2, t=3.0), acked(2, seq=1)], [message(2, seq=1), message(1, seq=2)], {"out_of_order"}),
        ([sent(1), sent(2), seen(2)], [message(1), message(2)], {"gaps"}),
        ([], [assigned(1, "kari"), assigned(2, "per")], {"two_assignees"}),
        ([sent(1), seen(7)], [message(1)], {"gaps", "others"}),
    ],
)  # fmt: skip
def test_a_wrong_journal_is_found(facts: list[ClientFact], entries: list[Entry], expected: set[str]) -> None:
    """Lost, waited for, doubled, moved, skipped, given to two, invented."""
    judgement = run(facts, entries)
    assert wrong(judgement) >= expected
    assert judgement.examples


def test_what_stores_hold_wrongly_is_found() -> None:
    """An agent above capacity, a text stored before consent, a decider that raised, a line served with a gap."""
    assert wrong(run([], [], decisions=[Decision("acc", 1, "kari", 3, 2, by_routing=True)])) == {"over_capacity"}
    assert wrong(run([], [], leaks=[Leak("text", "record.db")])) == {"stored_before_consent"}
    assert wrong(run([], [], raised=[Raised("engine-1.log", "conversation parked")])) == {"others"}
    assert wrong(run([], [], misserved=[Misserved("v", C, "3 was sent after 1")])) == {"gaps"}


def test_a_record_that_does_not_catch_up_is_no_good_run() -> None:
    """What SQL never got may be lost."""
    assert wrong(judged(Outcome(), History(), [NotQuiet("SQL does not catch up with c00")])) == {"lost"}


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (Story("the agent", C, due=3, read=2), {"lost"}),
        (Story("the agent", C, due=3, read=4), {"duplicated"}),
        (Story("the agent", C, due=3, read=3, duplicated=1), {"duplicated"}),
        (Story("the agent", C, due=3, read=3, out_of_order=1), {"out_of_order"}),
        (Story("the agent", C, due=3, read=3, gaps=1), {"gaps"}),
        (Story("the agent", C, due=3, read=3), set()),
    ],
)
def test_a_lean_reader_with_a_wrong_story_is_found(story: Story, expected: set[str]) -> None:
    """Each way of going wrong is counted as what it is."""
    assert wrong(run([], [], Outcome(stories=[story]))) == expected


def test_what_was_acknowledged_to_a_lean_sender_must_be_in_the_record() -> None:
    """Two acknowledged, one kept: one is lost, whatever readers were shown."""
    found = Outcome(stories=[Story("sender", C, due=2, read=2)])
    assert wrong(run([], [message(1)], found)) == {"lost"}
    assert wrong(run([], [message(1), message(2)], found)) == set()
