"""A phone and a console talk through a hub, an engine and a Valkey."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway import pending
from protocol.wire.limits import SUBPROTOCOL_JSON
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import bench
from tests.kit.hubs import Gateway, House, again, house
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


async def test_nothing_is_put_in_again_while_nothing_fails(
    home: House, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every outcome arrives by itself, the first after each hello too: one that is lost would be waited for in vain."""
    monkeypatch.setattr(pending, "AGAIN_AFTER_S", 3_600.0)
    ann, desk = await gateway.agent(ANN)
    for turn in range(20):
        phone, ready = await gateway.visitor()
        chat = ready["conversation"]
        asked = (phone.ask(t="send", n=n, id=f"v{n}", conversation=chat, text="Hello?") for n in (1, 2, 3))
        assert [outcome["t"] for outcome in await asyncio.gather(*asked)] == ["ack"] * 3
        n = desk["next_n"] + 2 * turn
        offered = await ann.get("feed", what="offered")
        assert (await ann.ask(t="accept", n=n, id=f"a{n}", offer=offered["row"]["offer"]))["t"] == "ack"
        assert (await ann.ask(t="close", n=n + 1, id=f"c{n}", conversation=chat))["t"] == "ack"
        phone.drop()
    await home.cell.until(lambda: gateway.hub.unresolved == 0)
    assert gateway.hub.put_again == 0


async def test_what_passes_by_reaches_the_other_side(gateway: Gateway) -> None:
    """Place, presence, typing and receipts, each to whom it is for and not to who said it."""
    phone, ready = await gateway.visitor()
    chat = ready["conversation"]
    await phone.ask(t="send", n=1, id="a", conversation=chat, text="Anybody?")
    assert (await phone.get("place"))["place"] == 1
    ann, desk = await gateway.agent(ANN)
    mine = await ann.get("feed_snapshot", feed=desk["feeds"][0])
    (offer,) = [row["offer"] for row in mine["rows"] if row["key"].startswith("offer:")]
    await ann.ask(t="accept", n=desk["next_n"], id="x", offer=offer)
    ann.put(t="resume", position={"conversation": chat, "seq": 0, "id": ""})
    caught_up = await ann.get("caught_up")
    assert (await ann.get("presence"))["online"] is True
    phone.put(t="typing", conversation=chat, on=True)
    assert (await ann.get("typing"))["who"] == "visitor"
    ann.put(t="typing", conversation=chat, on=True)
    assert (await phone.get("typing"))["name"] == "Ann"
    ann.put(t="receipt", conversation=chat, delivered=caught_up["seq"], read=1)
    horizons = await phone.get("receipts")
    assert (horizons["who"], horizons["delivered"], horizons["read"]) == ("staff", caught_up["seq"], 1)
    phone.drop()
    assert (await ann.get("presence"))["online"] is False
    assert [frame for frame in ann.frames if frame["t"] == "receipts"] == []
    _, later = await gateway.visitor(credential=again(ready))
    assert later["conversations"][0]["delivered"] == caught_up["seq"]
