"""What a session asks and says of attachments, and the seals that it is believed by."""

import base64
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attachments import MAX_NAME_CHARS, clean_name
from gateway.core.actions import Action, AllowDownload, AllowUpload, Say, Submit
from gateway.core.attaching import BURST
from gateway.core.seals import KEY_BYTES, DownloadGrant, Receipt, Seals
from gateway.core.session import Session
from protocol.bus.commands import AgentSends, VisitorSends
from protocol.ids import AccountId, AttachmentId, VisitorId
from protocol.wire import client
from protocol.wire.kinds import File
from tests.kit.workplace import ACCOUNT, ANN, KARI
from tests.unit.gateway.sessions import ASKING, CHAT, NOW, mobile

SEALS = Seals(bytes(range(KEY_BYTES)))
FILE = File(AttachmentId("att_1"), "file", "a.pdf", "application/pdf", 10)
RECEIPT = SEALS.seal(Receipt(ACCOUNT, CHAT, KARI, FILE, 5))
ASK = client.Upload("u1", CHAT, "a.pdf", "application/pdf", 10)


def told(actions: list[Action]) -> Any:
    """What the session says, and does nothing else."""
    (said,) = actions
    assert isinstance(said, Say)
    return said.frame


def names(receipt: str) -> client.Send:
    """A message that names a receipt."""
    return client.Send(CHAT, "Look", attachments=[receipt], n=1, id="a")


def with_seals(session: Session) -> Any:
    session.attaching.opens = lambda sealed: SEALS.open(Receipt, sealed)
    return session


def test_an_upload_is_allowed_where_words_are() -> None:
    """On behalf of the visitor, for their conversation."""
    assert mobile().receive(ASK, NOW) == [AllowUpload(ASK, KARI, KARI)]


def test_an_upload_is_refused_before_consent() -> None:
    """With the ref of whoever asked, and nothing is kept of the name."""
    asked = client.Upload("u1", ASKING, "secret.pdf", "application/pdf", 10)
    refused = told(mobile().receive(asked, NOW))
    assert (refused.code, refused.ref, refused.conversation) == ("consent_required", "u1", ASKING)


def test_so_many_at_once() -> None:
    """A session is told to wait."""
    session = mobile()
    answers = [session.receive(ASK, NOW)[0] for _ in range(BURST + 1)]
    assert sum(isinstance(each, AllowUpload) for each in answers) == BURST
    last: Any = answers[-1]
    assert (last.frame.code, last.frame.ref, last.frame.retry_after_ms > 0) == ("rate_limited", "u1", True)


def test_a_file_is_had_only_of_what_is_read() -> None:
    """A conversation that is not attached is not found, though it is their own."""
    asked = client.Download("d1", CHAT, "att_1")
    refused = told(mobile().receive(asked, NOW))
    assert (refused.code, refused.ref) == ("not_found", "d1")
    assert not isinstance(refused, AllowDownload)


def test_a_message_carries_what_its_receipts_say() -> None:
    """Opened in the session: the decider is given values."""
    (action,) = with_seals(mobile()).receive(names(RECEIPT), NOW)
    assert isinstance(action, Submit)
    assert isinstance(action.command, VisitorSends | AgentSends)
    assert [(each.sender, each.at_ms, each.file) for each in action.command.uploads] == [(KARI, 5, FILE)]


@pytest.mark.parametrize(
    "receipt",
    ["nonsense", RECEIPT[:-1], SEALS.seal(Receipt(AccountId("acc_other"), CHAT, KARI, FILE, 5)),
     SEALS.seal(DownloadGrant(ACCOUNT, VisitorId(KARI), FILE.id, 5)), Seals(bytes(KEY_BYTES)).seal(
         Receipt(ACCOUNT, CHAT, KARI, FILE, 5))],
    ids=["nonsense", "cut", "another account's", "another word", "another installation's"],
)  # fmt: skip
def test_a_receipt_that_says_nothing_here_is_refused(receipt: str) -> None:
    """Its place is kept: the same n may come without it."""
    refused = told(with_seals(mobile()).receive(names(receipt), NOW))
    assert (refused.code, refused.n, refused.expected) == ("bad_attachment", 1, 1)


def test_a_gateway_that_takes_no_files_knows_no_receipt() -> None:
    """Whoever sealed it."""
    refused = told(mobile().receive(names(RECEIPT), NOW))
    assert refused.code == "bad_attachment"


def test_nothing_said_is_no_message() -> None:
    """Without a text there must be files."""
    assert told(mobile().receive(client.Send(CHAT, n=1, id="a"), NOW)).code == "malformed"


def test_whoever_reads_a_sealed_word_learns_nothing() -> None:
    """Neither names nor ids are in it."""
    raw = base64.urlsafe_b64decode(RECEIPT + "=" * (-len(RECEIPT) % 4))
    assert not any(word.encode() in raw for word in (ACCOUNT, CHAT, KARI, ANN, "a.pdf", "application"))


@given(st.integers(0, len(RECEIPT) - 1), st.sampled_from("ABCDEFabcdef0123456789-_"))
def test_a_sealed_word_that_was_changed_opens_no_more(at: int, letter: str) -> None:
    """Whatever letter it is, but for bits that stand for nothing."""
    changed = RECEIPT[:at] + letter + RECEIPT[at + 1 :]
    opened = SEALS.open(Receipt, changed)
    assert opened is None or opened.file == FILE


@given(st.text(max_size=300))
def test_a_name_is_one_line_without_a_path(name: str) -> None:
    """Of 1 to 120 characters, all of them seen, whatever was sent."""
    clean = clean_name(name)
    assert 1 <= len(clean) <= MAX_NAME_CHARS
    assert not set(clean) & set("/\\\n\r\t")
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in clean)
    assert clean not in (".", "..")
