"""A visitor's hello and their leaving: secrets and devices."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.core.admission import MAX_DEVICES
from engine.core.changed import Changed
from engine.core.visitor import decide
from protocol.bus.commands import LogOut
from protocol.bus.decisions import Already, Refusal
from protocol.bus.records import VisitorRecord
from protocol.ids import AccountId, AppKey
from protocol.wire.codes import Code
from tests.kit.workplace import ACCOUNT, KARI, admits, origin, phone, record

UNKNOWN = Refusal(Code.VISITOR_UNKNOWN)
OUT = LogOut(ACCOUNT, origin(phone(KARI), 0, "out"), KARI, phone(KARI))


def admitted(before: VisitorRecord | None, at_ms: int = 10, **changes: Any) -> VisitorRecord:
    """The record after a hello that is taken."""
    after = decide(before, admits(**changes), at_ms)
    assert isinstance(after, Changed)
    return after.record


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
    assert isinstance(decide(None, replace(hello, record=record()), 10), Changed)


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
    assert isinstance(out, Changed)
    assert decide(out.record, admits(presented=[b"secret"]), 20) == UNKNOWN
    assert decide(out.record, OUT, 20) == Already()


def test_log_out_nobody() -> None:
    """Logging out an unknown phone is refused."""
    assert decide(None, OUT, 10) == UNKNOWN
    assert decide(record(), replace(OUT, device=phone(KARI, 9)), 10) == UNKNOWN
