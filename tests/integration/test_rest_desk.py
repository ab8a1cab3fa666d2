"""What an integrator does to conversations over REST reaches phones and consoles of a whole installation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
import samtale

from app.demo.traces import places_with
from app.settings import Settings
from tests.kit.commands import run_samtale
from tests.kit.offices import Caller
from tests.kit.persons import Desk, Phone, soon
from tests.kit.samtale_servers import RunningSamtale

pytestmark = pytest.mark.xdist_group("rest_desk")

CANARY = "canaryredacted4711"
ADMIN = ("--account", "fjord")


@pytest.fixture
async def key(samtale_server: RunningSamtale) -> AsyncIterator[Caller]:
    """An integrator with a key that may do all."""
    made = await run_samtale("key", "create", "integrator", *ADMIN, environment=samtale_server.environment)
    secret = next(word for word in made.out.split() if word.startswith("samk_"))
    async with httpx2.AsyncClient(base_url=samtale_server.url, timeout=60) as http:
        yield Caller(http, {"Authorization": f"Bearer {secret}"})


async def until(key: Caller, path: str, fits: Callable[[Any], Any]) -> Any:
    """Return what is answered once it fits: scribes copy a moment later."""
    async with asyncio.timeout(120):
        while True:
            answer = await key.ask("GET", path)
            if answer.status_code == 200 and fits(told := answer.json()):
                return told
            await asyncio.sleep(0.1)


async def test_a_conversation_is_found_and_worked_on(samtale_server: RunningSamtale, key: Caller) -> None:
    """Found by its words, tagged, handed on, a message removed, closed: each as an agent would have done it."""
    phone = Phone(samtale_server.url, app_key="app_fjord", tag="desk")
    siri = Desk(samtale_server.url, "siri@fjord.example", "siri-siri")
    per = Desk(samtale_server.url, "per@fjord.example", "per-per-per")
    async with AsyncExitStack() as stack:
        for person, client in ((siri, siri.client), (per, per.client), (phone, phone.client)):
            await stack.enter_async_context(client)
            await person.told(samtale.Connected)
        await soon(phone.client.send(CANARY))
        said = await phone.hears(CANARY)
        await siri.takes(phone.conversation)
        path = f"/conversations?query={CANARY.upper()}"
        found = await until(key, path, lambda page: page["items"] and page["items"][0]["agent"] == "siri")
        [card] = found["items"]
        assert (card["id"], card["matches"]) == (phone.conversation, [said.seq])

        here = f"/conversations/{card['id']}"
        await key.post(f"{here}/tags", {"agent": "siri", "add": ["vip"]}, Idempotency_Key="tags-1")
        tagged = await siri.reads(card["id"], samtale.TagsChanged)
        assert (tagged.body.by.id, tagged.body.added) == ("siri", ["vip"])
        await key.post(f"{here}/transfer", {"agent": "siri", "to": "per", "note": "Yours"})
        handed = await phone.until(
            lambda event: isinstance(event, samtale.LogEvent) and getattr(event.body, "reason", "") == "transfer"
        )
        assert handed.conversation == card["id"]

        refused = await key.ask("POST", f"{here}/close", {"agent": "jon"})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_assigned")
        await key.post(f"{here}/redact", {"agent": "per", "seq": said.seq})
        removed = await phone.reads(card["id"], samtale.Redacted)
        assert removed.body.of == said.seq
        await key.post(f"{here}/close", {"agent": "per", "close_ticket": True})
        closed = await phone.reads(card["id"], samtale.Closed)
        assert closed.body.reason == "agent"

    shown = await until(key, here, lambda told: told["status"] == "closed")
    assert (shown["last_agent"], shown["tags"], shown["ticket"]["status"]) == ("per", ["vip"], "closed")
    assert (await key.get(path))["items"] == []
    assert {"tag": "vip", "conversations": 1} in (await key.get("/tags"))["items"]
    transcript = (await key.ask("GET", f"{here}/transcript.txt")).text
    assert "Visitor: (removed)" in transcript
    assert [
        place for place in await places_with(Settings(data=samtale_server.data), CANARY) if place.startswith("sql ")
    ] == []
