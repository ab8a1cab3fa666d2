"""What `ready` shows of conversations, and which one is addressed."""

from typing import Any

import pytest

from gateway.core.views import Standing, address, conversation_views, own_conversations
from protocol.bus.records import CurrentConversation
from protocol.ids import ConversationId
from tests.kit.workplace import ASKS, OPEN, chatflow, conversation, record, workplace
from tests.unit.gateway.sessions import head

FIRST, SECOND = conversation(OPEN, 1), conversation(OPEN, 2)

GOING_ON: Any = {OPEN: CurrentConversation(FIRST, 1, None, 3_600)}


def current(closed_at_ms: int | None = None) -> CurrentConversation:
    return CurrentConversation(FIRST, 1, closed_at_ms, 3_600)


@pytest.mark.parametrize(
    ("conversations", "addressed"),
    [
        ({}, FIRST),
        ({OPEN: current()}, FIRST),
        ({OPEN: current(closed_at_ms=0)}, FIRST),
        ({OPEN: current(closed_at_ms=-1)}, SECOND),
    ],
)
def test_the_conversation_to_address(conversations: Any, addressed: ConversationId) -> None:
    """None yet, one that goes on, one that can be reopened at the last moment, and one that is over."""
    assert address(workplace(), chatflow(OPEN), record(**conversations), at_ms=3_600_000) == addressed


def test_conversations_that_go_on_under_other_chatflows_are_named_too() -> None:
    """What was begun before another chatflow was served is not lost."""
    own = own_conversations(workplace(), chatflow(ASKS), record(**GOING_ON), at_ms=0)
    assert own == {FIRST: OPEN, conversation(ASKS): ASKS}


@pytest.mark.parametrize(("until_ms", "named"), [(3_600_002, True), (3_600_001, False)])
def test_a_conversation_that_asks_how_it_went_is_named_until_the_survey_is_over(until_ms: int, named: bool) -> None:
    """Its window is over, and its question is not: it is shown at the next open."""
    asks: Any = {OPEN: CurrentConversation(FIRST, 1, 0, 3_600, until_ms)}
    own = own_conversations(workplace(), chatflow(OPEN), record(**asks), at_ms=3_600_001)
    assert own == ({FIRST: OPEN, SECOND: OPEN} if named else {SECOND: OPEN})


@pytest.mark.parametrize(
    ("status", "shown"), [("gated", "gated"), ("snoozed", "snoozed"), ("closed", "closed"), ("parked", "open")]
)
def test_a_status_as_the_visitor_is_told_it(status: str, shown: str) -> None:
    """What is set aside because of a fault of ours is open to them."""
    (view,) = conversation_views({FIRST: OPEN}, {FIRST: Standing(head(FIRST, status=status))})
    assert (view.status, view.chatflow) == (shown, OPEN)


@pytest.mark.parametrize(
    ("phase", "spoken"), [("gated", False), ("ready", False), ("waiting", True), ("talking", True), ("closed", True)]
)
def test_who_has_passed_the_gate_and_written_has_spoken(phase: str, spoken: bool) -> None:
    """By the committed head."""
    assert Standing(head(FIRST, phase=phase)).is_spoken is spoken
    assert not Standing().is_spoken


def test_without_a_chatflow_nothing_new_is_named() -> None:
    """Running conversations go on, nothing can be started."""
    assert own_conversations(workplace(), None, record(**GOING_ON), at_ms=0) == {FIRST: OPEN}


def test_a_conversation_is_shown_as_it_stands_for_the_device() -> None:
    """What exists with its head, numbering and receipts; what does not, as new."""
    standings = {FIRST: Standing(head(FIRST, status="parked", seq=7), 3, 6, 5)}
    old, new = conversation_views({FIRST: OPEN, SECOND: OPEN}, standings)
    assert (old.status, old.seq, old.next_n, old.delivered, old.read) == ("open", 7, 3, 6, 5)
    assert (new.status, new.seq, new.event, new.next_n) == ("new", 0, "", 1)
