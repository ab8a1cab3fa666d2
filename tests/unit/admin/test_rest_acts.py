"""What is done to conversations over REST: judged by the engine's core as an agent's commands are."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from protocol.ids import ConversationId, VisitorId
from protocol.wire.content import Assigned, Message, Queued, TagsChanged, TicketOpened
from store.sql.queries import search
from tests.kit.lone_cells import PER, begun, says
from tests.kit.offices import FJORD, NORDVIK, Caller, Desk, desk_in

KARI = VisitorId("vis_kari")
_numbers = count(1)


pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("rest_acts")]


@dataclass
class Chat:
    """A conversation of its own for each test: Per has it, with a ticket. `secret` is what its visitor said."""

    desk: Desk
    key: Caller
    number: int

    @property
    def id(self) -> ConversationId:
        return ConversationId(f"cnv_{self.number}")

    @property
    def secret(self) -> str:
        return f"canary-{self.number}-canary"

    @property
    def path(self) -> str:
        return f"/conversations/{self.id}"

    async def do(self, action: str, body: dict[str, Any], **headers: str) -> Any:
        """Ask for something to be done, in Per's name unless `body` says otherwise."""
        return await self.key.ask("POST", f"{self.path}/{action}", {"agent": "per", **body}, **headers)

    async def state(self) -> Any:
        return await self.key.get(self.path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path_factory.mktemp("office")) as desk:
        yield desk


@pytest_asyncio.fixture(loop_scope="module")
async def chat(desk: Desk) -> Chat:
    chat = Chat(desk, await desk.key(), next(_numbers))
    talked = [begun(KARI, help_desk=True), Queued("started"), says(KARI, chat.secret), TicketOpened(chat.number)]
    await desk.cells.happen(FJORD, chat.id, *talked, Assigned(PER, "offer"), Message(PER, "Hei"))
    return chat


@pytest.mark.parametrize(
    ("action", "body", "shows"),
    [
        ("tags", {"add": ["vip", "late"]}, {"tags": ["late", "vip"]}),
        ("fields", {"fields": {"meter": "4711"}}, {"fields": {"meter": "4711"}}),
        ("priority", {"priority": "urgent"}, {"priority": "urgent"}),
        ("snooze", {"until_ms": 2**42}, {"snoozed_until_ms": 2**42, "status": "snoozed"}),
        ("ticket", {"status": "closed"}, {"ticket": "closed"}),
        ("close", {"close_ticket": True}, {"status": "closed", "ticket": "closed"}),
        ("close", {"spam": True}, {"status": "closed"}),
    ],
)
async def test_what_is_done_is_in_the_log(chat: Chat, action: str, body: Any, shows: dict[str, Any]) -> None:
    """The answer names the entry; asked again, it is so already."""
    first = (await chat.do(action, body)).json()
    entries = (await chat.key.get(f"{chat.path}/messages?audience=staff"))["items"]
    assert {"seq": first["seq"], "id": first["event"]}.items() <= entries[first["seq"] - 1].items()
    shown = await chat.state()
    shown["ticket"] = shown["ticket"]["status"]
    assert shows == {name: shown[name] for name in shows}
    await chat.do(action, body)
    assert (await chat.state())["entries"] == shown["entries"]


async def test_tags_are_taken_off(chat: Chat) -> None:
    """One that is put on and taken off at once is put on."""
    await chat.do("tags", {"add": ["a", "b"]})
    await chat.do("tags", {"add": ["c"], "remove": ["a", "c"]})
    assert (await chat.state())["tags"] == ["b", "c"]


async def test_a_redacted_message_is_nowhere(chat: Chat) -> None:
    """Its place stays; no reader and no search finds what was said, and no table holds it."""
    done = await chat.do("redact", {"seq": 3})
    assert done.status_code == 200
    for audience in ("visitor", "staff"):
        for path in ("messages", "transcript.json", "transcript.txt"):
            read = await chat.key.ask("GET", f"{chat.path}/{path}?audience={audience}")
            assert chat.secret not in read.text
    entry = (await chat.key.get(f"{chat.path}/messages"))["items"][2]
    assert (entry["body"]["text"], entry["body"]["redacted"]) == ("", True)
    assert "Visitor: (removed)" in (await chat.key.ask("GET", f"{chat.path}/transcript.txt")).text
    assert (await chat.key.get(f"/conversations?query={chat.secret}"))["items"] == []
    for side, database in (("record", chat.desk.office.record), ("config", chat.desk.office.config)):
        assert await database.read(lambda sql, side=side: search.holding(sql, side, chat.secret)) == []


@pytest.mark.parametrize("seq", [4, 99, 2**53])
async def test_what_is_no_message_is_not_redacted(chat: Chat, seq: int) -> None:
    """There is no such thing."""
    assert (await chat.do("redact", {"seq": seq})).status_code == 404


@pytest.mark.parametrize(
    ("agent", "detail"),
    [
        (None, "an API key says in whose name: an agent who works in the inbox"),
        ("nobody", "nobody does not work in the inbox desk"),
    ],
)
async def test_a_key_says_in_whose_name(chat: Chat, agent: str | None, detail: str) -> None:
    """Of somebody who could have done it themselves."""
    answer = await chat.key.ask("POST", f"{chat.path}/close", {} if agent is None else {"agent": agent})
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "/agent", "detail": detail}])


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        ("close", {}, "not_assigned"),
        ("snooze", {"until_ms": 2**42}, "not_assigned"),
    ],
)
async def test_what_an_agent_may_not_is_refused(chat: Chat, action: str, body: Any, code: str) -> None:
    """Jon is no supervisor, and the conversation is Per's."""
    answer = await chat.do(action, {**body, "agent": "jon"})
    assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_what_is_over_cannot_be_put_off(chat: Chat) -> None:
    """A conflict that says so."""
    await chat.do("close", {})
    answer = await chat.do("snooze", {"until_ms": 2**42})
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
async def test_a_field_that_is_wrong_is_named(chat: Chat, action: str, body: Any, pointer: str) -> None:
    """Before anything is asked of the cell."""
    answer = await chat.do(action, body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_too_many_tags_are_refused(chat: Chat) -> None:
    """The cell says so."""
    await chat.do("tags", {"add": [f"tag {number}" for number in range(50)]})
    answer = await chat.do("tags", {"add": ["one more"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "too_large")


async def test_a_gate_or_another_account_hides_it(chat: Chat) -> None:
    """As if it were not there."""
    gated = f"cnv_gated_{chat.number}"
    await chat.desk.cells.happen(FJORD, ConversationId(gated), begun(KARI, steps=["consent_to_process"]))
    other, closing = await chat.desk.key(account=NORDVIK), {"agent": "per"}
    answers = [
        await other.ask("POST", f"{chat.path}/close", closing),
        *[await chat.key.ask("POST", f"/conversations/{name}/close", closing) for name in (gated, "cnv_never")],
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1
    assert (await chat.state())["status"] == "open"


async def test_a_supervisor_does_it_in_their_own_name(chat: Chat) -> None:
    """And in nobody else's."""
    nina = await chat.desk.user("nina", "supervisor", "desk")
    assert (await nina.ask("POST", f"{chat.path}/close", {"agent": "per"})).status_code == 422
    await nina.post(f"{chat.path}/close", {})
    last = (await chat.key.get(f"{chat.path}/messages?audience=staff"))["items"][-1]["body"]
    assert (last["kind"], last["by"]["id"]) == ("closed", "nina")


async def test_an_agent_needs_the_console(chat: Chat) -> None:
    """Over REST they read."""
    agent = await chat.desk.user("nils", "agent", "desk")
    assert (await agent.ask("POST", f"{chat.path}/close", {})).status_code == 403


async def test_the_audit_log_says_who_did_what_and_nothing_that_was_said(chat: Chat) -> None:
    """Not even tags and fields: of an erased person nothing is left in it."""
    await chat.do("tags", {"add": [chat.secret]}, Idempotency_Key=chat.id)
    await chat.do("fields", {"fields": {"meter": chat.secret}})
    await chat.do("priority", {"priority": "low"})
    entries = (await chat.key.get("/audit"))["items"][:3]
    assert [(each["action"], each["target"], each["changes"]) for each in reversed(entries)] == [
        ("conversation.tags", f"conversations/{chat.id}", ["as per"]),
        ("conversation.fields", f"conversations/{chat.id}", ["as per"]),
        ("conversation.priority", f"conversations/{chat.id}", ["as per", "low"]),
    ]
    assert await chat.desk.office.config.read(lambda sql: search.holding(sql, "config", chat.secret)) == []


async def test_one_key_does_it_once(chat: Chat) -> None:
    """Asked again it answers the same, though the tag was taken off meanwhile; another request under it is none."""
    first = await chat.do("tags", {"add": ["vip"]}, Idempotency_Key=chat.id)
    await chat.desk.cells.happen(FJORD, chat.id, TagsChanged(PER, [], ["vip"]))
    again = await chat.do("tags", {"add": ["vip"]}, Idempotency_Key=chat.id)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert (await chat.state())["tags"] == []
    assert (await chat.do("tags", {"add": ["other"]}, Idempotency_Key=chat.id)).status_code == 409


async def test_a_cell_that_takes_nothing_is_unavailable(chat: Chat) -> None:
    """With when to come back; and nothing is in the audit log."""
    before = len((await chat.key.get("/audit"))["items"])
    answer = await chat.do("transfer", {"to": "siri"})
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["code"]) == (503, "1", "unavailable")
    assert len((await chat.key.get("/audit"))["items"]) == before
