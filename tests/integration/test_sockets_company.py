"""The company's own server begins conversations, over HTTP (SPEC 3.8)."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec
import pytest
from structlog.testing import capture_logs

from gateway.rules import SocketRules
from protocol.bus.chatflow import Targeting
from protocol.bus.config import AccountConfig
from protocol.ids import identified_visitor_id
from store.redis.keys import SERVERS
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import CELL, Bench, bench
from tests.kit.gateways import Running, get, nordvik, running
from tests.kit.hubs import DEVICE_KEY, house
from tests.kit.signing import sign
from tests.kit.workplace import ACCOUNT, APP, KEY, OPEN

SERVER_KEY = "canary-server-key-of-nordvik"
SAYS = {"subject": "user-17", "tag": "open", "text": "Your shoes are here.", "name": "Nordvik"}


def with_server() -> AccountConfig:
    config = nordvik()
    hashed = hashlib.sha256(SERVER_KEY.encode()).hexdigest()
    return msgspec.structs.replace(config, apps=[msgspec.structs.replace(config.apps[0], server_keys=[hashed])])


@asynccontextmanager
async def open_house(valkey: EmbeddedValkey, databases: Databases, config: AccountConfig) -> AsyncIterator[Bench]:
    """A house that knows the company's server."""
    async with bench(valkey, databases) as cell, house(cell, config):
        (hashed,) = config.apps[0].server_keys
        await cell.call("HSET", SERVERS, hashed, f"{CELL} {ACCOUNT}")
        yield cell


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with open_house(valkey, sqlite_databases, with_server()) as cell:
        yield cell


@pytest.fixture
async def gateway(cell: Bench) -> AsyncIterator[Running]:
    async with running(cell) as made:
        yield made


async def says(gateway: Running, body: Any = SAYS, key: str = SERVER_KEY, **headers: str) -> httpx2.Response:
    """Ask as the company's server does."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
    async with httpx2.AsyncClient(base_url=gateway.http, timeout=60) as http:
        return await http.post("/v1/server/conversations", content=content, headers=given)


def kari(subject: str = "user-17") -> dict[str, Any]:
    now_s = int(time.time())
    token = sign({"sub": subject, "aud": APP, "iat": now_s, "exp": now_s + 900})
    return {"kind": "identified", "device_key": DEVICE_KEY, "token": token}


async def test_a_visitor_who_was_never_here_finds_what_was_said(gateway: Running) -> None:
    """And answers in the same conversation."""
    begun = await says(gateway)
    assert begun.status_code == 201, begun.text
    where = begun.json()
    assert where["visitor"] == identified_visitor_id(KEY, APP, "user-17")
    async with gateway.visitor(credential=kari()) as phone:
        ready = await get(phone, "ready")
        assert ready["conversation"] == where["conversation"]
        while (event := await get(phone, "event"))["seq"] != where["seq"]:
            pass
        assert (event["id"], event["body"]["text"]) == (where["event"], SAYS["text"])
        assert event["body"]["by"] == {"role": "system", "id": "", "name": "Nordvik"}
        sends = {"t": "send", "n": 1, "id": "a", "conversation": where["conversation"], "text": "Thanks!"}
        await phone.send(json.dumps(sends))
        await get(phone, "ack", id="a")


async def test_what_is_said_next_goes_into_the_open_conversation(gateway: Running) -> None:
    """Live to who is there; under a chatflow's tag or by its id."""
    async with gateway.visitor(credential=kari()) as phone:
        ready = await get(phone, "ready")
        first = (await says(gateway)).json()
        second = (await says(gateway, {"subject": "user-17", "chatflow": OPEN, "text": "And your hat."})).json()
        assert first["conversation"] == second["conversation"] == ready["conversation"]
        while (event := await get(phone, "event"))["seq"] != second["seq"]:
            pass
        assert (event["body"]["text"], event["body"]["by"]["name"]) == ("And your hat.", "Nordvik")


async def test_the_tag_serves_what_the_last_phone_is_served(
    valkey: EmbeddedValkey, sqlite_databases: Databases
) -> None:
    """Targeting counts for the company as for the phone; a chatflow's own id passes it by."""
    flows = [
        msgspec.structs.replace(flow, targeting=Targeting(platforms=["ios"])) if flow.id == OPEN else flow
        for flow in with_server().chatflows
    ]
    targeted = msgspec.structs.replace(with_server(), chatflows=flows)
    async with open_house(valkey, sqlite_databases, targeted) as cell, running(cell) as gateway:
        assert (await says(gateway)).json()["code"] == "no_chatflow"  # nobody knows what phone it would be
        async with gateway.visitor(
            credential=kari(), device={"platform": "android", "app_version": "1.0", "locale": "en"}
        ) as phone:
            await get(phone, "ready")
        assert (await says(gateway)).status_code == 404
        assert (await says(gateway, {"subject": "user-17", "chatflow": OPEN, "text": "By its id."})).status_code == 201
        async with gateway.visitor(
            credential=kari("user-18"), device={"platform": "ios", "app_version": "1.0", "locale": "en"}
        ) as phone:
            await get(phone, "ready")
        assert (await says(gateway, {**SAYS, "subject": "user-18"})).status_code == 201


async def test_consent_still_gates_the_reply(gateway: Running) -> None:
    """The company may speak first; what the visitor types waits for their consent."""
    where = (await says(gateway, {**SAYS, "tag": "asks"})).json()
    async with gateway.visitor("asks", credential=kari()) as phone:
        ready = await get(phone, "ready")
        assert ready["steps"]["outstanding"] == ["consent_to_process"]
        sends = {"t": "send", "n": 1, "id": "a", "conversation": where["conversation"], "text": "secret"}
        await phone.send(json.dumps(sends))
        assert (await get(phone, "refused", id="a"))["code"] == "consent_required"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**SAYS, "tag": "nothing"}, 404, "no_chatflow"),
        ({"subject": "user-17", "chatflow": "flw_none", "text": "x"}, 404, "no_chatflow"),
        ({**SAYS, "chatflow": OPEN}, 400, "malformed"),
        ({"subject": "user-17", "text": "x"}, 400, "malformed"),
        ({**SAYS, "subject": ""}, 400, "malformed"),
        ({**SAYS, "text": ""}, 400, "malformed"),
        ({**SAYS, "text": " "}, 409, "empty_text"),
        ({**SAYS, "name": "N" * 101}, 400, "malformed"),
        (b"{", 400, "malformed"),
        (b"[]", 400, "malformed"),
        ({**SAYS, "more": "x" * 70_000}, 413, "too_large"),
    ],
)
async def test_what_is_no_message_is_refused_with_its_reason(
    gateway: Running, body: Any, status: int, code: str
) -> None:
    """The same form as refused frames; nothing of it is repeated."""
    answer = await says(gateway, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["text"]
    assert answer.headers["cache-control"] == "no-store"


async def test_a_long_message_that_comes_with_its_head_is_taken(gateway: Running) -> None:
    """The bound of a request's head is not one of its body."""
    assert (await says(gateway, {**SAYS, "text": "å" * 10_000})).status_code == 201


async def test_only_json_is_read(gateway: Running) -> None:
    """What a page sends across origins without asking is not."""
    assert (await says(gateway, **{"Content-Type": "text/plain"})).status_code == 415


@pytest.mark.parametrize("header", ["", "Bearer", "Basic abc", f"Bearer {SERVER_KEY}x", "Bearer " + "k" * 600])
async def test_without_a_server_key_nothing_is_said(gateway: Running, header: str) -> None:
    """401, whatever else is in the request."""
    answer = await says(gateway, Authorization=header)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_key_that_was_withdrawn_opens_nothing(cell: Bench, gateway: Running) -> None:
    """Though its name still leads to the account."""
    gone = hashlib.sha256(b"a key of last year").hexdigest()
    await cell.call("HSET", SERVERS, gone, f"{CELL} {ACCOUNT}")
    assert (await says(gateway, key="a key of last year")).status_code == 401


async def test_whoever_guesses_keys_guesses_slowly(cell: Bench) -> None:
    """Ten a minute and address; who has the key goes on."""
    async with running(cell, rules=SocketRules(key_guesses_per_minute=1, key_guesses_burst=2)) as gateway:
        answers = [await says(gateway, key=f"guess {number}") for number in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert (await says(gateway)).status_code == 201


async def test_a_company_that_says_too_much_is_told_to_wait(cell: Bench) -> None:
    """Counted for the app."""
    rules = SocketRules(company_messages_per_minute=1, company_messages_burst=2)
    async with running(cell, rules=rules) as gateway:
        answers = [await says(gateway) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert answers[-1].json()["retry_after_ms"] > 0


async def test_two_at_once_begin_one_conversation(gateway: Running) -> None:
    """Whichever was decided first began it; both stand in it."""
    answers = await asyncio.gather(*(says(gateway, {**SAYS, "text": f"{number}"}) for number in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["conversation"] for answer in answers}) == 1
    assert len({answer.json()["seq"] for answer in answers}) == 5


async def test_a_server_key_is_neither_logged_nor_stored(cell: Bench) -> None:
    """Only its hash is."""
    with capture_logs() as logs:
        async with running(cell) as gateway:
            await says(gateway)
            await says(gateway, b"{")
            await says(gateway, key=SERVER_KEY + "x")
    dumps = [await cell.call("DUMP", key) for key in await cell.call("KEYS", "*")]
    assert SERVER_KEY not in repr(logs)
    assert not any(SERVER_KEY.encode() in dump for dump in dumps if dump is not None)
