"""Two accounts over REST: Fjord does all that can be done, and Nordvik asks for each of its things in turn.

Invariant: every operation is in the story, and an operation that is added is missed until it is told there, too.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from admin.resources.kinds import KINDS
from protocol.bus.facts import ConsentGiven
from protocol.bus.figures import Begun, Measured
from protocol.ids import AppKey, ChatflowId, ConversationId, InboxId, RuleId, VisitorId
from protocol.wire.content import (
    AnyBody,
    Assigned,
    Author,
    Message,
    Note,
    Queued,
    Role,
    Started,
    TagsChanged,
    TicketOpened,
)
from store.sql.queries import cells, commits, figures
from store.sql.queries.report_rows import OF_FIGURES, splits
from tests.kit.commits import commit
from tests.kit.offices import FJORD, NORDVIK, Caller, Desk, desk_in

CANARY = "canary"
CONVERSATION, TALK = ConversationId("cnv_canary"), ConversationId("cnv_canary_talk")
VISITOR = VisitorId("vis_canary")
ELSEWHERE = {"log_in", "log_out", "list_accounts", "create_account"}  # of a session and of the installation
NAMELESS = {"get_session", "get_retention", "check_audit", "export_contact"}  # the last is a zip
THINGS: dict[str, dict[str, Any]] = {
    "apps": {"key": CANARY, "name": CANARY},
    "hours": {"id": CANARY, "name": CANARY, "time_zone": "Europe/Oslo", "week": {"monday": ["08:00-16:00"]}},
    "agents": {"id": CANARY, "name": CANARY, "email": "canary@fjord.example", "password": "canary-canary"},
    "teams": {"id": CANARY, "name": CANARY, "members": []},
    "inboxes": {"id": CANARY, "name": CANARY},
    "rules": {"id": CANARY, "name": CANARY, "inbox": "desk", "agents": ["per"]},
    "subscriptions": {"id": CANARY, "name": CANARY},
    "canned": {"id": CANARY, "text": {"nb": CANARY}},
    "surveys": {"id": CANARY, "name": CANARY, "question": {"nb": CANARY}},
}
FLOW = {"name": CANARY, "inbox": "desk", "language": "nb"}


class Told:
    """What Fjord asked, and what Nordvik got for the same: nothing of Fjord's, each time.

    `fresh` is what makes or sets something under ids of one's own, `read` what Fjord read of all that it has.
    """

    def __init__(self, desk: Desk, own: Caller, stranger: Caller) -> None:
        self.own, self.stranger, self._operations = own, stranger, desk.operations
        self.asked: set[str] = set()
        self.fresh: list[tuple[str, str, Any]] = []
        self.read: list[str] = []
        self._secrets = [CANARY]

    async def __call__(
        self, name: str, body: Any = None, *, path: str = "", query: str = "", status: int | None = None
    ) -> Any:
        """Ask as Nordvik and then as Fjord; `path`: what stands for its variables, one after the other.

        `status`: what Fjord is answered, if it is not a good one.
        """
        operation, steps = self._operations[name], iter(path.split())
        where = re.sub(r"{\w+}", lambda _: next(steps), operation.path) + query
        self.asked.add(name)
        if "{" in operation.path and name != "set_contact_property":
            answer = await self.stranger.ask(operation.method, where, body, If_Match="*")
            assert (answer.status_code, self.leaks(answer.text)) == (404, []), (name, answer.text)
        elif operation.method == "GET":
            self.read.append(where)
            answer = await self.stranger.ask("GET", where)
            assert (answer.status_code, self.leaks(answer.text)) == (200, []), (name, answer.text)
        else:
            self.fresh.append((operation.method, where, body))
        answer = await self.own.ask(operation.method, where, body, If_Match="*")
        assert answer.is_success if status is None else answer.status_code == status, (name, answer.text)
        if operation.method == "GET" and name not in NAMELESS and not name.startswith("report_"):
            assert self.leaks(answer.text), (name, answer.text)
        return answer.json() if answer.headers.get("Content-Type") == "application/json" else None

    def leaks(self, said: str) -> list[str]:
        return [secret for secret in self._secrets if secret in said]

    def secret(self, id_: str) -> str:
        """Take an id that was drawn at random for something of Fjord's."""
        self._secrets.append(id_)
        return id_


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Fjord has had a conversation and a consent."""
    where = (FJORD, CONVERSATION)
    began = Begun(*where, 1_000, "production", CANARY, 1, CANARY, CANARY, "visitor", ["process"], CANARY, CANARY)
    ended = Measured(*where, entered=True, spoke=True, waits=1, process="granted", closes=1, ended="visitor")
    names = (AppKey("app_fjord"), ChatflowId(CANARY), CONVERSATION, "process", "granted", "ab", 1, "nb", "1.0", 1_000)
    consent = ConsentGiven(FJORD, "line_canary", VISITOR, *names)
    async with desk_in(tmp_path) as desk:
        cell = (await desk.office.present(FJORD)).cell
        await desk.office.record.transact(lambda sql: cells.begin_epoch(sql, cell, 1))
        await desk.office.record.transact(lambda sql: figures.keep(sql, [began, ended]))
        assert await desk.office.record.transact(lambda sql: commits.apply(sql, cell, [commit(1, facts=[consent])]))
        await desk.cells.happen(FJORD, TALK, *talk())
        yield desk


def talk() -> list[AnyBody]:
    """What happened in a conversation that Per has."""
    per, visitor = Author(Role.AGENT, "per", CANARY), Author(Role.VISITOR, VISITOR)
    inbox, rule = InboxId("desk"), RuleId("in_turn")
    began = Started(ChatflowId(CANARY), 1, inbox, rule, VISITOR, 1, "nb", CANARY, 3_600, 600, help_desk=True)
    return [
        began,
        Queued("started"),
        Message(visitor, CANARY),
        TicketOpened(4711),
        Assigned(per, "offer"),
        Note(per, CANARY),
        TagsChanged(per, [CANARY], []),
    ]


@pytest.fixture
async def told(desk: Desk) -> Told:
    return Told(desk, await desk.key(), await desk.key(account=NORDVIK))


async def tell_things(told: Told) -> None:
    for kind in KINDS:
        thing = THINGS[kind.many]
        await told(f"create_{kind.one}", thing)
        await told(f"list_{kind.many}")
        await told(f"get_{kind.one}", path=CANARY)
        replaced = {name: value for name, value in thing.items() if name not in (kind.identity, "password")}
        await told(f"replace_{kind.one}", replaced, path=CANARY)
        await told(f"change_{kind.one}", {}, path=CANARY)
    await told("mint_visitor_token", {"subject": CANARY}, path=CANARY)
    await told("get_configuration", path=CANARY)
    await told("get_set_up", path=CANARY)
    await told("check_install", path=CANARY)


async def tell_chatflows(told: Told) -> None:
    await told("create_chatflow", FLOW | {"id": CANARY, "tag": CANARY})
    flows = await told("list_chatflows", query="?limit=200")
    await told("get_chatflow", path=CANARY)
    await told("replace_draft", FLOW, path=CANARY)
    await told("check_draft", path=CANARY)
    await told("publish_chatflow", path=CANARY)
    await told("change_draft", {"welcome": {"nb": CANARY}}, path=CANARY)
    await told("compare_versions", path=CANARY)
    await told("publish_chatflow", path=CANARY)
    await told("roll_back_chatflow", path=CANARY)
    await told("list_versions", path=CANARY)
    await told("switch_chatflow", {"enabled": True}, path=CANARY)
    await told("order_chatflows", {"chatflows": [flow["id"] for flow in flows["items"]]})
    await told("get_order")
    assert (await told("explain_serving", {"tag": CANARY}))["chatflow"] == CANARY
    preview = told.secret((await told("preview_chatflow", path=CANARY))["id"])
    await told("list_previews")
    await told("end_preview", path=preview)
    await told("clone_chatflow", {"id": "another", "name": "Another"}, path=CANARY)
    await told("discard_draft", path="another")
    await told("archive_chatflow", path=CANARY)
    await told("take_out_chatflow", path=CANARY)


async def tell_people(told: Told) -> None:
    await told("set_contact_property", {"type": "string", "label": CANARY}, path=CANARY)
    await told("list_contact_properties")
    await told("get_contact_property", path=CANARY)
    await told("create_company", {"id": CANARY, "name": CANARY})
    await told("list_companies")
    await told("get_company", path=CANARY)
    await told("change_company", {"domain": "canary.example"}, path=CANARY)
    contact = {"email": "canary@example.org", "name": CANARY, "company": CANARY, "properties": {CANARY: CANARY}}
    one = told.secret((await told("create_contact", contact))["id"])
    other = told.secret((await told("create_contact", {"subject": "canary-2"}))["id"])
    await told("list_contacts")
    await told("get_contact", path=one)
    await told("change_contact", {"owner": "per"}, path=one)
    await told("create_segment", {"id": CANARY, "name": CANARY})
    await told("list_segments")
    await told("get_segment", path=CANARY)
    await told("change_segment", {"name": CANARY}, path=CANARY)
    await told("name_member", path=f"{CANARY} {one}")
    await told("unname_member", path=f"{CANARY} {one}")
    await told("merge_contact", {"contact": other}, path=one)
    await told("set_subscription", {"wants": True}, path=f"{one} {CANARY}")
    await told("list_subscription_changes", path=one)
    await told("withdraw_consent", {"purpose": "process"}, path=one)
    for name in ("list_consents", "export_consents_csv", "export_consents"):
        await told(name)
    await told("export_contact", path=one)
    erasure = told.secret((await told("erase_contact", path=one))["id"])
    await told("list_erasures")
    await told("get_erasure", path=erasure)


async def tell_conversations(told: Told) -> None:
    """Changes are asked by a key, in an agent's name; a transfer needs a roster, which nobody plays here."""
    await told("list_conversations")
    await told("list_conversations", query=f"?query={CANARY}&tag={CANARY}")
    await told("get_conversation", path=TALK)
    for name in ("list_entries", "export_transcript", "export_transcript_text"):
        await told(name, path=TALK, query="?audience=staff")
    await told("list_tickets")
    await told("get_ticket", path="4711")
    await told("list_tags")
    per: dict[str, Any] = {"agent": "per"}
    await told("tag_conversation", per | {"add": [f"{CANARY}_too"]}, path=TALK)
    await told("fill_conversation", per | {"fields": {CANARY: CANARY}}, path=TALK)
    await told("prioritise_conversation", per | {"priority": "high"}, path=TALK)
    await told("set_ticket_of_conversation", per | {"status": "waiting_visitor"}, path=TALK)
    await told("redact_entry", per | {"seq": 6}, path=TALK)
    await told("snooze_conversation", per | {"until_ms": 2**42}, path=TALK)
    await told("transfer_conversation", per | {"to": "siri"}, path=TALK, status=503)
    await told("block_visitor", per | {"on": True}, path=TALK)
    await told("close_conversation", per, path=TALK)


async def tell_the_rest(told: Told) -> None:
    await told("get_session")
    await told("change_account", {"name": f"Fjord {CANARY}"})
    await told("get_account")
    await told("set_retention", {"days": 30})
    await told("get_retention")
    key = told.secret((await told("create_key", {"name": CANARY, "scopes": ["settings.read"]}))["id"])
    await told("list_keys")
    await told("revoke_key", path=key)
    assert (await told("report_conversations", query="?by=chatflow"))["rows"][0]["chatflow"] == CANARY
    for report in OF_FIGURES:
        for form in (f"report_{report}", f"report_{report}_csv"):
            await told(form, query=f"?by={','.join(splits(report))}")
    for name in ("list_audit", "export_audit", "check_audit"):
        await told(name)


async def tell_the_end(told: Told) -> None:
    await told("remove_segment", path=CANARY)
    await told("remove_company", path=CANARY)
    await told("remove_contact_property", path=CANARY)
    for kind in reversed(KINDS):
        await told(f"remove_{kind.one}", path=CANARY)


async def test_nothing_of_one_account_is_there_for_another(desk: Desk, told: Told) -> None:
    """Neither read nor changed, by its id or in a list."""
    await tell_things(told)
    await tell_chatflows(told)
    await tell_people(told)
    await tell_conversations(told)
    await tell_the_rest(told)
    await tell_the_end(told)
    assert told.asked | {"create_image"} == set(desk.operations) - ELSEWHERE


async def test_the_same_ids_in_another_account_are_other_things(told: Told) -> None:
    """What one makes and sets under them changes nothing of the other's."""
    await tell_things(told)
    await tell_chatflows(told)
    await tell_people(told)
    before = [(await told.own.ask("GET", where)).text for where in told.read]
    answers = [(asked[1], await told.stranger.ask(*asked, If_Match="*")) for asked in told.fresh]
    made = {where for where, answer in answers if answer.status_code == 201}
    assert made >= {
        f"/{one}" for one in ["hours", "teams", "inboxes", "surveys", "contacts", "companies", "segments"]
    }, answers
    assert [(await told.own.ask("GET", where)).text for where in told.read] == before


async def test_another_accounts_contact_is_not_merged_into_ones_own(told: Told) -> None:
    """It is nobody, as one that never was."""
    mine = (await told.stranger.post("/contacts", {"email": "mine@example.org"}))["id"]
    other = (await told.own.post("/contacts", {"email": "canary@example.org"}))["id"]
    merge = f"/contacts/{mine}/merge"
    answers = [await told.stranger.ask("POST", merge, {"contact": contact}) for contact in (other, "con_nobody")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].text == answers[1].text
    assert (await told.own.get(f"/contacts/{other}"))["email"] == "canary@example.org"
