"""What is remembered for a second is what the hours say."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import clock
from protocol.bus import availability
from protocol.bus.chatflow import Availability
from protocol.bus.hours import Hours, Interval
from protocol.ids import HoursId
from tests.kit.workplace import OPEN, chatflow, workplace

NIGHTS = Hours(HoursId("hrs"), "Nights", "Europe/Oslo", [[Interval(0, 180), Interval(1_380, 1_440)]] * 7)
CONFIG = msgspec.structs.replace(workplace(), hours=[NIGHTS])
FLOW = chatflow(OPEN, availability=Availability("office_hours", NIGHTS.id))
DST_MS = 1_743_292_800_000  # 30 March 2025, when Oslo's clocks move: a day around it


@given(st.integers(DST_MS - 86_400_000, DST_MS + 86_400_000))
def test_a_second_has_one_answer(at_ms: int) -> None:
    """Openings and closings fall on whole minutes, on the night of daylight saving too."""
    assert clock.is_away(CONFIG, FLOW, at_ms, ready=False) == availability.is_away(CONFIG, FLOW, at_ms, ready=False)
    if clock.is_away(CONFIG, FLOW, at_ms, ready=False):
        assert clock.opens_at_ms(CONFIG, FLOW, at_ms) == availability.opens_at_ms(CONFIG, FLOW, at_ms)


@given(st.integers(DST_MS - 86_400_000, DST_MS + 86_400_000))
def test_between_two_changes_nothing_changes(at_ms: int) -> None:
    """A phone that is woken then has missed nothing, and finds it changed."""
    change_ms = clock.next_change_ms(CONFIG, FLOW, at_ms)
    assert change_ms is not None
    assert change_ms > at_ms
    now, before, after = (clock.is_away(CONFIG, FLOW, ms, ready=False) for ms in (at_ms, change_ms - 1, change_ms))
    assert (now, not now) == (before, after)


@pytest.mark.parametrize("kind", ["always", "agents_available"])
def test_without_a_schedule_the_clock_changes_nothing(kind: str) -> None:
    """Nobody is woken for nothing."""
    flow = chatflow(OPEN, availability=Availability(kind))  # type: ignore[arg-type]
    assert clock.next_change_ms(CONFIG, flow, DST_MS) is None
    assert clock.next_change_ms(CONFIG, None, DST_MS) is None
