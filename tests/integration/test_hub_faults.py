"""What a hub does when Redis, the engine, its own lease or its own luck fails."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from gateway import load, pending
from gateway.load import SILENT_S
from protocol.bus import topics
from protocol.wire.codes import CloseCode
from store import failpoints
from store.redis.keys import Keys
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import CELL, bench
from tests.kit.hubs import (
    DEVICE_KEY,
    Gateway,
    House,
    MemoryLine,
    again,
    house,
    office,
    outstanding,
    position,
    says_hello,
)
from tests.kit.workplace import ANN


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    async with bench(valkey, sqlite_databases) as cell, house(cell) as made:
        yield made


@pytest.fixture
async def gateway(home: House) -> AsyncIterator[Gateway]:
    async with home.gateway() as made:
        yield made


@pytest.fixture
async def brief(home: House) -> AsyncIterator[Gateway]:
    """A gateway that soon notices that its lease is lost."""
    async with home.gateway(lease_s=3.0) as made:
        yield made


def texts(line: MemoryLine) -> list[str]:
    events = [frame for frame in line.frames if frame["t"] == "event" and frame["body"]["kind"] == "message"]
    return [event["body"]["text"] for event in events]


async def test_a_line_lost_after_xadd_makes_no_second_message(home: House, gateway: Gateway) -> None:
    """The command's fate is unknown, so it is put in again; the ledger answers, the log has it once."""
    phone, ready = await gateway.visitor()
    chat = ready["conversation"]
    gateway.hub.cells.line(CELL).send("XLEN", home.cell.keys.inbox)
    phone.put(t="send", n=1, id="a", conversation=chat, text="once")
    asyncio.get_running_loop().call_soon(lambda: _cut_after_write(gateway))
    ack = await phone.until(lambda frame: frame["t"] == "ack")
    assert ack["id"] == "a"
    second = await phone.ask(t="send", n=2, id="b", conversation=chat, text="twice")
    assert second["t"] == "ack"
    await phone.until(lambda frame: frame["t"] == "event" and frame["body"].get("text") == "twice")
    assert texts(phone) == ["once", "twice"]


def _cut_after_write(gateway: Gateway) -> None:
    """Let the bytes leave, and lose the answer."""
    asyncio.get_running_loop().call_soon(
        lambda: asyncio.get_running_loop().call_soon(lambda: gateway.hub.cells.line(CELL).abort("test"))
    )


async def test_a_command_that_redis_lost_is_put_in_again(home: House, gateway: Gateway) -> None:
    """An entry that is in the stream no more, and was not decided, enters once more as it was."""
    phone, ready = await gateway.visitor()
    await home.engine.kill()
    phone.put(t="send", n=1, id="a", conversation=ready["conversation"], text="again")
    await phone.get("accepted")
    inbox = home.cell.keys.inbox
    for entry, _ in await home.cell.call("XRANGE", inbox, "-", "+"):
        await home.cell.call("XDEL", inbox, entry)
    home.engine = home.cell.start()
    assert (await phone.get("ack"))["id"] == "a"


async def test_an_outcome_that_was_lost_is_asked_for_again(home: House, gateway: Gateway) -> None:
    """Decided while nobody listened: the same command, put in again, brings the recorded outcome."""
    phone, ready = await gateway.visitor()
    await home.engine.kill()
    phone.put(t="send", n=1, id="a", conversation=ready["conversation"], text="once")
    await phone.get("accepted")
    channel = topics.replies(CELL, gateway.hub.lease.incarnation)
    gateway.hub._subscriptions._subscribers[CELL].unsubscribe(channel)
    home.engine = home.cell.start()
    await phone.event("message")
    await gateway.hub._subscriptions._subscribers[CELL].subscribe(channel)
    assert (await phone.get("ack"))["id"] == "a"
    assert texts(phone) == ["once"]


async def test_outcomes_are_asked_for_as_soon_as_they_can_be_heard_again(
    home: House, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost subscription is known to be one: nobody waits for the time after which any outcome counts as lost."""
    monkeypatch.setattr(pending, "AGAIN_AFTER_S", 3_600.0)
    phone, ready = await gateway.visitor()
    await home.engine.kill()
    phone.put(t="send", n=1, id="a", conversation=ready["conversation"], text="once")
    await phone.get("accepted")
    subscriber = gateway.hub._subscriptions._subscribers[CELL]
    subscriber.unsubscribe(topics.replies(CELL, gateway.hub.lease.incarnation))
    home.engine = home.cell.start()
    await phone.event("message")
    await subscriber.subscribe(topics.replies(CELL, gateway.hub.lease.incarnation))
    await home.cell.call("CLIENT", "KILL", "TYPE", "PUBSUB")
    assert (await phone.get("ack"))["id"] == "a"
    assert gateway.hub.put_again == 1
    assert texts(phone) == ["once"]


@pytest.mark.parametrize("identified", [True, False])
async def test_a_visitor_who_leaves_redis_during_hello_is_not_made_anew(
    home: House, gateway: Gateway, identified: bool
) -> None:
    """Let go of between the gateway's look and the decision: come again, and the record comes back from SQL."""
    kari = {"kind": "identified", "device_key": DEVICE_KEY, "token": "kari"}
    phone, ready = await gateway.visitor("asks", **({"credential": kari} if identified else {}))
    answer = {"conversation": ready["conversation"], "step": "consent_to_process", "value": "granted"}
    await phone.ask(t="answer", n=1, id="a", **answer)
    await home.cell.copy_to_sql()
    await home.engine.kill()
    credential = kari if identified else again(ready)
    inbox, late = home.cell.keys.inbox, gateway.mobile()
    ((newest, _),) = await home.cell.call("XREVRANGE", inbox, "+", "-", "COUNT", 1)
    late.put(**says_hello("asks", credential=credential))
    await home.cell.after(inbox, newest)  # the hello's command
    await home.cell.call("DEL", home.cell.keys.visitor(ready["visitor"]))
    home.engine = home.cell.start()
    assert (await late.get("refused"))["code"] == "unavailable"
    assert await late.ended() is CloseCode.OVERLOADED
    _, back = await gateway.visitor("asks", credential=credential)
    assert back["visitor"] == ready["visitor"]
    assert outstanding(back) == []


async def test_without_an_engine_a_frame_is_accepted_and_then_decided(home: House, gateway: Gateway) -> None:
    """It is in a durable stream: the sender is told so after a second, and the outcome when there is one."""
    phone, ready = await gateway.visitor()
    chat = ready["conversation"]
    await home.engine.kill()
    phone.put(t="send", n=1, id="a", conversation=chat, text="patience")
    accepted = await phone.get("accepted")
    assert (accepted["n"], accepted["id"], accepted["conversation"]) == (1, "a", chat)
    home.engine = home.cell.start()
    assert (await phone.get("ack"))["id"] == "a"


async def test_a_cell_that_lags_is_not_given_more(home: House, gateway: Gateway) -> None:
    """Before anything is written: overloaded, with a time to wait."""
    phone, ready = await gateway.visitor()
    chat = ready["conversation"]
    await home.engine.kill()
    phone.put(t="send", n=1, id="a", conversation=chat, text="waits")
    with pytest.MonkeyPatch.context() as impatient:
        impatient.setattr(load, "MAX_LAG_MS", 2_000)
        await _refuses(home, gateway, phone, chat)


async def _refuses(home: House, gateway: Gateway, phone: MemoryLine, chat: str) -> None:
    await home.cell.until(lambda: gateway.hub.load.trouble(CELL) is not None)
    before = await home.cell.call("XLEN", home.cell.keys.inbox)
    refusal = await phone.ask(t="send", n=2, id="b", conversation=chat, text="refused")
    assert refusal["code"] == "overloaded"
    assert refusal["expected"] == 2
    assert refusal["retry_after_ms"] > 0
    assert await home.cell.call("XLEN", home.cell.keys.inbox) == before
    late = gateway.mobile()
    late.put(**says_hello())
    assert (await late.get("refused"))["code"] == "overloaded"
    assert await late.ended() is CloseCode.OVERLOADED


async def test_a_gateway_that_is_slow_itself_takes_what_comes(gateway: Gateway) -> None:
    """Its last look was answered: that it could not look again is no silence of the cell."""
    now_s = asyncio.get_running_loop().time
    held_until_s = now_s() + SILENT_S + 0.1
    while now_s() < held_until_s:
        pass
    assert gateway.hub.load.answers(CELL)


async def test_a_lapsed_lease_sends_everybody_to_come_again(home: House, brief: Gateway) -> None:
    """4002; the new incarnation serves at once, and the roster lost nobody for good."""
    gateway = brief
    ann, _ = await gateway.agent(ANN)
    phone, ready = await gateway.visitor()
    old = gateway.hub.lease.incarnation
    hits: list[str] = []
    failpoints.arm("gateway.lease_lapsed", lambda: hits.append("lapsed"))
    await home.cell.call("ZREM", Keys(CELL).gateways, old)
    assert await ann.ended() is CloseCode.RESTARTED
    assert await phone.ended() is CloseCode.RESTARTED
    await home.cell.until(lambda: gateway.hub.ready)
    assert gateway.hub.lease.incarnation != old
    assert hits == ["lapsed"]
    line, later = await gateway.visitor(credential=again(ready))
    assert (await line.ask(t="send", n=1, id="a", conversation=later["conversation"], text="hi"))["t"] == "ack"


async def test_a_gateway_that_slept_past_its_lease_writes_nothing_under_it(home: House, brief: Gateway) -> None:
    """A command that found the lease too old waits for its renewal, which says that it lapsed."""
    gateway = brief
    phone, ready = await gateway.visitor()
    lease = gateway.hub.lease
    lease._renewed_s[CELL] -= 100  # what a SIGSTOP looks like from inside
    await home.cell.call("ZREM", Keys(CELL).gateways, lease.incarnation)
    before = await home.cell.call("XINFO", "STREAM", home.cell.keys.inbox)
    phone.put(t="send", n=1, id="a", conversation=ready["conversation"], text="late")
    assert await phone.ended() is CloseCode.RESTARTED
    after = await home.cell.call("XINFO", "STREAM", home.cell.keys.inbox)
    assert _entries_added(after) == _entries_added(before)


def _entries_added(about: list[object]) -> object:
    return dict(zip(about[::2], about[1::2], strict=True))[b"entries-added"]


async def test_redis_away_is_told_and_got_over(home: House, gateway: Gateway) -> None:
    """Sessions survive a cut of every line to Redis; what was said meanwhile arrives once."""
    phone, ready = await gateway.visitor()
    chat = ready["conversation"]
    await home.cell.call("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "NO")
    assert (await phone.ask(t="send", n=1, id="a", conversation=chat, text="still here"))["t"] == "ack"
    await phone.event("message")  # before the ack or after it
    assert texts(phone) == ["still here"]


async def test_what_is_said_before_consent_is_in_no_store(home: House, gateway: Gateway) -> None:
    """The canary is nowhere in Redis after the refusal; after the grant it is sent and shown."""
    canary = "canary-7f3a9c"
    phone, ready = await gateway.visitor("asks")
    chat = ready["conversation"]
    assert outstanding(ready) == ["consent_to_process"]
    refusal = await phone.ask(t="send", n=1, id="a", conversation=chat, text=canary)
    assert (refusal["code"], refusal["expected"]) == ("consent_required", 1)
    for key in await home.cell.call("KEYS", "*"):
        dumped = await home.cell.call("DUMP", key)
        assert canary.encode() not in (dumped or b""), key  # a lease may end meanwhile
    granted = await phone.ask(t="answer", n=1, id="g", conversation=chat, step="consent_to_process", value="granted")
    assert granted["t"] == "ack"
    assert (await phone.ask(t="send", n=2, id="b", conversation=chat, text=canary))["t"] == "ack"


@pytest.mark.parametrize("name", ["gateway.after_xadd", "gateway.after_subscribe", "gateway.mid_resume"])
async def test_every_failpoint_is_passed_by_a_short_story(gateway: Gateway, name: str) -> None:
    """Each named place is really on the way of a hello, a send and a resume."""
    hits: list[str] = []
    failpoints.arm(name, lambda: hits.append(name))
    phone, ready = await gateway.visitor()
    await phone.get("caught_up")
    await phone.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="hi")
    assert hits


async def test_a_changed_configuration_reaches_open_sessions(home: House, gateway: Gateway) -> None:
    """A seat that is taken away ends the agent's session."""
    ann, _ = await gateway.agent(ANN)
    config = office(version=3)
    agents = [msgspec.structs.replace(each, seat=each.id != ANN) for each in config.agents]
    await home.publish_live(msgspec.structs.replace(config, agents=agents))
    assert await ann.ended() is CloseCode.REVOKED


async def test_the_data_loss_of_redis_is_told_as_resync(home: House, brief: Gateway) -> None:
    """After a rebuild under a higher epoch a reader of lost entries is told, and sees the log that is."""
    gateway, lapsed = brief, brief.hub.lease.incarnation
    phone, ready = await gateway.visitor()
    chat = ready["conversation"]
    await phone.ask(t="send", n=1, id="a", conversation=chat, text="kept")
    await home.cell.copy_to_sql()
    await phone.ask(t="send", n=2, id="b", conversation=chat, text="lost")
    lost = await phone.until(lambda frame: frame["t"] == "event" and frame["body"].get("text") == "lost")
    await home.lose_redis()
    await home.cell.until(lambda: gateway.hub.lease.incarnation != lapsed)
    await home.cell.until(lambda: gateway.hub.ready and gateway.hub.load.epoch(CELL) > ready["epoch"])
    line, later = await gateway.visitor(credential=again(ready), positions=[position(chat, lost)])
    assert later["epoch"] > ready["epoch"]
    await line.get("resync")
    await line.get("caught_up")
    assert texts(line) == ["kept"]
    resent = await line.ask(t="send", n=2, id="b", conversation=chat, text="lost")
    assert resent["t"] == "ack"
