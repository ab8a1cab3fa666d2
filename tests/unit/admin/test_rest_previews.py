"""Previews over REST: begun, followed, ended; and what nobody ever sees of them."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from protocol.bus.config import AccountConfig
from protocol.ids import preview_of, secret_hash
from store.sql.queries import accounts, previews
from tests.kit.engines import now_ms
from tests.kit.offices import FJORD, NORDVIK, Caller, Desk, desk_in

NEW = {"id": "autumn", "name": "Høst", "inbox": "desk", "language": "nb", "tag": "autumn"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


@pytest.fixture
async def admin(desk: Desk) -> Caller:
    caller = await desk.key()
    await caller.post("/chatflows", NEW)
    await caller.patch("/chatflows/autumn/draft", {"welcome": {"nb": "Hei på deg"}})
    return caller


async def hidden(desk: Desk) -> AccountConfig:
    found = await desk.office.config.read(partial(accounts.config, account=preview_of(FJORD)))
    assert found is not None
    return found


async def shown(desk: Desk, preview: Any) -> Any:
    return next(flow for flow in (await hidden(desk)).chatflows if flow.id == preview["id"])


async def test_a_draft_is_shown_as_publishing_would_make_it(desk: Desk, admin: Caller) -> None:
    """In the hidden account it is enabled for every device; the account itself stays as it is."""
    before = await desk.office.present(FJORD)
    preview = await admin.post("/chatflows/autumn/preview")
    flow = await shown(desk, preview)
    assert (flow.welcome, flow.enabled, flow.tags) == ({"nb": "Hei på deg"}, True, [preview["id"]])
    assert await desk.office.present(FJORD) == before


async def test_a_token_is_shown_once_and_kept_as_a_hash(desk: Desk, admin: Caller) -> None:
    """Neither the list nor the audit log has it; the address has it behind the `#`."""
    begun = await admin.post("/chatflows/autumn/preview")
    assert begun["address"] == f"http://samtale.test/preview#{begun['token']}"
    assert begun["ends_at_ms"] - begun["created_at_ms"] == 3_600_000
    find = partial(previews.of_token, hashed=secret_hash(begun["token"]), now_ms=now_ms())
    assert (await desk.office.config.read(find)).id == begun["id"]
    [listed] = (await admin.get("/previews"))["items"]
    assert "token" not in listed
    noted = (await admin.ask("GET", "/audit")).text
    assert "preview.begun" in noted
    assert begun["token"] not in noted


async def test_a_draft_saved_again_is_what_is_shown(desk: Desk, admin: Caller) -> None:
    """The next version of what is shown is made of it; as long as it could not be published, nothing is."""
    preview = await admin.post("/chatflows/autumn/preview")
    first = await shown(desk, preview)
    await admin.patch("/chatflows/autumn/draft", {"welcome": {"nb": "Velkommen"}})
    second = await shown(desk, preview)
    assert (second.welcome, second.version) == ({"nb": "Velkommen"}, first.version + 1)
    await admin.patch("/chatflows/autumn/draft", {"rule": "nobody.has.it"})
    assert await shown(desk, preview) == second


async def test_a_change_beside_previews_leaves_them(desk: Desk, admin: Caller) -> None:
    """What a preview shows keeps its version when it is the same as before."""
    preview = await admin.post("/chatflows/autumn/preview")
    before = await shown(desk, preview)
    await admin.patch("/account", {"name": "Fjord og fjell"})
    assert (await shown(desk, preview)).version == before.version
    assert (await hidden(desk)).name == "Fjord og fjell"


async def test_what_could_not_be_published_is_no_preview(admin: Caller) -> None:
    """The answer names the field, as publishing would."""
    await admin.patch("/chatflows/autumn/draft", {"rule": "nobody.has.it"})
    answer = await admin.ask("POST", "/chatflows/autumn/preview")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/rule")
    assert (await admin.get("/previews"))["items"] == []


async def test_a_version_that_is_none_is_not_found(admin: Caller) -> None:
    """Nor is the published one of a chatflow that never was."""
    for shows in ("published", "7"):
        assert (await admin.ask("POST", "/chatflows/autumn/preview", {"shows": shows})).status_code == 404


async def test_an_ended_preview_is_served_to_nobody(desk: Desk, admin: Caller) -> None:
    """It ends once, its token leads nowhere, and what it showed is switched off."""
    preview = await admin.post("/chatflows/autumn/preview")
    assert (await admin.ask("DELETE", f"/previews/{preview['id']}")).status_code == 204
    assert (await admin.ask("DELETE", f"/previews/{preview['id']}")).status_code == 404
    find = partial(previews.of_token, hashed=secret_hash(preview["token"]), now_ms=now_ms())
    assert await desk.office.config.read(find) is None
    assert not (await shown(desk, preview)).enabled


async def test_previews_of_another_account_are_not_there(desk: Desk, admin: Caller) -> None:
    """Neither to see nor to end."""
    preview = await admin.post("/chatflows/autumn/preview")
    other = await desk.key(account=NORDVIK)
    assert (await other.get("/previews"))["items"] == []
    assert (await other.ask("DELETE", f"/previews/{preview['id']}")).status_code == 404
    assert len((await admin.get("/previews"))["items"]) == 1


async def test_a_hidden_account_is_none_of_the_accounts(desk: Desk, admin: Caller) -> None:
    """It is not listed or counted, holds no name of the account's, and nobody logs in there."""
    known = await desk.office.config.read(accounts.all_of_them), await desk.office.config.read(accounts.count)
    await admin.post("/chatflows/autumn/preview")
    assert (await desk.office.config.read(accounts.all_of_them), await desk.office.config.read(accounts.count)) == known
    real, made = await desk.office.present(FJORD), await hidden(desk)
    assert not {app.key for app in real.apps} & {app.key for app in made.apps}
    assert not {agent.email for agent in real.agents} & {agent.email for agent in made.agents}
    assert {agent.password for agent in made.agents} == {"!"}
    assert made.id_key != real.id_key
