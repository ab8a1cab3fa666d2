"""The visitor's record: secrets, devices, consents, the current conversation."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.core.visitor import MAX_DEVICES, decide
from protocol.bus.commands import LogOut
from protocol.bus.decisions import Already, Refusal
from protocol.bus.effects import NoteClosed, NoteConsent, NoteStarted
from protocol.bus.records import CurrentConversation, VisitorRecord
from protocol.ids import AccountId, AppKey
from protocol.wire.codes import Code
from tests.kit.workplace import ACCOUNT, KARI, OPEN, admits, conversation, origin, phone, record

UNKNOWN = Refusal(Code.VISITOR_UNKNOWN)
OUT = LogOut(ACCOUNT, origin(phone(KARI), 0, "out"), KARI, phone(KARI))


def admitted(before: VisitorRecord | None, at_ms: int = 10, **changes: Any) -> VisitorRecord:
    """The record after a hello that is taken."""
    after = decide(before, admits(**changes), at_ms)
    assert isinstance(after, VisitorRecord)
    return after


def secrets(of: VisitorRecord) -> tuple[bytes, bytes]:
    """The phone's secret and the one handed out since."""
    device = of.devices[phone(KARI)]
    return device.secret, device.pending


def test_new_visitor() -> None:
    """A hello without proof makes a visitor, whose secret is pending until it is presented."""
    new = admitted(None)
    assert (new.created_at_ms, secrets(new)) == (10, (b"", b"fresh"))


def test_hello_again() -> None:
    """The very hello that made the visitor, put in again, is taken again; another one without proof is not."""
    new = admitted(None)
    assert admitted(new) == new
    assert decide(new, admits(fresh=b"other"), 20) == UNKNOWN


def test_rotation() -> None:
    """A secret presented for the first time revokes the one before it."""
    second = admitted(admitted(None), presented=[b"fresh"], fresh=b"next")
    assert secrets(second) == (b"fresh", b"next")
    third = admitted(second, presented=[b"next"], fresh=b"third")
    assert decide(third, admits(presented=[b"fresh"]), 30) == UNKNOWN


def test_both_secrets_until_presented() -> None:
    """While the new secret was never presented, the old one goes on being valid."""
    second = admitted(admitted(None), presented=[b"fresh"], fresh=b"lost")
    again = admitted(second, presented=[b"fresh"], fresh=b"next")
    assert secrets(again) == (b"fresh", b"next")
    assert secrets(admitted(again, presented=[b"next", b"fresh"], fresh=b"third")) == (b"next", b"third")


def test_rotation_put_in_again() -> None:
    """The same hello decided twice leaves the same secrets."""
    once = admitted(admitted(None), presented=[b"fresh"], fresh=b"next")
    assert secrets(admitted(once, presented=[b"fresh"], fresh=b"next")) == secrets(once)


@pytest.mark.parametrize("presented", [[b"wrong"], [b""], []])
def test_wrong_secret(presented: list[bytes]) -> None:
    """Nothing valid presented: the visitor is unknown."""
    assert decide(record(), admits(presented=presented), 10) == UNKNOWN


def test_unknown_visitor() -> None:
    """A secret for a visitor that nobody has is unknown, not made."""
    assert decide(None, admits(presented=[b"secret"]), 10) == UNKNOWN


def test_secret_on_another_phone() -> None:
    """A secret is bound to its device."""
    assert decide(record(), admits(presented=[b"secret"], device=phone(KARI, 2)), 10) == UNKNOWN


def test_rehydrated() -> None:
    """The record that came along is used if the cell has none, and only then."""
    assert secrets(admitted(None, presented=[b"secret"], record=record())) == (b"secret", b"fresh")
    assert decide(admitted(None), admits(presented=[b"secret"], record=record()), 10) == UNKNOWN


@pytest.mark.parametrize("identified", [True, False])
def test_record_that_left_meanwhile(identified: bool) -> None:
    """Whoever was seen in Redis, and is not there any more, is neither unknown nor made anew: their record is in SQL."""
    hello = admits(presented=[] if identified else [b"secret"], identified=identified, known=True)
    assert decide(None, hello, 10) == Refusal(Code.UNAVAILABLE)
    assert isinstance(decide(None, replace(hello, record=record()), 10), VisitorRecord)


def test_identified() -> None:
    """An identified visitor needs no secret, is made at the first hello and known by any phone."""
    new = admitted(None, identified=True)
    both = admitted(new, identified=True, device=phone(KARI, 2), origin=origin(phone(KARI, 2), 0, "hello"))
    assert (new.identified, set(both.devices)) == (True, {phone(KARI), phone(KARI, 2)})
    assert secrets(both) == (b"", b"")


def test_devices_are_bounded() -> None:
    """Whoever has a token may name any number of phones: those seen last are remembered."""
    visitor = admitted(None, identified=True)
    for number in range(2, MAX_DEVICES + 3):
        visitor = admitted(visitor, at_ms=10 + number, identified=True, device=phone(KARI, number))
    assert len(visitor.devices) == MAX_DEVICES
    assert phone(KARI, 2) not in visitor.devices
    assert phone(KARI, MAX_DEVICES + 2) in visitor.devices


def test_identified_has_no_secret() -> None:
    """Nobody gets at an identified visitor by a secret, not even by an empty one."""
    new = admitted(None, identified=True)
    for presented in ([], [b""], [b"fresh"]):
        assert decide(new, admits(presented=presented), 20) == UNKNOWN


@pytest.mark.parametrize("changes", [{"account": AccountId("acc_other")}, {"app": AppKey("app_other")}])
def test_isolation(changes: dict[str, Any]) -> None:
    """Under another account or app the visitor is unknown."""
    assert decide(record(), admits(presented=[b"secret"], **changes), 10) == UNKNOWN


def test_log_out() -> None:
    """After a logout no secret of that phone is valid; logging out again changes nothing."""
    out = decide(record(), OUT, 10)
    assert isinstance(out, VisitorRecord)
    assert decide(out, admits(presented=[b"secret"]), 20) == UNKNOWN
    assert decide(out, OUT, 20) == Already()


def test_log_out_nobody() -> None:
    """Logging out an unknown phone is refused."""
    assert decide(None, OUT, 10) == UNKNOWN
    assert decide(record(), replace(OUT, device=phone(KARI, 9)), 10) == UNKNOWN


def test_current_conversation() -> None:
    """The record follows the current conversation: started, closed, reopened."""
    started = decide(record(), NoteStarted(ACCOUNT, conversation(), KARI, OPEN, 1, 60), 10)
    assert isinstance(started, VisitorRecord)
    assert started.current == {OPEN: CurrentConversation(conversation(), 1, None, 60)}
    ended = decide(started, NoteClosed(ACCOUNT, conversation(), KARI, OPEN, True), 20)
    assert isinstance(ended, VisitorRecord)
    assert ended.current[OPEN].closed_at_ms == 20
    assert decide(ended, NoteClosed(ACCOUNT, conversation(), KARI, OPEN, False), 30) == started


def test_note_about_an_old_conversation() -> None:
    """A note about a conversation that is not the current one changes nothing."""
    old = NoteClosed(ACCOUNT, conversation(ordinal=7), KARI, OPEN, True)
    assert decide(record(), old, 10) == Already()


def test_consent() -> None:
    """An answer stands until the visitor grants; the first grant stays on record."""

    def note(answer: str, text: str) -> NoteConsent:
        return NoteConsent(ACCOUNT, conversation(), KARI, "process", answer, text, OPEN, 3, "en")

    declined = decide(record(), note("declined", "a"), 10)
    assert isinstance(declined, VisitorRecord)
    granted = decide(declined, note("granted", "b"), 20)
    assert isinstance(granted, VisitorRecord)
    standing = granted.consents["process"]
    assert (standing.answer, standing.at_ms, standing.text_hash, standing.app_version) == ("granted", 20, "b", "1.0")
    assert decide(granted, note("granted", "c"), 30) == Already()
