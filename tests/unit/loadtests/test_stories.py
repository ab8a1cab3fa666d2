"""A reader's story is right only if it is 1, 2, 3 … to the last: each way of going wrong is counted as what it is."""

from collections.abc import Iterable

import pytest

from loadtests.checker.stories import Reader, Verdict


def told(numbers: Iterable[int], sent: int) -> Verdict:
    reader = Reader()
    for number in numbers:
        reader.take(number)
    return reader.verdict(sent)


def test_everything_once_and_in_order_holds() -> None:
    """Nothing to complain of."""
    assert told([1, 2, 3], 3) == Verdict(sent=3)
    assert told([1, 2, 3], 3).holds


@pytest.mark.parametrize(
    ("numbers", "sent", "expected"),
    [
        ([1, 2], 3, Verdict(3, lost=1)),
        ([1, 3], 3, Verdict(3, lost=1)),
        ([1, 2, 2, 3], 3, Verdict(3, duplicated=1)),
        ([1, 3, 3, 2], 3, Verdict(3, duplicated=1, out_of_order=1)),
        ([2, 1, 3], 3, Verdict(3, out_of_order=1)),
        ([3, 1, 2], 3, Verdict(3, out_of_order=2)),
        ([], 2, Verdict(2, lost=2)),
    ],
)
def test_each_fault_is_counted_as_what_it_is(numbers: list[int], sent: int, expected: Verdict) -> None:
    """Lost, duplicated and out of order are told apart, and none of them holds."""
    assert told(numbers, sent) == expected
    assert not expected.holds


def test_a_refusal_breaks_the_verdict() -> None:
    """A driver asks nothing that may be refused."""
    assert not Verdict(sent=1, refused=1).holds


def test_verdicts_add_up() -> None:
    """Readers are judged one by one and told together."""
    assert Verdict(1, 2, 3, 4, 5) + Verdict(10, 20, 30, 40, 50) == Verdict(11, 22, 33, 44, 55)
