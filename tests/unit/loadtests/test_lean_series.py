"""A lean sender's frames: what comes back goes again in its order, and no more are under way than may be."""

import asyncio

import pytest

from loadtests.lean.frames import Heard
from loadtests.lean.series import Series


class Line:
    """What was put on it, by number."""

    def __init__(self, window: int = 4) -> None:
        self.put: list[int] = []
        self.series = Series(
            lambda n: n.to_bytes(4, "big"), lambda raw: self.put.append(int.from_bytes(raw, "big")), window
        )

    def refuse(self, n: int, expected: int, code: str = "overloaded") -> None:
        self.series.refused(Heard("refused", n=n, expected=expected, code=code))


async def test_no_more_than_the_window_is_under_way() -> None:
    """The others go as outcomes make room, in order."""
    line = Line(window=2)
    for _ in range(4):
        line.series.ask(0.0)
    assert line.put == [1, 2]
    line.series.acked(1)
    assert line.put == [1, 2, 3]
    line.series.acked(2)
    line.series.acked(3)
    line.series.acked(4)
    assert (line.put, line.series.unsettled) == ([1, 2, 3, 4], 0)


async def test_what_came_back_goes_again_the_first_alone() -> None:
    """All behind a refused frame come back too; then one goes, and the rest after its outcome (SPEC 5.2)."""
    line = Line()
    for _ in range(3):
        line.series.ask(0.0)
    line.put.clear()
    line.refuse(1, 1)
    line.series.ask(0.0)
    line.refuse(2, 1, "out_of_order")
    assert line.put == []
    line.refuse(3, 1, "out_of_order")
    await asyncio.sleep(0.01)
    assert line.put == [1]
    line.series.acked(1)
    assert line.put == [1, 2, 3, 4]


async def test_the_first_goes_again_when_the_longest_wait_is_over() -> None:
    """Those behind a frame that has to wait are refused without a time of their own."""
    line = Line()
    line.series.ask(0.0)
    line.series.ask(0.0)
    line.put.clear()
    line.series.refused(Heard("refused", n=1, expected=1, code="overloaded", retry_after_ms=60_000))
    line.refuse(2, 1, "out_of_order")
    await asyncio.sleep(0.01)
    assert line.put == []


async def test_a_new_line_gets_what_has_no_outcome() -> None:
    """With the same numbers, once each; nothing is sent while there is none."""
    line = Line()
    line.series.ask(0.0)
    line.series.ask(0.0)
    line.series.acked(1)
    line.series.lost()
    line.series.ask(0.0)
    assert line.put == [1, 2]
    line.series.resumed()
    assert line.put == [1, 2, 2, 3]


async def test_an_outcome_that_is_told_again_changes_nothing() -> None:
    """After a line was lost the server may repeat itself; a number that was left out is another matter."""
    line = Line()
    line.series.ask(0.0)
    line.series.ask(0.0)
    line.series.acked(1)
    line.series.acked(1)
    assert (line.series.done, line.series.out_of_order) == (1, 0)
    line.series.acked(3)
    assert line.series.out_of_order == 1


async def test_a_refusal_for_good_is_an_outcome() -> None:
    """It used up its number, and nobody will read it."""
    line = Line()
    line.series.ask(0.0)
    line.refuse(1, 0, "blocked")
    assert (line.series.declined, line.series.done) == ([1], 1)


@pytest.mark.parametrize("asked", [5, 9])
async def test_who_gives_up_forgets_only_what_was_never_sent(asked: int) -> None:
    """What is on the line still gets its outcome."""
    line = Line(window=4)
    for _ in range(asked):
        line.series.ask(0.0)
    assert line.series.give_up() == asked - 4
    assert line.series.unsettled == 4
