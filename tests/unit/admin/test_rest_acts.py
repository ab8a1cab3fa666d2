"""What is done to conversations over REST: judged by the engine's core as an agent's commands are."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from protocol.wire.content import Assigned, Message, Queued, TagsChanged, TicketOpened
from store.sql.queries import search
from tests.kit.offices import FJORD, NORDVIK, Caller, Desk, desk_in
from tests.unit.admin.test_rest_conversations import GATED, KARI, ONE, PER, TWO, begun, browser, says

SECRET = "canary-4711"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Per has a conversation with a ticket in the help desk; nobody has the other one."""
    async with desk_in(tmp_path) as desk:
        talked = [begun(KARI, help_desk=True), Queued("started"), says(KARI, SECRET), TicketOpened(7)]
        await desk.cells.happen(FJORD, ONE, *talked, Assigned(PER, "offer"), Message(PER, "Hei"))
        await desk.cells.happen(FJORD, TWO, begun(KARI), Queued("started"), says(KARI, "Hallo"))
        await desk.cells.happen(FJORD, GATED, begun(KARI, steps=["consent_to_process"]))
        yield desk


@pytest.fixture
async def key(desk: Desk) -> Caller:
    return await desk.key()


async def do(caller: Caller, action: str, body: dict[str, Any], where: str = ONE, **headers: str) -> Any:
    return await caller.ask("POST", f"/conversations/{where}/{action}", {"agent": "per", **body}, **headers)


async def state(key: Caller) -> Any:
    return await key.get(f"/conversations/{ONE}")


@pytest.mark.parametrize(
    ("action", "body", "shows"),
    [
        ("tags", {"add": ["vip", "late"]}, {"tags": ["late", "vip"]}),
        ("fields", {"fields": {"meter": "4711"}}, {"fields": {"meter": "4711"}}),
        ("priority", {"priority": "urgent"}, {"priority": "urgent"}),
        ("snooze", {"until_ms": 2**42}, {"snoozed_until_ms": 2**42, "status": "snoozed"}),
        ("ticket", {"status": "closed"}, {"ticket": {"number": 7, "status": "closed"}}),
        ("close", {"close_ticket": True}, {"status": "closed", "ticket": {"number": 7, "status": "closed"}}),
        ("close", {"spam": True}, {"status": "closed"}),
    ],
)
async def test_what_is_done_is_in_the_log(key: Caller, action: str, body: Any, shows: dict[str, Any]) -> None:
    """The answer names the entry; asked again, it is so already."""
    first = (await do(key, action, body)).json()
    entries = (await key.get(f"/conversations/{ONE}/messages?audience=staff"))["items"]
    assert {"seq": first["seq"], "id": first["event"]}.items() <= entries[first["seq"] - 1].items()
    shown = await state(key)
    assert shows == {name: shown[name] for name in shows}
    await do(key, action, body)
    assert (await state(key))["entries"] == shown["entries"]


async def test_tags_are_taken_off(key: Caller) -> None:
    """One that is put on and taken off at once is put on."""
    await do(key, "tags", {"add": ["a", "b"]})
    await do(key, "tags", {"add": ["c"], "remove": ["a", "c"]})
    assert (await state(key))["tags"] == ["b", "c"]


async def test_a_redacted_message_is_nowhere(desk: Desk, key: Caller) -> None:
    """Its place stays; no reader and no search finds what was said, and no table holds it."""
    done = await do(key, "redact", {"seq": 3})
    assert done.status_code == 200
    for audience in ("visitor", "staff"):
        for path in ("messages", "transcript.json", "transcript.txt"):
            read = await key.ask("GET", f"/conversations/{ONE}/{path}?audience={audience}")
            assert SECRET not in read.text
    entry = (await key.get(f"/conversations/{ONE}/messages"))["items"][2]
    assert (entry["body"]["text"], entry["body"]["redacted"]) == ("", True)
    assert "Visitor: (removed)" in (await key.ask("GET", f"/conversations/{ONE}/transcript.txt")).text
    assert (await key.get(f"/conversations?query={SECRET}"))["items"] == []
    for side, database in (("record", desk.office.record), ("config", desk.office.config)):
        assert await database.read(lambda sql, side=side: search.holding(sql, side, SECRET)) == []


@pytest.mark.parametrize("seq", [4, 99, 2**53])
async def test_what_is_no_message_is_not_redacted(key: Caller, seq: int) -> None:
    """There is no such thing."""
    assert (await do(key, "redact", {"seq": seq})).status_code == 404


@pytest.mark.parametrize(
    ("agent", "detail"),
    [
        (None, "an API key says in whose name: an agent who works in the inbox"),
        ("nobody", "nobody does not work in the inbox desk"),
    ],
)
async def test_a_key_says_in_whose_name(key: Caller, agent: str | None, detail: str) -> None:
    """Of somebody who could have done it themselves."""
    answer = await key.ask("POST", f"/conversations/{ONE}/close", {} if agent is None else {"agent": agent})
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "/agent", "detail": detail}])


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        ("close", {}, "not_assigned"),
        ("snooze", {"until_ms": 2**42}, "not_assigned"),
    ],
)
async def test_what_an_agent_may_not_is_refused(key: Caller, action: str, body: Any, code: str) -> None:
    """Jon is no supervisor, and the conversation is Per's."""
    answer = await do(key, action, {**body, "agent": "jon"})
    assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_what_is_over_cannot_be_put_off(key: Caller) -> None:
    """A conflict that says so."""
    await do(key, "close", {})
    answer = await do(key, "snooze", {"until_ms": 2**42})
    assert (answer.status_code, answer.json()["code"]) == (409, "conversation_closed")


@pytest.mark.parametrize(
    ("action", "body", "pointer"),
    [
        ("ticket", {"status": "lost"}, "/status"),
        ("priority", {"priority": "whatever"}, "/priority"),
        ("tags", {"add": [""]}, "/add/0"),
        ("tags", {"add": ["x" * 51]}, "/add/0"),
        ("redact", {"seq": 0}, "/seq"),
        ("transfer", {}, "/to"),
        ("transfer", {"to": "siri", "team": "billing"}, "/to"),
    ],
)
async def test_a_field_that_is_wrong_is_named(key: Caller, action: str, body: Any, pointer: str) -> None:
    """Before anything is asked of the cell."""
    answer = await do(key, action, body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_too_many_tags_are_refused(key: Caller) -> None:
    """The cell says so."""
    await do(key, "tags", {"add": [f"tag {number}" for number in range(50)]})
    answer = await do(key, "tags", {"add": ["one more"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "too_large")


async def test_a_gate_or_another_account_hides_it(desk: Desk, key: Caller) -> None:
    """As if it were not there."""
    other = await desk.key(account=NORDVIK)
    answers = [await do(key, "close", {}, GATED), await do(other, "close", {}), await do(key, "close", {}, "cnv_never")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1
    assert (await state(key))["status"] == "open"


async def test_a_supervisor_does_it_in_their_own_name(desk: Desk, key: Caller) -> None:
    """And in nobody else's."""
    nina = await browser(desk, "nina", "supervisor", "desk")
    assert (await nina.ask("POST", f"/conversations/{ONE}/close", {"agent": "per"})).status_code == 422
    await nina.post(f"/conversations/{ONE}/close", {})
    last = (await key.get(f"/conversations/{ONE}/messages?audience=staff"))["items"][-1]["body"]
    assert (last["kind"], last["by"]["id"]) == ("closed", "nina")


async def test_an_agent_needs_the_console(desk: Desk) -> None:
    """Over REST they read."""
    agent = await browser(desk, "nils", "agent", "desk")
    assert (await agent.ask("POST", f"/conversations/{ONE}/close", {})).status_code == 403


async def test_the_audit_log_says_who_did_what_and_nothing_that_was_said(desk: Desk, key: Caller) -> None:
    """Not even tags and fields: of an erased person nothing is left in it."""
    await do(key, "tags", {"add": [SECRET]}, Idempotency_Key="one")
    await do(key, "fields", {"fields": {"meter": SECRET}})
    await do(key, "priority", {"priority": "low"})
    entries = (await key.get("/audit"))["items"][:3]
    assert [(each["action"], each["target"], each["changes"]) for each in reversed(entries)] == [
        ("conversation.tags", f"conversations/{ONE}", ["as per"]),
        ("conversation.fields", f"conversations/{ONE}", ["as per"]),
        ("conversation.priority", f"conversations/{ONE}", ["as per", "low"]),
    ]
    assert await desk.office.config.read(lambda sql: search.holding(sql, "config", SECRET)) == []


async def test_one_key_does_it_once(desk: Desk, key: Caller) -> None:
    """Asked again it answers the same, though the tag was taken off meanwhile; another request under it is none."""
    first = await do(key, "tags", {"add": ["vip"]}, Idempotency_Key="one")
    await desk.cells.happen(FJORD, ONE, TagsChanged(PER, [], ["vip"]))
    again = await do(key, "tags", {"add": ["vip"]}, Idempotency_Key="one")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert (await state(key))["tags"] == []
    assert (await do(key, "tags", {"add": ["other"]}, Idempotency_Key="one")).status_code == 409


async def test_a_cell_that_takes_nothing_is_unavailable(key: Caller) -> None:
    """With when to come back; and nothing is in the audit log."""
    before = len((await key.get("/audit"))["items"])
    answer = await do(key, "transfer", {"to": "siri"})
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["code"]) == (503, "1", "unavailable")
    assert len((await key.get("/audit"))["items"]) == before
