"""The numbering of frames, as one session sees it."""

import pytest

from gateway.core.flow import MAX_SERIES, Flow, No, is_past
from protocol.bus.records import Outcome
from protocol.ids import DeviceId
from protocol.wire.codes import Code


def outcome(n: int, frame_id: str, code: str = "", expected: int = 0) -> Outcome:
    return Outcome("ses_1", DeviceId("dev_1"), n, frame_id, code, expected=expected)


def test_after_a_refusal_nothing_above_it_passes() -> None:
    """What follows a refused frame is refused with its n, until that comes again."""
    flow = Flow()
    flow.refuse("cnv_1", No(Code.RATE_LIMITED, 3))
    assert flow.check("cnv_1", 4, "d") == No(Code.OUT_OF_ORDER, 3)
    assert flow.check("cnv_1", 3, "c") is None
    flow.take("cnv_1", 3, "c")
    assert flow.check("cnv_1", 4, "d") is None


def test_a_retry_below_the_refused_n_passes_and_leaves_the_place() -> None:
    """A retry is for the ledger to judge."""
    flow = Flow()
    flow.refuse("cnv_1", No(Code.RATE_LIMITED, 3))
    assert flow.check("cnv_1", 2, "b") is None
    flow.take("cnv_1", 2, "b")
    assert flow.check("cnv_1", 4, "d") == No(Code.OUT_OF_ORDER, 3)


def test_of_two_refusals_the_lower_place_is_kept() -> None:
    """A later refusal of a lower n does not let frames between them pass."""
    flow = Flow()
    flow.refuse("cnv_1", No(Code.RATE_LIMITED, 2))
    flow.refuse("cnv_1", No(Code.MALFORMED, 5))
    assert flow.check("cnv_1", 4, "d") == No(Code.OUT_OF_ORDER, 2)


def test_series_do_not_hold_each_other_up() -> None:
    """A refusal in one conversation says nothing about another."""
    flow = Flow()
    flow.refuse("cnv_1", No(Code.RATE_LIMITED, 3))
    assert flow.check("cnv_2", 4, "d") is None


def test_at_most_32_frames_of_a_series_are_under_way() -> None:
    """The 33rd is refused, and passes when one of them has its outcome."""
    flow = Flow()
    for n in range(1, 33):
        assert flow.check("cnv_1", n, f"id{n}") is None
        flow.take("cnv_1", n, f"id{n}")
    assert flow.check("cnv_1", 33, "late") == No(Code.TOO_MANY_UNRESOLVED, 33)
    flow.resolve("cnv_1", outcome(1, "id1"))
    assert flow.check("cnv_1", 33, "late") is None


def test_a_numbering_refusal_resolves_only_its_own_n() -> None:
    """The same id under its new n is still under way."""
    flow = Flow()
    flow.take("cnv_1", 2, "b")
    flow.take("cnv_1", 5, "b")
    flow.resolve("cnv_1", outcome(2, "b", "n_conflict", expected=5))
    assert not flow.is_asked("cnv_1", 2, "b")
    assert flow.is_asked("cnv_1", 5, "b")


def test_an_outcome_resolves_its_id_whatever_its_n() -> None:
    """A recorded outcome names the n that was taken, not the one that was asked."""
    flow = Flow()
    flow.take("cnv_1", 5, "b")
    flow.resolve("cnv_1", outcome(2, "b"))
    assert not flow.is_asked("cnv_1", 5, "b")


def test_the_ledgers_word_replaces_ours() -> None:
    """After a numbering refusal from the engine, the place kept here is void."""
    flow = Flow()
    flow.take("cnv_1", 1, "a")
    flow.refuse("cnv_1", No(Code.RATE_LIMITED, 2))
    flow.resolve("cnv_1", outcome(1, "a", "n_conflict", expected=8))
    assert flow.check("cnv_1", 8, "a") is None


def test_places_of_endless_series_are_forgotten_oldest_first() -> None:
    """A peer that names ever new conversations costs a bounded memory."""
    flow = Flow()
    for number in range(MAX_SERIES + 1):
        flow.refuse(f"cnv_{number}", No(Code.MALFORMED, 1))
    assert flow.check("cnv_0", 2, "x") is None
    assert flow.check("cnv_1", 2, "x") == No(Code.OUT_OF_ORDER, 1)


@pytest.mark.parametrize(
    ("cursor", "entry", "index", "past"),
    [
        ("5-0:2", "5-0", 1, True),
        ("5-0:1", "5-0", 1, False),
        ("5-1:1", "5-0", 7, True),
        ("10-0:1", "9-5", 0, True),
        ("9-5:1", "10-0", 0, False),
        ("0-0:0", "1-0", 0, False),
    ],
)
def test_a_command_is_past_once_the_cursor_counts_it(cursor: str, entry: str, index: int, past: bool) -> None:
    """Entries are compared as numbers, and inside an entry by the commands decided."""
    assert is_past(cursor, entry, index) is past
