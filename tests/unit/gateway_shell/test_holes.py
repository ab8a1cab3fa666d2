"""Where a log lacks an entry, and what is put there."""

import pytest

from gateway.holes import filled, holes
from protocol.bus.topics import Hint


def entries(*seqs: int) -> list[Hint]:
    return [Hint(seq, f"1.{seq}.0", b"") for seq in seqs]


@pytest.mark.parametrize(
    ("there", "span", "missing"),
    [
        ((1, 2, 3), (1, 3), []),
        ((1, 3), (1, 3), [2]),
        ((2, 3), (1, 3), [1]),
        ((1, 2), (1, 3), [3]),
        ((1,), (2, 2), [2]),
        ((), (1, 0), []),
    ],
)
def test_holes_are_what_the_span_lacks(there: tuple[int, ...], span: tuple[int, int], missing: list[int]) -> None:
    """At its ends and inside; entries outside of it fill none."""
    assert holes(entries(*there), *span) == missing


def test_tombstones_stand_in_their_places() -> None:
    """In the order of seq."""
    assert [entry.seq for entry in filled(entries(1, 3, 5), entries(2, 4))] == [1, 2, 3, 4, 5]
