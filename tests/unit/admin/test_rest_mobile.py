"""What app developers take: configuration files, a page, tokens that identify visitors."""

import json
import plistlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ports import Claims
from gateway.tokens import verify
from protocol.bus.minting import keys_of
from tests.kit.engines import now_ms
from tests.kit.offices import FJORD, NORDVIK, Desk, desk_in


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


async def test_a_configuration_file_says_the_same_in_both_forms_and_nothing_secret(desk: Desk) -> None:
    """JSON for Android, a property list for iOS."""
    reader = await desk.key(["settings.read"])
    path = "/apps/app_fjord/configuration?server=https://chat.fjord.example&tag=kunde"
    as_json, as_plist = await reader.ask("GET", path), await reader.ask("GET", f"{path}&form=plist")
    said = json.loads(as_json.content)
    assert said == plistlib.loads(as_plist.content)
    assert said == {
        "server": "https://chat.fjord.example", "account": "fjord", "app_key": "app_fjord", "environment": "production",
        "default_tag": "kunde", "protocol": 1,
    }  # fmt: skip
    assert "samtale.json" in as_json.headers["Content-Disposition"]


async def test_the_page_of_an_app_escapes_what_is_put_in(desk: Desk) -> None:
    """A tag is text, whatever is in it."""
    reader = await desk.key(["settings.read"])
    page = await reader.ask("GET", "/apps/app_fjord/set-up?tag=%3Cscript%3Ealert(1)%3C/script%3E")
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_a_minted_token_proves_whom_it_names(desk: Desk) -> None:
    """With what the company vouches for, for twelve hours at the most."""
    config = await desk.office.present(FJORD)
    [app] = [app for app in config.apps if app.key == "app_fjord"]
    admin = await desk.key(["settings.edit"])
    minted = await admin.post("/apps/app_fjord/visitor-tokens", {"subject": "u-17", "email": "ida@example.org"})
    claims = verify(app, keys_of(config, app), minted["token"], now_ms() // 1000)
    assert isinstance(claims, Claims)
    assert (claims.subject, claims.profile and claims.profile.email) == ("u-17", "ida@example.org")
    assert claims.expires_at_s * 1000 == minted["expires_at_ms"]
    longer = await admin.ask("POST", "/apps/app_fjord/visitor-tokens", {"subject": "u-17", "life_s": 43_201})
    assert longer.status_code == 422


async def test_no_token_is_minted_for_the_app_of_another_account(desk: Desk) -> None:
    """For a stranger the app is not there."""
    stranger = await desk.key(account=NORDVIK)
    answer = await stranger.ask("POST", "/apps/app_fjord/visitor-tokens", {"subject": "u-17"})
    assert answer.status_code == 404
