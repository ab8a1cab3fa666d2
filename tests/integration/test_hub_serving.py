"""What phones are shown, at hello and when it changes, through a hub, an engine and a roster."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from protocol.bus import topics
from protocol.bus.chatflow import Availability, Heading, Rollout, Targeting
from protocol.bus.config import AccountConfig
from protocol.bus.hours import Hours, Interval
from protocol.ids import HoursId
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import CELL, bench
from tests.kit.hubs import DEVICE_KEY, Gateway, House, house, office
from tests.kit.workplace import ACCOUNT, ANN, BO, OPEN

NEVER = Hours(HoursId("hrs"), "Never", "Europe/Oslo", [[]] * 7)
_NOW = datetime.now(ZoneInfo("Europe/Oslo"))
_LATER = (_NOW.hour * 60 + _NOW.minute + 720) % 1_440
LATER = Hours(HoursId("hrs"), "Later", "Europe/Oslo", [[Interval(_LATER, _LATER + 1)]] * 7)  # half a day from now


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    async with bench(valkey, sqlite_databases) as cell, house(cell) as made:
        yield made


@pytest.fixture
async def gateway(home: House) -> AsyncIterator[Gateway]:
    async with home.gateway() as made:
        yield made


def shown(number: int, **flow: Any) -> AccountConfig:
    """The office's configuration of that number, with every chatflow changed so."""
    flows = [msgspec.structs.replace(each, **flow) for each in office().chatflows]
    return msgspec.structs.replace(office(version=number), chatflows=flows)


async def test_a_phone_that_holds_the_view_is_sent_the_short_one(gateway: Gateway) -> None:
    """By its etag; the heading always comes, since chance is in it."""
    _, first = await gateway.visitor()
    full = first["chatflow"]
    assert full["texts"]["send"] == "Send"
    _, second = await gateway.visitor(view=full["etag"])
    assert set(second["chatflow"]) == {"id", "version", "name", "locale", "heading", "etag"}
    _, third = await gateway.visitor(view="another")
    assert third["chatflow"] == full


async def test_a_publish_is_told_to_who_is_there(home: House, gateway: Gateway) -> None:
    """Whoever has an open conversation goes on in it; new ones get the new version."""
    old, ready = await gateway.visitor()
    await old.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="Hello")
    await home.publish_live(shown(3, version=7, welcome={"en": "Welcome, anew"}))
    told = await old.get("chatflow")
    assert (told["chatflow"]["version"], told["chatflow"]["welcome"]) == (7, "Welcome, anew")
    assert told["conversation"] == ready["conversation"]
    new, later = await gateway.visitor()
    await new.ask(t="send", n=1, id="a", conversation=later["conversation"], text="Hello")
    versions = [(await line.ever(_is_started))["body"]["version"] for line in (old, new)]
    assert versions == [3, 7]


def _is_started(frame: dict[str, Any]) -> bool:
    return bool(frame["t"] == "event" and frame["body"]["kind"] == "started")


async def test_the_version_that_a_phone_was_shown_is_the_one_it_starts(home: House, gateway: Gateway) -> None:
    """In a staged rollout that reaches nobody, the one before is served and begun."""
    old = office(version=2).chatflows
    new = [msgspec.structs.replace(flow, version=4, rollout=Rollout(share=0)) for flow in old]
    await home.publish_live(msgspec.structs.replace(office(version=3), chatflows=new, past=old))
    phone, ready = await gateway.visitor()
    assert ready["chatflow"]["version"] == 3
    await phone.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="Hello")
    assert (await phone.event("started"))["body"]["version"] == 3


async def test_switching_off_and_on_is_told(home: House, gateway: Gateway) -> None:
    """With the reason; what runs goes on."""
    phone, ready = await gateway.visitor()
    await phone.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="Hello")
    await home.publish_live(shown(3, enabled=False))
    off = await phone.get("chatflow")
    assert (off["chatflow"], off["reason"]) == (None, "no_chatflow")
    assert (await phone.ask(t="send", n=2, id="b", conversation=ready["conversation"], text="Still"))["t"] == "ack"
    await home.publish_live(shown(4))
    on = await phone.get("chatflow")
    assert on["conversation"] == ready["conversation"]


async def test_targeting_serves_each_device_its_own(home: House, gateway: Gateway) -> None:
    """By platform, before priority."""
    flows = office(version=3).chatflows
    config = msgspec.structs.replace(
        office(version=3),
        chatflows=[
            msgspec.structs.replace(
                flow, tags=["shop"], targeting=Targeting(platforms=["ios"]) if flow.id != OPEN else Targeting()
            )
            for flow in flows
        ],
    )
    await home.publish_live(config)
    served = []
    for platform in ("ios", "android"):
        device = {"platform": platform, "app_version": "1", "locale": "en"}
        _, ready = await gateway.visitor("shop", device=device)
        served.append(ready["chatflow"]["id"])
    assert served == ["flw_asks", OPEN]


async def test_somebody_comes_and_leaves_and_phones_are_told(home: House, gateway: Gateway) -> None:
    """Under agents_available, by the roster's word."""
    await home.publish_live(shown(3, availability=Availability("agents_available")))
    phone, ready = await gateway.visitor()
    assert ready["availability"]["text"].startswith("We are not here")
    ann, _ = await gateway.agent(ANN)
    there = await phone.get("chatflow")
    assert there["availability"]["open"]
    assert "texts" not in there["chatflow"]
    ann.drop()
    gone = await phone.get("chatflow")
    assert not gone["availability"]["open"]


async def test_who_comes_while_nothing_is_heard_is_told_all_the_same(home: House, gateway: Gateway) -> None:
    """The hint was lost; once the subscription is back, the rows are read again."""
    await home.publish_live(shown(3, availability=Availability("agents_available")))
    phone, _ = await gateway.visitor()
    feed = topics.feed(CELL, topics.rules_feed(ACCOUNT))
    gateway.hub._subscriptions._subscribers[CELL].unsubscribe(feed)
    await gateway.agent(ANN)
    await home.cell.call("CLIENT", "KILL", "TYPE", "PUBSUB")
    assert (await phone.get("chatflow"))["availability"]["open"]


async def test_a_hidden_chatflow_is_not_started_while_nobody_is_there(home: House, gateway: Gateway) -> None:
    """Refused with the next opening; heading, welcome and history are there all the same."""
    hidden = Availability("agents_available", LATER.id, "hide")
    config = msgspec.structs.replace(shown(3, availability=hidden), hours=[LATER])
    await home.publish_live(config)
    phone, ready = await gateway.visitor()
    assert ready["chatflow"]["welcome"] == "Hello!"
    refusal = await phone.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="Hello?")
    assert (refusal["code"], refusal["opens_at"]) == ("nobody_there", ready["availability"]["opens_at"])
    assert refusal["opens_at"] > ready["at"]


async def test_outside_hours_conversations_are_taken(home: House, gateway: Gateway) -> None:
    """Accepted and queued; the away text is shown."""
    office_hours = Availability("office_hours", NEVER.id, away_text={"en": "Gone fishing."})
    await home.publish_live(msgspec.structs.replace(shown(3, availability=office_hours), hours=[NEVER]))
    phone, ready = await gateway.visitor()
    assert ready["availability"]["text"] == "Gone fishing."
    assert (await phone.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="Hello?"))["t"] == "ack"


async def test_three_of_the_team_are_shown_and_the_same_for_the_session(home: House, gateway: Gateway) -> None:
    """By name; nobody's id is in a frame."""
    heading = Heading("users_and_teams", agents=[ANN, BO])
    await home.publish_live(shown(3, heading=heading))
    phone, ready = await gateway.visitor()
    people = ready["chatflow"]["heading"]["people"]
    assert {person["name"] for person in people} == {"Ann", "Bo"}
    await home.publish_live(shown(4, heading=heading, welcome={"en": "Hi"}))
    assert (await phone.get("chatflow"))["chatflow"]["heading"]["people"] == people
    assert b"agt_" not in msgspec.msgpack.encode(phone.frames)


async def test_what_the_app_told_is_read_by_targeting_at_the_next_hello(gateway: Gateway, home: House) -> None:
    """What the app told is on the record, and targeting reads it there."""
    flows = office(version=3).chatflows
    gold = Targeting(attributes={"plan": "gold"})
    config = [msgspec.structs.replace(f, tags=["shop"], targeting=gold if f.id != OPEN else Targeting()) for f in flows]
    await home.publish_live(msgspec.structs.replace(office(version=3), chatflows=config, data_privacy=False))
    kari = {"kind": "identified", "device_key": DEVICE_KEY, "token": "kari"}
    phone, ready = await gateway.visitor("shop", credential=kari)
    assert ready["chatflow"]["id"] == OPEN
    phone.put(t="set_context", properties={"plan": "gold"})
    assert (await phone.get("chatflow"))["chatflow"]["id"] == "flw_asks"

    async def plan() -> str:
        record = await home.cell.visitor(ready["visitor"])
        return record.context.properties.get("plan", "") if record is not None else ""

    while await plan() != "gold":
        await home.cell.call("XREAD", "BLOCK", 20, "STREAMS", "nothing", "$")
    _, later = await gateway.visitor("shop", credential=kari)
    assert later["chatflow"]["id"] == "flw_asks"
