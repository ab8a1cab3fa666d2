"""What is sent to do harm over REST: made-up cursors, formulas, bodies that never end, a password that was stolen."""

import asyncio
import base64
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import msgspec
import pytest

from admin.access.callers import COOKIE
from admin.http import reading
from protocol.bus.facts import ConsentGiven
from protocol.ids import AppKey, ChatflowId, ConversationId, VisitorId
from protocol.wire.content import Queued
from store.sql.queries import cells, commits
from tests.kit.commits import commit
from tests.kit.lone_cells import begun
from tests.kit.offices import FJORD, Caller, Desk, desk_in


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/contacts", b'[1000000000000000000000000000000, "a"]'),
        ("/consents", b'[-9223372036854775809, "a"]'),
        ("/audit", b"[9223372036854775808]"),
        ("/companies", b'["a\\u0000"]'),
        ("/teams", b'["a\\u0000", "b"]'),
        ("/contacts", b'["1", "a"]'),
        ("/audit", b"[true]"),
        ("/audit", b"[" * 400),
    ],
)
async def test_a_cursor_that_was_made_up_is_refused(desk: Desk, path: str, key: bytes) -> None:
    """Whatever it holds, SQL is not asked for it."""
    admin = await desk.key()
    cursor = base64.urlsafe_b64encode(key).rstrip(b"=").decode()[:500]
    assert (await admin.ask("GET", f"{path}?cursor={cursor}")).status_code == 400


async def test_a_ledger_that_a_phone_wrote_runs_nothing_in_a_spreadsheet(desk: Desk) -> None:
    """A version that begins as a formula does is text."""
    names = (AppKey("app_fjord"), ChatflowId("help"), ConversationId("cnv_1"), "process", "granted", "ab", 1, "nb")
    consent = ConsentGiven(FJORD, "line_1", VisitorId("vis_1"), *names, "=HYPERLINK(1)", 1_000)
    cell = (await desk.office.present(FJORD)).cell
    await desk.office.record.transact(lambda sql: cells.begin_epoch(sql, cell, 1))
    assert await desk.office.record.transact(lambda sql: commits.apply(sql, cell, [commit(1, facts=[consent])]))
    reader = await desk.key(["contacts.read"])
    table = (await reader.ask("GET", "/consents/export.csv")).text
    assert ",'=HYPERLINK(1),1000\r\n" in table


async def logged_in(desk: Desk, name: str) -> Caller:
    answer = await desk.http.post("/api/v1/session", json={"email": f"{name}@fjord.example", "password": "right"})
    desk.http.cookies.clear()  # the client is everybody's
    return Caller(desk.http, {"Cookie": f"{COOKIE}={SimpleCookie(answer.headers['Set-Cookie'])[COOKIE].value}"})


async def test_another_password_ends_every_session_of_the_user(desk: Desk) -> None:
    """Whoever knew the old one is out at once, and nobody else."""
    admin = await desk.key()
    per, siri = await logged_in(desk, "per"), await logged_in(desk, "siri")
    await admin.patch("/users/per", {"name": "Per V."})
    assert (await per.ask("GET", "/session")).status_code == 200
    await admin.patch("/users/per", {"password": "et-helt-nytt-passord"})
    assert [(await one.ask("GET", "/session")).status_code for one in (per, siri)] == [401, 200]


async def test_a_key_may_no_more_than_who_made_it_may_by_now(desk: Desk) -> None:
    """Nor one that was made with it: less once they are demoted, in their inboxes alone, nothing once they are gone."""
    admin, owner = await desk.key(), await desk.user("turid", "owner", "desk")
    other = ConversationId("cnv_other")
    await admin.post("/inboxes", {"id": "other", "name": "Other", "agents": ["amira"]})
    await desk.cells.happen(FJORD, other, begun(VisitorId("vis_1"), "other"), Queued("started"))
    keys, by = list[Caller](), owner
    for scopes in (["keys.edit", "conversations.read", "staff.edit"], ["conversations.read", "staff.edit"]):
        secret = (await by.post("/keys", {"name": "one", "scopes": scopes}))["secret"]
        keys.append(by := Caller(desk.http, {"Authorization": f"Bearer {secret}"}))

    async def told(method: str, path: str) -> list[int]:
        return [(await key.ask(method, path)).status_code for key in keys]

    team = "/teams/nothing"
    assert await told("GET", f"/conversations/{other}") == [200, 200]
    assert await told("DELETE", team) == [404, 404]
    await admin.patch("/users/turid", {"role": "supervisor"})
    assert await told("GET", f"/conversations/{other}") == [404, 404]
    assert await told("GET", "/conversations") == [200, 200]
    assert await told("DELETE", team) == [403, 403]
    there = (await admin.get("/inboxes/desk"))["agents"]
    await admin.patch("/inboxes/desk", {"agents": [name for name in there if name != "turid"]})
    await admin.good("DELETE", "/users/turid", If_Match="*")
    assert await told("GET", "/conversations") == [401, 401]


async def test_whoever_never_ends_their_body_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before anybody knows who they are."""
    monkeypatch.setattr(reading, "BODY_DEADLINE_S", 0.05)
    sent: list[dict[str, Any]] = []
    parts = [{"type": "http.request", "body": b'{"email": ', "more_body": True}]

    async def receive() -> dict[str, Any]:
        if parts:
            return parts.pop()
        await asyncio.Event().wait()
        raise AssertionError("nothing comes")

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/session", "query_string": b"", "headers": headers}
    async with asyncio.timeout(60):
        await desk.app(scope | {"root_path": "", "scheme": "http", "server": ("samtale.test", 80)}, receive, send)
    assert sent[0]["status"] == 400
    assert "in time" in msgspec.json.decode(sent[1]["body"])["detail"]
