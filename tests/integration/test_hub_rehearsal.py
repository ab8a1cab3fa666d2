"""The agent's part in what is tried out, through hubs, an engine and a roster; and how what was just stored arrives."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from gateway.rehearsal import Act, play
from protocol.bus.chatflow import Availability
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId
from protocol.wire.codes import Code
from store.redis.faults import Away
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.queries.previews import Preview
from tests.kit.engines import bench
from tests.kit.hubs import PATIENCE_S, Gateway, House, house, office
from tests.kit.workplace import ACCOUNT, OPEN

PREVIEW = Preview(OPEN, ACCOUNT, OPEN, "draft", 0, "kari", 2**53)


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    async with bench(valkey, sqlite_databases) as cell, house(cell) as made:
        yield made


def attended(version: int) -> AccountConfig:
    """The office, open while an agent is there."""
    always = Availability("agents_available")
    flows = [msgspec.structs.replace(each, availability=always) for each in office().chatflows]
    return msgspec.structs.replace(office(version=version), chatflows=flows)


async def does(gateway: Gateway, act: str, config: AccountConfig | None = None, **more: Any) -> Code | None:
    return await play(gateway.hub.services, PREVIEW, config or attended(3), Act(act, **more))


async def test_whoever_came_through_one_gateway_goes_through_another(home: House) -> None:
    """And comes back through it: who is there is the agent's state, whichever gateway is asked."""
    await home.publish_live(attended(3))
    async with home.gateway() as one, home.gateway() as other:
        phone, ready = await one.visitor()
        assert not ready["availability"]["open"]
        for gateway, act, is_open in ((one, "come", True), (other, "go", False), (other, "come", True)):
            assert await does(gateway, act) is None
            assert (await phone.get("chatflow"))["availability"]["open"] is is_open


async def test_the_visitor_sees_the_agent_type_and_read(home: House) -> None:
    """As of any agent; nothing passes by at a conversation of another account."""
    async with home.gateway() as gateway:
        phone, ready = await gateway.visitor()
        chat = ready["conversation"]
        assert (await phone.ask(t="send", n=1, id="a", conversation=chat, text="Hello?"))["t"] == "ack"
        said = await phone.event("message")
        assert await does(gateway, "type", conversation=chat) is None
        assert (await phone.get("typing"))["on"]
        assert await does(gateway, "read", conversation=chat) is None
        assert (await phone.get("receipts", who="staff"))["read"] >= said["seq"]
        foreign = msgspec.structs.replace(attended(3), account=AccountId("acc_other"))
        for act in ("type", "read"):
            assert await does(gateway, act, foreign, conversation=chat) is Code.NOT_FOUND
            assert await does(gateway, act, conversation="cnv_never") is Code.NOT_FOUND


async def test_what_was_just_stored_is_waited_for_until_the_cell_has_it(home: House) -> None:
    """As long as it is worth waiting; then it is away, and whoever came may come again."""
    async with home.gateway() as gateway:
        await gateway.visitor()
        configs = gateway.hub.configs
        with pytest.raises(Away):
            await configs.arrived(office(version=5), 0)
        waiting = asyncio.create_task(configs.arrived(office(version=5), PATIENCE_S))
        await home.publish_live(office(version=5))
        assert (await waiting).version == 5
        assert (await configs.arrived(office(version=4), 0)).version == 5
