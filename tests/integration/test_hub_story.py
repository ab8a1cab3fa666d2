"""A phone and a console talk through a hub, an engine and a Valkey."""

from collections.abc import AsyncIterator

import pytest

from protocol.wire.limits import SUBPROTOCOL_JSON
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import bench
from tests.kit.hubs import Gateway, House, house
from tests.kit.workplace import ANN


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    async with bench(valkey, sqlite_databases) as cell, house(cell) as made:
        yield made


@pytest.fixture
async def gateway(home: House) -> AsyncIterator[Gateway]:
    async with home.gateway() as made:
        yield made


@pytest.mark.parametrize("subprotocol", [None, SUBPROTOCOL_JSON])
async def test_visitor_and_agent_talk(gateway: Gateway, subprotocol: str | None) -> None:
    """Send, offer, accept, reply, close: each side sees the same log."""
    extra = {"subprotocol": subprotocol} if subprotocol else {}
    ann, desk = await gateway.agent(ANN)
    phone, ready = await gateway.visitor(**extra)
    chat = ready["conversation"]
    assert (await phone.get("caught_up"))["seq"] == 0
    sent = await phone.ask(t="send", n=1, id="a", conversation=chat, text="Hello?")
    assert sent["t"] == "ack"
    offered = await ann.get("feed", what="offered")
    assert (await ann.ask(t="accept", n=desk["next_n"], id="x", offer=offered["row"]["offer"]))["t"] == "ack"
    ann.put(t="resume", position={"conversation": chat, "seq": 0, "id": ""})
    assert (await ann.event("message"))["body"]["text"] == "Hello?"
    await ann.get("caught_up")
    assert (await ann.ask(t="send", n=2, id="y", conversation=chat, text="Hello!"))["t"] == "ack"
    await phone.event("assigned")
    assert (await phone.event("message"))["body"]["text"] == "Hello!"
    assert (await phone.ask(t="close", n=2, id="b", conversation=chat))["t"] == "ack"
    closed = await ann.event("closed")
    seqs = [frame["seq"] for frame in ann.frames if frame["t"] == "event"]
    assert seqs == list(range(1, closed["seq"] + 1))
    assert [frame["seq"] for frame in phone.frames if frame["t"] == "event"] == seqs
