"""Words among the entries of a log."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.words import but_words, nfc
from protocol.bus.topics import Hint
from protocol.wire.content import Author, Closed, Message, Note, Role
from tests.unit.gateway.sessions import hint

ANN = Author(Role.AGENT, "agt_ann", "Ann")


def test_only_messages_are_words() -> None:
    """Whatever else happened is looked at, and so is what is hidden."""
    others = [hint(2, Note(ANN, "message", [])), hint(3, None), hint(4, Closed(ANN, "blocked"))]
    assert but_words([hint(1, Message(ANN, "consent, closed, blocked")), *others]) == others


def test_what_has_no_body_is_no_word() -> None:
    """A frame that only says that an entry is hidden."""
    assert but_words([Hint(1, "1.1.0", b"")]) == [Hint(1, "1.1.0", b"")]


@given(st.text())
def test_text_is_stored_in_one_form(text: str) -> None:
    """NFC, whatever it was typed in."""
    assert nfc(text) == unicodedata.normalize("NFC", text)
