"""What `ready` shows: the chatflow, the conversations, and which one to address."""

import hashlib
from typing import Any

import pytest

from gateway.core.views import Standing, address, chatflow_view, conversation_views, own_conversations
from protocol.bus.config import Consent
from protocol.bus.records import CurrentConversation
from protocol.ids import ConversationId
from tests.kit.workplace import ASKS, IMPLIES, OPEN, chatflow, conversation, record, workplace
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


def test_without_a_chatflow_nothing_new_is_named() -> None:
    """Running conversations go on, nothing can be started."""
    assert own_conversations(workplace(), None, record(**GOING_ON), at_ms=0) == {FIRST: OPEN}


@pytest.mark.parametrize(
    ("name", "answer", "outstanding"),
    [
        (ASKS, "", True),
        (ASKS, "declined", True),
        (ASKS, "implied", True),
        (ASKS, "granted", False),
        (IMPLIES, "", True),
        (IMPLIES, "implied", False),
        (IMPLIES, "granted", False),
    ],
)
def test_consent_is_outstanding_until_the_answer_that_the_mode_wants(name: Any, answer: str, outstanding: bool) -> None:
    """Explicit wants a grant; legitimate interest is content with the first message."""
    step = chatflow_view(chatflow(name), "en", record(answer=answer)).consent
    assert step is not None
    assert step.outstanding is outstanding


def test_the_consent_shown_is_the_one_that_is_hashed() -> None:
    """The hash is of the text in the visitor's locale, as the log will name it."""
    step = chatflow_view(chatflow(ASKS), "nb-NO", record()).consent
    assert step is not None
    assert (step.text, step.text_hash) == ("Kan vi?", hashlib.sha256(b"Kan vi?").hexdigest())


def test_where_nothing_is_asked_nothing_is_shown() -> None:
    """Mode off."""
    assert chatflow_view(chatflow(OPEN, consent=Consent("off")), "en", record()).consent is None


@pytest.mark.parametrize(
    ("locale", "shown", "text"), [("nb-NO", "nb", "Hei!"), ("de", "en", "Hello!"), ("no", "en", "Hello!")]
)
def test_the_locale_shown_is_the_one_its_texts_are_in(locale: str, shown: str, text: str) -> None:
    """Along the chain to the flow's own language."""
    view = chatflow_view(chatflow(OPEN), locale, record())
    assert (view.locale, view.welcome) == (shown, text)


def test_a_conversation_is_shown_as_it_stands_for_the_device() -> None:
    """What exists with its head, numbering and receipts; what does not, as new."""
    standings = {FIRST: Standing(head(FIRST, status="parked", seq=7), 3, 6, 5)}
    old, new = conversation_views([FIRST, SECOND], standings)
    assert (old.status, old.seq, old.next_n, old.delivered, old.read) == ("open", 7, 3, 6, 5)
    assert (new.status, new.seq, new.event, new.next_n) == ("new", 0, "", 1)
