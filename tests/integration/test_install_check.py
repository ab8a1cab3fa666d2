"""The install check over real sockets: a build says hello, and REST tells of it."""

import asyncio
from functools import partial
from typing import Any

import httpx2
import pytest
import samtale
from samtale.device import SDK, Device

from protocol.ids import AppKey
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.queries import builds
from tests.kit.commands import run_samtale
from tests.kit.engines import bench
from tests.kit.gateways import get, nordvik, running
from tests.kit.hubs import house
from tests.kit.samtale_servers import RunningSamtale
from tests.kit.workplace import ACCOUNT, APP


@pytest.mark.xdist_group("install")
@pytest.mark.asyncio(loop_scope="session")
async def test_the_first_hello_of_a_build_connects_the_app(samtale_server: RunningSamtale) -> None:
    """Within a minute: by its version, its SDK and its tag; and the next session counts, too."""
    made = await run_samtale("key", "create", "owner", "--account", "fjord", environment=samtale_server.environment)
    headers = {"Authorization": f"Bearer {made.out.strip()}"}
    device = Device("ios", "2.3.1 of the install check", "nb")
    async with httpx2.AsyncClient(base_url=f"{samtale_server.url}/api/v1", headers=headers, timeout=60) as api:
        for sessions in (1, 2):
            phone = samtale.VisitorClient(samtale_server.url, app_key="app_fjord", tag="support", device=device)
            async with phone:
                async for event in phone.events():
                    if isinstance(event, samtale.Connected):
                        break
            build = await seen(api, device.app_version, sessions)
            assert (build["platform"], build["sdk"], build["tag"]) == ("ios", SDK, "support")
        page = await api.get("/apps/app_fjord/set-up")
    assert "iOS 2.3.1 of the install check" in page.text


async def seen(api: httpx2.AsyncClient, version: str, sessions: int) -> Any:
    """Wait until a build was seen in that many sessions at least (a line may be lost), and return it."""
    async with asyncio.timeout(120):
        while True:
            check = (await api.get("/apps/app_fjord/install-check")).json()
            for build in check["items"]:
                if build["app_version"] == version and build["sessions"] >= sessions:
                    return build
            await asyncio.sleep(0.2)


async def test_a_gateway_that_ends_leaves_what_it_has_counted(
    valkey: EmbeddedValkey, sqlite_databases: Databases
) -> None:
    """Also what it has not written yet."""
    async with bench(valkey, sqlite_databases) as cell, house(cell, nordvik()):
        async with running(cell) as server:
            for _ in range(3):
                async with server.visitor() as phone:
                    await get(phone, "ready")
        told = await cell.databases.record.read(partial(builds.of_app, account=ACCOUNT, app=AppKey(APP)))
    assert [(build.platform, build.app_version, heard.sessions) for build, heard in told.items()] == [
        ("python", "1.0", 3)
    ]
