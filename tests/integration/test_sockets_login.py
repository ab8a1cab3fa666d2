"""Agents log in over HTTP and get a ticket that opens one socket."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher

from gateway.credentials import Proofs
from gateway.ports import Ticket
from gateway.rules import SocketRules
from gateway.tickets import LIFE_MS, issue
from protocol.bus.config import CONFIG_ENCODER, AccountConfig, Agent
from protocol.bus.decisions import Refusal
from protocol.ids import AccountId, AgentId, CellName
from protocol.wire.codes import Code
from store.redis.connection import Connection, dial
from store.redis.keys import LOGINS, Keys
from store.redis.server import EmbeddedValkey
from tests.kit.echo import ORIGIN, shell

CELL, ACCOUNT, KARI = CellName("c03"), AccountId("acc_nordvik"), AgentId("agt_kari")
INVALID = Refusal(Code.TICKET_INVALID)
GOOD = {"email": "Kari@nordvik.example", "password": "fjord og fjell"}


class Lines:
    """The `Redis` port over one server: every cell is there."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    async def call(self, cell: CellName | None, *parts: Any) -> Any:
        return await self._line.call(*parts)


@asynccontextmanager
async def cells(valkey: EmbeddedValkey) -> AsyncIterator[Lines]:
    """Lines to a Valkey that knows one agent."""
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD["password"])
    kari = Agent(KARI, "Kari", "kari@nordvik.example", hashed)
    line = await dial(valkey.address)
    try:
        await line.call("HSET", LOGINS, "kari@nordvik.example", f"{CELL} {ACCOUNT} {KARI}")
        await line.call("HSET", Keys(CELL).config(ACCOUNT), "bytes", published(kari))
        yield Lines(line)
    finally:
        line.abort()


def published(*agents: Agent) -> bytes:
    """The account's configuration with these agents."""
    return CONFIG_ENCODER.encode(AccountConfig(ACCOUNT, "Nordvik", 1, CELL, b"key", [], [], [*agents], [], []))


@asynccontextmanager
async def desk(lines: Lines, rules: SocketRules | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    """A gateway's HTTP, over these lines."""
    async with (
        shell(rules, lines) as gateway,
        httpx2.AsyncClient(base_url=f"http://{gateway.authority}", timeout=60) as http,
    ):
        yield http


async def test_a_right_password_gets_a_ticket_that_names_the_agent(valkey: EmbeddedValkey) -> None:
    """The answer says where the socket is and who one is; the ticket redeems to the same."""
    async with cells(valkey) as lines, desk(lines) as http:
        answer = await http.post("/v1/agent/login", json=GOOD)
        body = answer.json()
        assert answer.status_code == 200
        assert (body["socket"], body["agent"]) == ("/v1/agent", KARI)
        assert await Proofs([CELL]).redeem_ticket(lines, body["ticket"]) == Ticket(CELL, ACCOUNT, KARI)


async def test_a_ticket_opens_one_socket(valkey: EmbeddedValkey) -> None:
    """Its second use is refused."""
    async with cells(valkey) as lines:
        ticket = await issue(lines, Ticket(CELL, ACCOUNT, KARI), os.urandom)
        assert isinstance(await Proofs([CELL]).redeem_ticket(lines, ticket), Ticket)
        assert await Proofs([CELL]).redeem_ticket(lines, ticket) == INVALID


async def test_two_that_redeem_a_ticket_at_once_do_not_both_get_in(valkey: EmbeddedValkey) -> None:
    """Reading it removes it, in one command."""
    async with cells(valkey) as lines:
        ticket = await issue(lines, Ticket(CELL, ACCOUNT, KARI), os.urandom)
        both = await asyncio.gather(*(Proofs([CELL]).redeem_ticket(lines, ticket) for _ in range(2)))
        assert sorted(type(each).__name__ for each in both) == ["Refusal", "Ticket"]


async def test_a_ticket_lives_thirty_seconds_and_is_stored_hashed(valkey: EmbeddedValkey) -> None:
    """Whoever reads Redis finds no ticket; Redis forgets it by itself."""
    async with cells(valkey) as lines:
        ticket = await issue(lines, Ticket(CELL, ACCOUNT, KARI), os.urandom)
        (stored,) = await lines.call(CELL, "KEYS", "*ticket*")
        assert ticket.encode() not in stored
        assert ticket.partition(".")[2].encode() not in await lines.call(CELL, "GET", stored)
        assert 0 < await lines.call(CELL, "PTTL", stored) <= LIFE_MS == 30_000


@pytest.mark.parametrize("ticket", ["", "x" * 47, "c99." + "A" * 43, "c03." + "A" * 43, "c03.*", "C03." + "A" * 43])
async def test_what_is_no_ticket_is_refused(valkey: EmbeddedValkey, ticket: str) -> None:
    """Another form, another installation's cell, or never issued."""
    async with cells(valkey) as lines:
        assert await Proofs([CELL]).redeem_ticket(lines, ticket) == INVALID


@pytest.mark.parametrize("wrong", [{"password": "gjett"}, {"email": "ola@nordvik.example"}, {"email": "x y z"}])
async def test_a_wrong_password_and_an_unknown_email_are_refused_alike(
    valkey: EmbeddedValkey, wrong: dict[str, str]
) -> None:
    """The answer does not tell which it was."""
    async with cells(valkey) as lines, desk(lines) as http:
        answer = await http.post("/v1/agent/login", json=GOOD | wrong)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert not await lines.call(CELL, "KEYS", "*ticket*")


async def test_an_agent_that_was_removed_cannot_log_in(valkey: EmbeddedValkey) -> None:
    """The published configuration decides, not the list of e-mails."""
    async with cells(valkey) as lines, desk(lines) as http:
        await lines.call(CELL, "HSET", Keys(CELL).config(ACCOUNT), "bytes", published())
        assert (await http.post("/v1/agent/login", json=GOOD)).status_code == 401


async def test_an_agent_whose_account_redis_lost_is_told_to_come_again(valkey: EmbeddedValkey) -> None:
    """Nobody's password is wrong because of a fault of ours."""
    async with cells(valkey) as lines, desk(lines) as http:
        await lines.call(CELL, "DEL", Keys(CELL).config(ACCOUNT))
        answer = await http.post("/v1/agent/login", json=GOOD)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"email": "a@b.example"}', b'{"email": 1, "password": "x"}', b"\xff"]
)
async def test_a_body_of_another_form_is_malformed(valkey: EmbeddedValkey, body: bytes) -> None:
    """400, with a code and nothing of what was sent."""
    async with cells(valkey) as lines, desk(lines) as http:
        answer = await http.post("/v1/agent/login", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_a_long_body_is_not_read_to_its_end(valkey: EmbeddedValkey) -> None:
    """Beyond 4 KiB: 413."""
    async with cells(valkey) as lines, desk(lines) as http:
        answer = await http.post("/v1/agent/login", json=GOOD | {"password": "x" * 5_000})
        assert answer.status_code == 413


async def test_only_json_is_taken(valkey: EmbeddedValkey) -> None:
    """A form is what a page of another origin could send without asking: 415."""
    async with cells(valkey) as lines, desk(lines) as http:
        assert (await http.post("/v1/agent/login", data=GOOD)).status_code == 415


@pytest.mark.parametrize(("origin", "status"), [("https://evil.example", 403), (ORIGIN, 200)])
async def test_a_page_of_another_origin_cannot_log_in(valkey: EmbeddedValkey, origin: str, status: int) -> None:
    """Consoles come from the allow-list."""
    async with cells(valkey) as lines, desk(lines) as http:
        answer = await http.post("/v1/agent/login", json=GOOD, headers={"Origin": origin})
        assert answer.status_code == status


async def test_guessing_is_slowed_down(valkey: EmbeddedValkey) -> None:
    """Beyond its allowance an address gets 429 for that e-mail, a right password or not; others go on."""
    async with cells(valkey) as lines, desk(lines, SocketRules(logins_burst=2, logins_per_minute=1)) as http:
        for _ in range(2):
            await http.post("/v1/agent/login", json=GOOD | {"password": "gjett"})
        slowed = await http.post("/v1/agent/login", json=GOOD | {"email": GOOD["email"].upper()})
        assert (slowed.status_code, slowed.json()["code"]) == (429, "rate_limited")
        assert slowed.json()["retry_after_ms"] > 0
        assert (await http.post("/v1/agent/login", json=GOOD | {"email": "ola@nordvik.example"})).status_code == 401


async def test_trying_many_emails_is_slowed_down_too(valkey: EmbeddedValkey) -> None:
    """An address has an allowance of its own, whatever it tries."""
    async with (
        cells(valkey) as lines,
        desk(lines, SocketRules(address_logins_burst=2, address_logins_per_minute=1)) as http,
    ):
        tries = [await http.post("/v1/agent/login", json=GOOD | {"email": f"{name}@x.example"}) for name in "abc"]
        assert [answer.status_code for answer in tries] == [401, 401, 429]


async def test_nobody_logs_in_while_redis_is_away() -> None:
    """503, to be tried again."""
    async with shell() as gateway, httpx2.AsyncClient(timeout=60) as http:
        answer = await http.post(f"http://{gateway.authority}/v1/agent/login", json=GOOD)
        assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (503, "unavailable", True)
