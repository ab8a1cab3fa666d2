"""A whole gateway over a real engine, Valkey and SQL, spoken to as clients do: HTTP, WebSockets, signed tokens."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from store.redis.keys import LOGINS
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import CELL, Bench, bench, now_ms
from tests.kit.gateways import ORIGIN, PASSWORD, Running, get, nordvik, running
from tests.kit.hubs import DEVICE_KEY, house, says_hello
from tests.kit.signing import ALGORITHMS, sign
from tests.kit.workplace import ACCOUNT, ANN, APP


async def turned_away(line: ClientConnection) -> tuple[str, int | None]:
    """Return the code of the refusal and the close code."""
    refused = await get(line, "refused")
    await line.wait_closed()
    return refused["code"], line.close_code


def identified(token: str) -> dict[str, str]:
    return {"kind": "identified", "device_key": DEVICE_KEY, "token": token}


def token(algorithm: str = "HS256", **changed: Any) -> str:
    now_s = int(time.time())
    return sign({"sub": "user-17", "aud": APP, "iat": now_s, "exp": now_s + 900} | changed, algorithm)


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as cell, house(cell, nordvik()):
        await cell.call("HSET", LOGINS, "ann@nordvik.example", f"{CELL} {ACCOUNT} {ANN}")
        yield cell


@pytest.fixture
async def gateway(cell: Bench) -> AsyncIterator[Running]:
    async with running(cell) as made:
        yield made


async def test_an_agent_who_logged_in_and_a_visitor_with_a_token_talk(gateway: Running) -> None:
    """From a password and a signature to a message and its answer, over real sockets."""
    async with gateway.agent(await gateway.ticket()) as ann, gateway.visitor(credential=identified(token())) as phone:
        desk, ready = await get(ann, "ready"), await get(phone, "ready")
        chat = ready["conversation"]
        assert ready["token_expires_at"] > now_ms()
        await phone.send(json.dumps({"t": "send", "n": 1, "id": "a", "conversation": chat, "text": "Hallo?"}))
        await get(phone, "ack", id="a")
        offer = (await get(ann, "feed", what="offered"))["row"]["offer"]
        await ann.send(json.dumps({"t": "accept", "n": desk["next_n"], "id": "x", "offer": offer}))
        await get(ann, "ack", id="x")
        await ann.send(
            json.dumps({"t": "send", "n": desk["next_n"] + 1, "id": "y", "conversation": chat, "text": "Hei!"})
        )
        await get(ann, "ack", id="y")
        while (event := await get(phone, "event"))["body"].get("text") != "Hei!":
            pass
        assert event["body"]["by"]["name"] == "Ann"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_the_same_subject_is_the_same_visitor(gateway: Running, algorithm: str) -> None:
    """Whichever of its keys a company signs with."""
    async with gateway.visitor(credential=identified(token())) as first:
        known = (await get(first, "ready"))["visitor"]
    async with gateway.visitor(credential=identified(token(algorithm))) as second:
        assert (await get(second, "ready"))["visitor"] == known


@pytest.mark.parametrize(
    ("changed", "away"),
    [
        ({"exp": 1_700_000_900, "iat": 1_700_000_000}, ("token_expired", 4401)),
        ({"aud": "app_other"}, ("token_invalid", 4501)),
        ({"sub": ""}, ("token_invalid", 4501)),
    ],
)
async def test_a_token_that_proves_nothing_opens_nothing(
    gateway: Running, changed: dict[str, Any], away: tuple[str, int]
) -> None:
    """It is refused, never taken as anonymous; only an expired one is worth coming back for."""
    async with gateway.visitor(credential=identified(token(**changed))) as phone:
        assert await turned_away(phone) == away


async def test_a_token_signed_anew_opens_nothing(gateway: Running) -> None:
    """Another key under the registered kid."""
    now_s = int(time.time())
    claims = {"sub": "user-17", "aud": APP, "iat": now_s, "exp": now_s + 900}
    forged = sign(claims, key="another secret of 32 characters!")
    async with gateway.visitor(credential=identified(forged)) as phone:
        assert await turned_away(phone) == ("token_invalid", 4501)


async def test_a_token_is_renewed_on_the_same_socket(gateway: Running) -> None:
    """Same subject: later expiry; another subject or a bad token: refused, and the socket goes on."""
    async with gateway.visitor(credential=identified(token(exp=int(time.time()) + 100))) as phone:
        until = (await get(phone, "ready"))["token_expires_at"]
        await phone.send(json.dumps({"t": "refresh", "token": token(sub="user-18")}))
        assert (await get(phone, "refused"))["code"] == "subject_changed"
        await phone.send(json.dumps({"t": "refresh", "token": token(aud="app_other")}))
        assert (await get(phone, "refused"))["code"] == "token_invalid"
        await phone.send(json.dumps({"t": "refresh", "token": token()}))
        assert (await get(phone, "refreshed"))["token_expires_at"] > until


async def test_a_ticket_used_again_opens_nothing(gateway: Running) -> None:
    """The first socket stays; the second is told to log in."""
    ticket = await gateway.ticket()
    async with gateway.agent(ticket) as first, gateway.agent(ticket) as second:
        assert sorted([(await anything(first))["t"], (await anything(second))["t"]]) == ["ready", "refused"]


async def anything(line: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await line.recv()))


@pytest.mark.parametrize(("origin", "welcome"), [(ORIGIN, True), ("https://evil.example", False)])
async def test_a_page_may_visit_if_the_app_allows_its_origin(gateway: Running, origin: str, welcome: bool) -> None:
    """Another's page is closed with 4503, which it can read."""
    async with gateway.line("mobile", origin=origin, **says_hello()) as page:
        if welcome:
            await get(page, "ready")
        else:
            await page.wait_closed()
            assert page.close_code == 4503


async def test_a_stop_sends_everybody_elsewhere(cell: Bench) -> None:
    """`reconnect`, then 4000, and `run` returns; nothing that was asked is left without an outcome."""
    async with running(cell) as gateway, gateway.visitor() as phone:
        await get(phone, "ready")
        gateway.stop.set()
        assert (await get(phone, "reconnect"))["after_ms"] == 0
        with pytest.raises(ConnectionClosed):
            await get(phone, "nothing")
        assert phone.close_code == 4000
        await gateway.task
        assert gateway.gateway.hub.unresolved == 0


async def test_the_gateway_is_ready_and_counts_its_sessions(gateway: Running) -> None:
    """The probes see the hub."""
    async with gateway.visitor() as phone, httpx2.AsyncClient(base_url=gateway.http, timeout=60) as http:
        await get(phone, "ready")
        assert (await http.get("/readyz")).status_code == 200
        figures = (await http.get("/metrics")).text
        assert "samtale_sessions 1.0" in figures
        assert "\nsamtale_commands_put_again_total " in figures


async def test_no_credential_is_logged_or_stored(cell: Bench) -> None:
    """Tokens, tickets, passwords, secrets: neither in logs nor in any key or value of Redis."""
    canary = token(sub="canary-user")
    with capture_logs() as logs:
        async with running(cell) as gateway:
            ticket = await gateway.ticket()
            async with gateway.visitor(credential=identified(canary)) as phone, gateway.agent(ticket) as ann:
                await get(ann, "ready")
                await get(phone, "ready")
                await phone.send(json.dumps({"t": "refresh", "token": canary + "x"}))
                await get(phone, "refused")
            async with gateway.visitor() as anonymous:
                secret = (await get(anonymous, "ready"))["secret"]
            async with gateway.visitor(credential=identified(canary[:-4] + "AAAA")) as forged:
                await turned_away(forged)
    kept = repr(logs) + repr([await contents(cell, key) for key in await cell.call("KEYS", "*")])
    for credential in (canary, canary.rpartition(".")[2], ticket, ticket.partition(".")[2], PASSWORD, secret):
        assert credential not in kept


async def contents(cell: Bench, key: bytes) -> Any:
    read = {"string": ["GET", key], "hash": ["HGETALL", key], "zset": ["ZRANGE", key, 0, -1]}
    kind = (await cell.call("TYPE", key)).decode()
    return key, await cell.call(*read.get(kind, ["XRANGE", key, "-", "+"]))
