"""As whom a phone's user is judged before the cell has decided that what was begun there is theirs (SPEC 3.9)."""

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.beginnings import believed
from gateway.proving import Proven
from protocol.bus.records import ConsentRecord, DeviceRecord, VisitorRecord
from protocol.ids import AppKey, VisitorId
from tests.kit.workplace import ACCOUNT, APP, ASKS, KARI, OLA, phone

AGREED = ConsentRecord("granted", 1_000, "hash", ASKS, 3, "en", "1.0")
PHONE = DeviceRecord("ios", "1.0", "en", 1_000, b"old", b"new")
HERS = VisitorRecord(KARI, ACCOUNT, APP, False, 0, 0, {phone(KARI): PHONE}, {"process": AGREED}, {})
HIS = VisitorRecord(OLA, ACCOUNT, APP, True, 0, 0, {}, {}, {})
SHOWN = Proven(OLA, phone(OLA), [b"old"], "", is_new=False, began_as=KARI, began_on=phone(KARI))


@pytest.mark.parametrize("secret", [b"old", b"new"])
def test_a_consent_goes_with_its_proof(secret: bytes) -> None:
    """Whoever shows a good secret has agreed where the visitor had."""
    assert believed(replace(SHOWN, presented=[secret]), HIS, HERS, 2_000).consents == {"process": AGREED}


@pytest.mark.parametrize(
    ("shown", "hers"),
    [
        ({"presented": [b"guessed"]}, {}),
        ({"presented": [b""]}, {"devices": {phone(KARI): replace(PHONE, pending=b"")}}),
        ({"began_on": phone(KARI, 2)}, {}),
        ({}, {"devices": {phone(KARI): replace(PHONE, revoked=True)}}),
        ({}, {"app": AppKey("app_other")}),
        ({}, {"merged": VisitorId("vis_third"), "devices": {phone(KARI): DeviceRecord("", "", "", 0, revoked=True)}}),
    ],
    ids=["a guess", "nothing", "another phone", "logged out", "another app", "another user's"],
)
def test_nobody_agrees_by_what_another_answered(shown: dict[str, Any], hers: dict[str, Any]) -> None:
    """Without proof no answer counts, so that nothing a token says leaves the gateway by it."""
    assert believed(replace(SHOWN, **shown), HIS, replace(HERS, **hers), 2_000) == HIS
