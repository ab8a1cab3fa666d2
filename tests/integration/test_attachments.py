"""Attachments through a whole gateway: from one to the other, and nothing that harms (SPEC 5.9, 6.7)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.gateway import FileSettings
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import Bench, bench
from tests.kit.gateways import Running, get, nordvik, running
from tests.kit.hubs import house
from tests.kit.uploads import (
    SECRET,
    download,
    file_settings,
    photograph,
    say,
    shown,
    upload,
)


@pytest.fixture
def files() -> Any:
    with file_settings("disk") as settings:
        yield settings


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as cell, house(cell, nordvik()):
        yield cell


@pytest.fixture
async def gateway(cell: Bench, files: FileSettings) -> AsyncIterator[Running]:
    async with running(cell, files=files) as made:
        yield made


async def test_an_image_goes_from_the_phone_to_the_agent(gateway: Running) -> None:
    """The message names it, its text is its plain form, and what the agent gets is the picture alone."""
    async with gateway.visitor() as phone, gateway.agent(await gateway.ticket()) as ann:
        where = (await get(phone, "ready"))["conversation"]
        put = await upload(gateway, phone, where, photograph(), name="me.jpg", type="image/jpeg")
        assert put.status_code == 200, put.text
        await say(phone, t="send", n=1, id="a", conversation=where, text="Look", attachments=[put.json()["receipt"]])
        said = await get(phone, "event", seq=2)
        content = said["body"]["content"]
        (file,) = content["files"]
        assert (content["kind"], content["caption"], file["kind"], file["name"]) == ("files", "Look", "image", "me.jpg")
        assert (file["width"], file["height"]) == (30, 40)  # upright
        assert said["body"]["text"].startswith("Look\n[me.jpg, ")
        await get(ann, "ready")
        await say(ann, t="resume", position={"conversation": where, "seq": 0, "id": ""})
        await get(ann, "caught_up", conversation=where)
        got = await download(gateway, ann, where, file["id"])
        assert (got.status_code, got.headers["content-type"]) == (200, "image/jpeg")
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in got.headers
        assert SECRET not in got.content
        assert not shown(got.content).getexif()
        assert shown(got.content).size == (30, 40)
