"""Preview tokens against a whole installation: whom they let in where, and what is left behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import samtale
from sqlalchemy import func, select, update
from websockets.asyncio.client import ClientConnection, connect

from app.demo.traces import files_with, places_with
from app.settings import Settings
from app.stores import now_ms
from protocol.wire.limits import SUBPROTOCOL_JSON
from store.sql import tables
from store.sql.admin_tables import preview as previews
from store.sql.figure_tables import conversation_figure
from store.sql.queries import erasures
from tests.integration.test_erasure import is_stored
from tests.integration.test_people import stores_of
from tests.kit.commands import run_samtale
from tests.kit.gateways import get
from tests.kit.hubs import says_hello
from tests.kit.persons import soon
from tests.kit.samtale_servers import RunningSamtale

pytestmark = [pytest.mark.xdist_group("preview"), pytest.mark.asyncio(loop_scope="session")]

SAID = "canarypreview4711"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(samtale_server: RunningSamtale) -> AsyncIterator[httpx2.AsyncClient]:
    """An account's client of the API, with a chatflow that was never published."""
    made = await run_samtale("key", "create", "owner", "--account", "fjord", environment=samtale_server.environment)
    headers = {"Authorization": f"Bearer {made.out.strip()}"}
    async with httpx2.AsyncClient(base_url=f"{samtale_server.url}/api/v1", headers=headers, timeout=60) as api:
        new = {"id": "autumn", "name": "Høst", "inbox": "desk", "language": "nb", "tag": "autumn"}
        assert (await api.post("/chatflows", json=new)).status_code == 201
        await drafts(
            api, welcome={"nb": "Hei på deg"}, consent={"mode": "off"}, email={"open": "never", "away": "never"}
        )
        yield api


async def drafts(api: httpx2.AsyncClient, **changes: Any) -> None:
    answer = await api.patch("/chatflows/autumn/draft", json=changes, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


async def begun(api: httpx2.AsyncClient) -> Any:
    answer = await api.post("/chatflows/autumn/preview")
    assert answer.status_code == 201, answer.text
    return answer.json()


@asynccontextmanager
async def line(server: RunningSamtale, token: str) -> AsyncIterator[ClientConnection]:
    """A line on which a browser of anywhere said hello with a preview token, and neither an app nor a tag of anybody's."""
    hello = says_hello("none") | {"app_key": "none", "preview": token}
    address = f"{server.url.replace('http', 'ws')}/v1/mobile"
    async with connect(
        address, subprotocols=[SUBPROTOCOL_JSON], origin="https://elsewhere.example", open_timeout=60
    ) as made:
        await made.send(json.dumps(hello))
        yield made


async def shown(server: RunningSamtale, token: str) -> str:
    """Say hello until the preview is shown; return its welcome."""
    async with asyncio.timeout(120):
        while True:
            async with line(server, token) as phone:
                frame = json.loads(await phone.recv())
                if frame["t"] == "refused":
                    await asyncio.sleep(frame["retry_after_ms"] / 1000)
                    continue
                while not frame.get("chatflow"):
                    frame = await get(phone, "chatflow")
                return str(frame["chatflow"]["welcome"])


async def refusal(server: RunningSamtale, token: str) -> tuple[str, int | None]:
    """Return why a token lets nobody in, and how the line ends."""
    async with line(server, token) as phone:
        refused = await get(phone, "refused")
        await phone.wait_closed()
        return refused["code"], phone.close_code


async def test_a_token_shows_the_draft_from_anywhere(samtale_server: RunningSamtale, api: httpx2.AsyncClient) -> None:
    """Whatever app and tag the first frame names; and it is in no log, file or table."""
    preview = await begun(api)
    assert await shown(samtale_server, preview["token"]) == "Hei på deg"
    assert files_with(samtale_server.data, preview["token"]) == []


async def test_an_app_that_is_built_with_the_token_is_shown_the_draft(
    samtale_server: RunningSamtale, api: httpx2.AsyncClient
) -> None:
    """The Python SDK as a phone has it: what is said there has its outcome."""
    preview = await begun(api)
    await shown(samtale_server, preview["token"])
    async with samtale.VisitorClient(samtale_server.url, app_key="any", tag="any", preview=preview["token"]) as phone:
        assert await soon(phone.send("Hallo?"))
        assert phone.chatflow is not None
        assert phone.chatflow.welcome == "Hei på deg"


async def test_a_token_that_is_none_or_has_ended_lets_nobody_in(
    samtale_server: RunningSamtale, api: httpx2.AsyncClient
) -> None:
    """Revoked, expired, made up: the answer is the same."""
    revoked, expired = await begun(api), await begun(api)
    assert (await api.delete(f"/previews/{revoked['id']}")).status_code == 204
    async with stores_of(samtale_server) as stores:
        long_ago = update(previews).where(previews.c.id == expired["id"]).values(ends_at_ms=1)
        await stores.config.transact(lambda sql: sql.execute(long_ago))
    for token in (revoked["token"], expired["token"], "samp_never-made"):
        assert await refusal(samtale_server, token) == ("token_invalid", 4501)


async def test_a_preview_that_is_taken_back_ends_the_lines_it_let_in(
    samtale_server: RunningSamtale, api: httpx2.AsyncClient
) -> None:
    """They are told why, and not to come back."""
    preview = await begun(api)
    await shown(samtale_server, preview["token"])
    async with line(samtale_server, preview["token"]) as phone:
        assert (await get(phone, "ready"))["chatflow"]["name"] == "Høst"
        assert (await api.delete(f"/previews/{preview['id']}")).status_code == 204
        assert (await get(phone, "refused"))["code"] == "token_invalid"
        await phone.wait_closed()
        assert phone.close_code == 4501


async def test_a_token_is_no_credential_for_anything_else(
    samtale_server: RunningSamtale, api: httpx2.AsyncClient
) -> None:
    """It reads nothing over REST, and an API key plays no agent; whoever guesses guesses slowly."""
    token = (await begun(api))["token"]
    await shown(samtale_server, token)
    async with httpx2.AsyncClient(base_url=samtale_server.url, timeout=60) as http:
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await http.get("/api/v1/chatflows", headers=bearer)).status_code == 401
        for headers in ({}, {"Authorization": api.headers["Authorization"]}, {"Authorization": f"Basic {token}"}):
            refused = await http.post("/v1/preview/acts", json={"act": "come"}, headers=headers)
            assert refused.status_code == 401
        guesses = [await http.post("/v1/preview/acts", json={"act": "come"}) for _ in range(100)]
        assert 429 in {each.status_code for each in guesses}
        assert (await http.post("/v1/preview/acts", json={"act": "come"}, headers=bearer)).status_code == 200


async def test_what_is_said_reaches_nobody_and_is_gone_after_a_day(
    samtale_server: RunningSamtale, api: httpx2.AsyncClient
) -> None:
    """No conversation, contact, consent or figure of the account has it; then nothing of it is left anywhere."""
    settings, preview = Settings(data=samtale_server.data), await begun(api)
    await shown(samtale_server, preview["token"])
    async with line(samtale_server, preview["token"]) as phone, stores_of(samtale_server) as stores:
        ready = await get(phone, "ready")
        await phone.send(
            json.dumps({"t": "send", "n": 1, "id": "a", "conversation": ready["conversation"], "text": SAID})
        )
        await get(phone, "ack", id="a")
        await is_stored(settings, SAID)
        for what in ("/contacts", "/consents", "/companies"):
            assert (await api.get(what)).json()["items"] == [], what
        assert not await stores.record.read(
            lambda sql: sql.scalar(select(func.count()).select_from(conversation_figure))
        )
        rows = tables.visitor
        aged = update(rows).where(rows.c.id == ready["visitor"], rows.c.changed_at_ms > 1).values(changed_at_ms=1)
        async with asyncio.timeout(120):
            while await places_with(settings, SAID):
                if await stores.record.transact(lambda sql: sql.execute(aged).rowcount):
                    await stores.config.transact(partial(erasures.look_again, now_ms=now_ms(), every_ms=1))
                await asyncio.sleep(0.2)
    replayed = await run_samtale("replay", environment=samtale_server.environment)
    assert "0 differ from what is stored" in replayed.out
