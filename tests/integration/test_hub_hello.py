"""Who is let in, who is turned away, and what nobody is shown of others."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from gateway.ports import Peer
from protocol.ids import AccountId, AppKey, ConversationId
from protocol.wire.codes import CloseCode
from protocol.wire.limits import SUBPROTOCOL_JSON
from store.redis.keys import APPS
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import CELL, bench
from tests.kit.hubs import DEVICE_KEY, Gateway, House, again, house, office, outstanding, position, says_hello
from tests.kit.workplace import ANN, ASKS, BO

OTHER_ACCOUNT, OTHER_APP = AccountId("acc_fjell"), AppKey("app_fjell")


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    async with bench(valkey, sqlite_databases) as cell:
        config = office(version=2)
        apps = [msgspec.structs.replace(config.apps[0], key=OTHER_APP)]
        agents = [msgspec.structs.replace(each, email=f"{each.id}@fjell.example") for each in config.agents]
        other = msgspec.structs.replace(config, account=OTHER_ACCOUNT, id_key=b"f" * 32, apps=apps, agents=agents)
        await cell.publish(other)
        async with house(cell) as made:
            await cell.call("HSET", APPS, OTHER_APP, f"{CELL} {OTHER_ACCOUNT}")
            yield made


@pytest.fixture
async def gateway(home: House) -> AsyncIterator[Gateway]:
    async with home.gateway() as made:
        yield made


def identified(token: str) -> dict[str, Any]:
    return {"kind": "identified", "device_key": DEVICE_KEY, "token": token}


@pytest.mark.parametrize(
    ("changes", "code", "close"),
    [
        ({"v": 2}, "version_unsupported", CloseCode.VERSION_UNSUPPORTED),
        ({"app_key": "app_nobody"}, "app_unknown", CloseCode.UNAUTHENTICATED),
        ({"credential": identified("expired")}, "token_expired", CloseCode.TOKEN_EXPIRED),
        (
            {"credential": {"kind": "anonymous", "device_key": DEVICE_KEY, "visitor": "vis_kari"}},
            "visitor_unknown",
            CloseCode.UNAUTHENTICATED,
        ),
        (
            {"credential": {"kind": "anonymous", "device_key": DEVICE_KEY, "visitor": "vis_x", "secrets": ["s" * 20]}},
            "visitor_unknown",
            CloseCode.UNAUTHENTICATED,
        ),
        ({"tag": ""}, "malformed", CloseCode.UNAUTHENTICATED),
        ({"t": "send"}, "malformed", CloseCode.UNAUTHENTICATED),
        ({"t": "ping", "ref": "r"}, "unauthenticated", CloseCode.UNAUTHENTICATED),
    ],
)
async def test_who_is_turned_away_is_told_why(
    gateway: Gateway, changes: dict[str, Any], code: str, close: CloseCode
) -> None:
    """A refusal, then the close code that says whether to come back (SPEC 3.1)."""
    line = gateway.mobile()
    line.put(**says_hello(**changes))
    assert (await line.get("refused"))["code"] == code
    assert await line.ended() is close


async def test_a_browser_of_another_site_is_turned_away(gateway: Gateway) -> None:
    """An Origin that the app does not allow is closed without a word (4503)."""
    line = gateway.mobile(peer=Peer("192.0.2.1", "https://evil.example"))
    line.put(**says_hello())
    assert await line.ended() is CloseCode.ORIGIN_REFUSED
    assert line.frames == []


async def test_only_one_frame_comes_before_ready(gateway: Gateway) -> None:
    """Whoever does not wait for `ready` is turned away (SPEC 2.5)."""
    line = gateway.mobile()
    line.put(**says_hello())
    line.put(t="ping", ref="r")
    assert (await line.get("refused"))["code"] == "unauthenticated"
    assert await line.ended() is CloseCode.UNAUTHENTICATED


async def test_a_tag_nobody_serves_lets_in_and_starts_nothing(gateway: Gateway) -> None:
    """`chatflow` null and why; a conversation that goes on elsewhere is still served."""
    _, ready = await gateway.visitor("nobody")
    assert ready["chatflow"] is None
    assert ready["reason"] == "no_chatflow"
    assert ready["conversations"] == []
    assert ready.get("conversation") is None


async def test_ready_shows_the_chatflow_and_the_conversation_to_start(gateway: Gateway) -> None:
    """In the visitor's locale, with the consent that is outstanding."""
    _, ready = await gateway.visitor(
        "asks", device={"platform": "ios", "app_version": "2", "locale": "nb-NO"}, subprotocol=SUBPROTOCOL_JSON
    )
    flow = ready["chatflow"]
    assert (flow["id"], flow["welcome"], flow["locale"]) == (ASKS, "Hei!", "nb")
    assert flow["consent"]["text"] == "Kan vi?"
    assert outstanding(ready) == ["consent_to_process"]
    (one,) = ready["conversations"]
    assert (one["id"], one["status"], one["seq"], one["next_n"]) == (ready["conversation"], "new", 0, 1)
    assert len(ready["secret"]) >= 43


async def test_the_secret_before_stays_good_until_the_new_one_is_presented(gateway: Gateway) -> None:
    """A line may drop before the client has stored the new one; once presented, it ends the old one."""
    _, first = await gateway.visitor()
    _, second = await gateway.visitor(credential=again(first))
    assert second["visitor"] == first["visitor"]
    _, third = await gateway.visitor(credential=again(first))
    assert third["visitor"] == first["visitor"]
    _, fourth = await gateway.visitor(credential=again(first, third["secret"], first["secret"]))
    assert fourth["visitor"] == first["visitor"]
    line = gateway.mobile()
    line.put(**says_hello(credential=again(first)))
    assert (await line.get("refused"))["code"] == "visitor_unknown"


async def test_a_secret_works_only_with_its_device_key(gateway: Gateway) -> None:
    """A stolen secret without the key of the phone is nothing."""
    _, ready = await gateway.visitor()
    line = gateway.mobile()
    line.put(**says_hello(credential={**again(ready), "device_key": "some-other-device-key"}))
    assert (await line.get("refused"))["code"] == "visitor_unknown"


async def test_two_phones_of_an_identified_visitor_address_the_same_conversation(gateway: Gateway) -> None:
    """Before it exists and after; each with its own numbering."""
    here, one = await gateway.visitor(credential=identified("kari"))
    there, two = await gateway.visitor(credential={**identified("kari"), "device_key": "another-device-key"})
    assert one["visitor"] == two["visitor"]
    assert one["device"] != two["device"]
    chat = one["conversation"]
    assert two["conversation"] == chat
    assert one.get("secret") is None
    assert (await here.ask(t="send", n=1, id="a", conversation=chat, text="from here"))["t"] == "ack"
    assert (await there.ask(t="send", n=1, id="b", conversation=chat, text="from there"))["t"] == "ack"


async def test_logging_out_revokes_the_device(gateway: Gateway) -> None:
    """logged_out, 4504; the secret is worth nothing after it."""
    line, ready = await gateway.visitor()
    line.put(t="logout")
    await line.get("logged_out")
    assert await line.ended() is CloseCode.REVOKED
    late = gateway.mobile()
    late.put(**says_hello(credential=again(ready)))
    assert (await late.get("refused"))["code"] == "visitor_unknown"


async def test_a_token_is_renewed_in_band(home: House, gateway: Gateway) -> None:
    """For the same subject only; a bad one changes nothing."""
    line, _ = await gateway.visitor(credential=identified("kari"))
    line.put(t="refresh", token="ola")
    assert (await line.get("refused"))["code"] == "subject_changed"
    line.put(t="refresh", token="expired")
    assert (await line.get("refused"))["code"] == "token_expired"
    home.proofs.token_until_s += 1
    line.put(t="refresh", token="kari")
    assert (await line.get("refreshed"))["token_expires_at"] == home.proofs.token_until_s * 1000


@pytest.mark.parametrize(
    ("ticket", "code", "close"),
    [
        ("not-a-ticket-at-all", "ticket_invalid", CloseCode.UNAUTHENTICATED),
        ("a-good-ticket-of-agt_nobody", "seat_required", CloseCode.REVOKED),
    ],
)
async def test_an_agent_without_ticket_or_seat_is_turned_away(
    gateway: Gateway, ticket: str, code: str, close: CloseCode
) -> None:
    """SPEC 3.6."""
    line = gateway.console()
    line.put(t="hello", v=1, ticket=ticket, device_key=DEVICE_KEY)
    assert (await line.get("refused"))["code"] == code
    assert await line.ended() is close


async def test_ready_shows_an_agent_their_place(gateway: Gateway) -> None:
    """Who they are and how it stands, who else is there, and the feeds that follow."""
    line, ready = await gateway.agent(ANN)
    assert ready["agent"] == {"id": ANN, "name": "Ann", "state": "available", "capacity": 2}
    assert {each["name"] for each in ready["colleagues"]} == {"Bo", "Cy"}
    for feed in ready["feeds"]:
        assert (await line.until(lambda frame: frame["t"] == "feed_snapshot"))["feed"] in ready["feeds"]
        assert feed


async def test_nothing_of_an_account_is_visible_to_another(gateway: Gateway) -> None:
    """Every way to a conversation of another account ends like the way to none (G11)."""
    ours, ready = await gateway.visitor()
    chat = ready["conversation"]
    assert (await ours.ask(t="send", n=1, id="a", conversation=chat, text="ours"))["t"] == "ack"
    theirs, _ = await gateway.visitor(app_key=OTHER_APP, positions=[position(chat)])
    assert (await theirs.get("refused"))["code"] == "not_found"
    for frame in (
        {"t": "send", "n": 1, "id": "x", "text": "mine?"},
        {"t": "close", "n": 1, "id": "y"},
        {"t": "answer", "n": 1, "id": "z", "step": "consent_to_process", "value": "granted"},
        {"t": "typing", "on": True},
        {"t": "receipt", "delivered": 1},
        {"t": "history", "ref": "r", "before": 9},
    ):
        theirs.put(conversation=chat, **frame)
        assert (await theirs.get("refused", conversation=chat))["code"] == "not_found"
    credential = again(ready)
    line = gateway.mobile()
    line.put(**says_hello(app_key=OTHER_APP, credential=credential))
    assert (await line.get("refused"))["code"] == "visitor_unknown"
    assert not any(frame["t"] == "event" for frame in [*theirs.frames, *line.frames])


async def test_a_visitor_whom_redis_let_go_is_read_from_sql(home: House, gateway: Gateway) -> None:
    """Cold state comes with the caller: the same visitor, the same secret, the same conversation."""
    first, ready = await gateway.visitor()
    assert (await first.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="hi"))["t"] == "ack"
    await home.cell.copy_to_sql()
    await home.engine.stop()
    await home.cell.call("DEL", home.cell.keys.visitor(ready["visitor"]))
    home.engine = await home.cell.open()
    _, later = await gateway.visitor(credential=again(ready))
    assert later["visitor"] == ready["visitor"]
    assert later["conversation"] == ConversationId(ready["conversation"])
    assert later["conversations"][0]["next_n"] == 2


async def test_consoles_that_come_at_once_are_shown_each_other(gateway: Gateway) -> None:
    """What one reading shows to several was read after each had arrived."""
    lines = [gateway.console() for _ in range(2)]
    for line, agent in zip(lines, (ANN, BO), strict=True):
        line.put(t="hello", v=1, ticket=f"a-good-ticket-of-{agent}", device_key=DEVICE_KEY)
    readies = [await line.get("ready") for line in lines]
    assert all(ready["agent"]["state"] != "offline" for ready in readies)
