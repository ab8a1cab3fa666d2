"""What a newer configuration does to those who are in, and to those who come in meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from gateway import checks, configs
from gateway.core.limits import SessionLimits
from protocol.bus import topics
from protocol.bus.config import CONFIG_ENCODER, AccountConfig, App, Consent, IdentityKey
from protocol.ids import AccountId, AgentId, AppKey, CellName
from protocol.wire.codes import CloseCode
from store.redis.keys import APPS
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import CELL, bench
from tests.kit.hubs import DEVICE_KEY, PATIENCE_S, Gateway, House, again, house, office, says_hello
from tests.kit.workplace import ACCOUNT, ANN, INBOX

NEW_APP = AppKey("app_new")
DAG = AgentId("agt_dag")


@pytest.fixture
async def home(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[House]:
    async with bench(valkey, sqlite_databases) as cell, house(cell) as made:
        yield made


@pytest.fixture
async def gateway(home: House) -> AsyncIterator[Gateway]:
    async with home.gateway() as made:
        yield made


def deafen(gateway: Gateway) -> None:
    """Let the hub hear of no changed configuration."""
    gateway.hub._subscriptions._subscribers[CELL].unsubscribe(topics.config(CELL))


def staffed(config: AccountConfig, agent: AgentId, **changes: Any) -> AccountConfig:
    """The same office, with one agent changed, or taken on."""
    found = next((each for each in config.agents if each.id == agent), None)
    like = found or msgspec.structs.replace(config.agents[0], id=agent, name="Dag", email="dag@nordvik.example")
    agents = [each for each in config.agents if each.id != agent] + [msgspec.structs.replace(like, **changes)]
    inboxes = [msgspec.structs.replace(each, agents=[one.id for one in agents]) for each in config.inboxes]
    return msgspec.structs.replace(config, agents=agents, inboxes=inboxes)


async def test_a_change_that_a_hello_finds_is_told_to_everybody(home: House, gateway: Gateway) -> None:
    """The hint was lost; somebody with a new app key makes the gateway read, and the seat that was taken ends."""
    ann, _ = await gateway.agent(ANN)
    deafen(gateway)
    changed = staffed(office(version=3), ANN, seat=False)
    await home.publish_live(msgspec.structs.replace(changed, apps=[*changed.apps, App(NEW_APP, "New")]))
    await home.cell.call("HSET", APPS, NEW_APP, f"{CELL} {ACCOUNT}")
    await gateway.visitor(app_key=NEW_APP)
    assert await ann.ended() is CloseCode.REVOKED


async def test_consent_that_is_asked_for_during_hello_closes_the_gate(home: House, gateway: Gateway) -> None:
    """The hello began under the configuration before: nothing that is typed leaves the gateway all the same."""
    await gateway.visitor()
    await home.engine.kill()
    phone, inbox = gateway.mobile(), home.cell.keys.inbox
    ((newest, _),) = await home.cell.call("XREVRANGE", inbox, "+", "-", "COUNT", 1)
    phone.put(**says_hello())
    await home.cell.after(inbox, newest)  # the hello's command
    await home.publish_live(office(version=3, consent=Consent("explicit", {"en": "May we?"})))
    await home.cell.until(lambda: gateway.hub.configs.latest(office(version=2)).version == 3)
    home.engine = home.cell.start()
    ready = await phone.get("ready")
    await phone.get("caught_up")
    ((newest, _),) = await home.cell.call("XREVRANGE", inbox, "+", "-", "COUNT", 1)
    refused = await phone.ask(t="send", n=1, id="a", conversation=ready["conversation"], text="my secret")
    assert refused["code"] == "consent_required"
    assert await home.cell.call("XRANGE", inbox, b"(" + newest, "+") == []


async def test_an_agent_who_was_taken_on_unheard_is_let_in(home: House, gateway: Gateway) -> None:
    """Nobody is sent away for good before the published configuration was looked at."""
    await gateway.agent(ANN)
    deafen(gateway)
    await home.publish_live(staffed(office(version=3), DAG))
    _, ready = await gateway.agent(DAG)
    assert ready["agent"]["name"] == "Dag"
    assert ready["inboxes"] == [INBOX]


async def test_a_key_that_is_withdrawn_ends_what_it_proved(home: House, gateway: Gateway) -> None:
    """4401: a token of another key lets the visitor back in. Renewed with one of those that stay, nothing ends."""
    both, second = office(version=3), IdentityKey("second", "HS256", "another secret of the company's")
    both.apps[0].identity_keys.append(second)
    await home.publish_live(both)
    credential = {"kind": "identified", "device_key": DEVICE_KEY, "token": "kari"}
    old, _ = await gateway.visitor(credential=credential)
    renewed, _ = await gateway.visitor(credential={**credential, "device_key": "another-device-key"})
    anonymous, _ = await gateway.visitor()
    home.proofs.key = second
    renewed.put(t="refresh", token="kari")
    await renewed.get("refreshed")
    alone = office(version=4)
    alone.apps[0].identity_keys[:] = [second]
    await home.publish_live(alone)
    assert await old.ended() is CloseCode.TOKEN_EXPIRED
    assert (renewed.closed, anonymous.closed) == (None, None)


async def test_a_configuration_that_redis_lost_is_no_refusal_for_good(home: House, gateway: Gateway) -> None:
    """An agent with a good ticket is told to come back, since the fault is ours."""
    await home.cell.call("DEL", home.cell.keys.config(ACCOUNT))
    line = gateway.console()
    line.put(t="hello", v=1, ticket=f"a-good-ticket-of-{ANN}", device_key=DEVICE_KEY)
    assert (await line.get("refused"))["code"] == "unavailable"
    assert await line.ended() is CloseCode.OVERLOADED


async def test_changes_of_others_do_not_put_off_the_slow_check(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account whose hint was lost is looked at in time, however often another one changes."""
    monkeypatch.setattr(configs, "CHECK_S", 0.2)
    other = msgspec.structs.replace(office(), account=AccountId("acc_fjell"))
    key = home.cell.keys.config(other.account)
    await home.cell.call("HSET", key, "version", other.version, "bytes", CONFIG_ENCODER.encode(other))
    async with home.gateway() as gateway:
        ann, _ = await gateway.agent(ANN)
        await gateway.hub.configs.of_account(CELL, other.account)
        deafen(gateway)
        await home.publish_live(staffed(office(version=3), ANN, seat=False))
        async with asyncio.timeout(PATIENCE_S):
            while ann.closed is None:
                gateway.hub.configs.heard(other.account.encode())
                await asyncio.sleep(0)
        assert ann.closed is CloseCode.REVOKED


async def test_coming_again_buys_no_new_allowance(home: House) -> None:
    """What a phone may say is counted for the phone, not for the line (SPEC 2.5)."""
    async with home.gateway(limits=SessionLimits(messages_per_minute=1, message_burst=2)) as gateway:
        phone, ready = await gateway.visitor()
        chat = ready["conversation"]
        for n in (1, 2):
            assert (await phone.ask(t="send", n=n, id=f"m{n}", conversation=chat, text="hi"))["t"] == "ack"
        phone.drop()
        line, _ = await gateway.visitor(credential=again(ready))
        assert (await line.ask(t="send", n=3, id="m3", conversation=chat, text="hi"))["code"] == "rate_limited"
        assert (await line.ask(t="send", n=2, id="m2", conversation=chat, text="hi"))["t"] == "ack"


async def test_a_phone_that_is_logged_out_elsewhere_hears_no_more(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second gateway revokes the device; the first finds out by its slow check, which lost lines do not put off."""
    monkeypatch.setattr(checks, "EVERY_S", 0.2)
    async with home.gateway() as here, home.gateway() as there:
        old, ready = await here.visitor()
        new, _ = await there.visitor(credential=again(ready))
        new.put(t="logout")
        await new.get("logged_out")
        async with asyncio.timeout(PATIENCE_S):
            while old.closed is None:
                here.hub._checks.soon(CellName("c01"))  # another cell's line is lost again and again
                await asyncio.sleep(0)
        assert old.closed is CloseCode.REVOKED
