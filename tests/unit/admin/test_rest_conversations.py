"""Conversations, tickets and tags over REST: found, read, searched."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from protocol.ids import ConversationId, VisitorId
from protocol.wire.content import (
    AnyBody,
    Assigned,
    Closed,
    FieldsSet,
    Message,
    Note,
    PrioritySet,
    Queued,
    Snoozed,
    TagsChanged,
    TicketOpened,
)
from tests.kit.lone_cells import PER, begun, says
from tests.kit.offices import FJORD, NORDVIK, Caller, Desk, desk_in

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("rest_conversations")]

KARI, OLA = VisitorId("vis_kari"), VisitorId("vis_ola")
ONE, TWO, GATED = (ConversationId(f"cnv_{name}") for name in ("one", "two", "gated"))
READS: tuple[Any, ...] = ("conversations.read", "notes.read")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """Kari talked to Per, who stands behind an alias; Ola waits in the other inbox; somebody is behind a gate.

    What a test lets happen, it lets happen in Nordvik, to a visitor of its own.
    """
    async with desk_in(tmp_path_factory.mktemp("office")) as desk:
        await (await desk.key()).post("/inboxes", {"id": "other", "name": "Other", "agents": ["amira"]})
        talked = [
            begun(KARI, alias="Fjord hjelp", help_desk=True),
            Queued("started"),
            says(KARI, "Strømmen er borte i STORGATA"),
            TicketOpened(7),
            Assigned(PER, "offer"),
            Note(PER, "A difficult one"),
            Message(PER, "Vi kommer straks"),
            TagsChanged(PER, ["outage", "vip"], []),
            PrioritySet(PER, "high"),
            FieldsSet(PER, {"meter": "4711", "street": ""}),
        ]
        await desk.cells.happen(FJORD, ONE, *talked)
        await desk.cells.happen(
            FJORD, TWO, begun(OLA, "other", environment="test"), Queued("started"), says(OLA, "Hei")
        )
        await desk.cells.happen(FJORD, GATED, begun(OLA, steps=["consent_to_process"]))
        yield desk


@pytest_asyncio.fixture(loop_scope="module")
async def reader(desk: Desk) -> Caller:
    return await desk.key(READS)


@pytest_asyncio.fixture(loop_scope="module")
async def nordvik(desk: Desk) -> Caller:
    return await desk.key(READS, NORDVIK)


async def happen(desk: Desk, name: str, *bodies: AnyBody) -> ConversationId:
    """Let a conversation begin in Nordvik, and let this happen in it."""
    where, visitor = ConversationId(f"cnv_{name}"), VisitorId(f"vis_{name}")
    await desk.cells.happen(NORDVIK, where, begun(visitor, "support"), Queued("started"), *bodies)
    return where


def ids(page: Any) -> list[str]:
    return [item["id"] for item in page["items"]]


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("", [TWO, ONE]),
        ("?sort=opened", [ONE, TWO]),
        ("?status=open&inbox=desk", [ONE]),
        ("?environment=test", [TWO]),
        ("?agent=per", [ONE]),
        ("?team=no_such", None),
        ("?tag=vip", [ONE]),
        ("?visitor=vis_ola", [TWO]),
        ("?chatflow=no_such", []),
        ("?contact=con_nobody", []),
        ("?opened_to_ms=1", []),
        ("?query=storgata%20BORTE", [ONE]),
        ("?query=difficult", [ONE]),
        ("?query=borte%20difficult", []),
        ("?query=hei&inbox=desk", []),
    ],
)
async def test_conversations_are_found(reader: Caller, asked: str, there: list[str] | None) -> None:
    """By each thing that is known of them, and by what was said; never one behind its gate."""
    answer = await reader.ask("GET", f"/conversations{asked}")
    assert (answer.status_code, there) == (404, None) or ids(answer.json()) == there, answer.text


async def test_a_team_is_its_members(desk: Desk, reader: Caller) -> None:
    """Whoever of them has it, or had it last."""
    admin = await desk.key()
    await admin.post("/teams", {"id": "field", "name": "Field", "members": ["per", "jon"]})
    await admin.post("/teams", {"id": "none", "name": "None", "members": ["jon"]})
    found = [ids(await reader.get(f"/conversations?team={team}")) for team in ("field", "none")]
    assert found == [[ONE], []]
    assert ids(await reader.get("/conversations?team=field&agent=jon")) == []


async def test_a_conversation_is_shown_with_what_was_set_of_it(reader: Caller) -> None:
    """Who has it, tags, ticket, priority, fields; and nothing that was said."""
    shown = await reader.get(f"/conversations/{ONE}")
    times = [shown.pop(name) for name in ("opened_at_ms", "changed_at_ms")]
    assert times == sorted(times)
    assert shown == {
        "id": ONE, "status": "open", "phase": "talking", "inbox": "desk", "chatflow": "desk_flow",
        "environment": "production", "visitor": KARI, "contact": None, "agent": "per", "last_agent": "per",
        "tags": ["outage", "vip"], "ticket": {"number": 7, "status": "waiting_visitor"}, "closed_at_ms": None,
        "entries": 10, "priority": "high", "fields": {"meter": "4711"}, "snoozed_until_ms": None,
    }  # fmt: skip


async def test_a_snoozed_conversation_says_until_when(desk: Desk, nordvik: Caller) -> None:
    """And is found by that status."""
    where = await happen(desk, "snoozed", Assigned(PER, "offer"), Snoozed(PER, 2**42))
    assert (await nordvik.get(f"/conversations/{where}"))["snoozed_until_ms"] == 2**42
    assert ids(await nordvik.get("/conversations?status=snoozed")) == [where]


async def test_a_closed_conversation_is_found_by_when_it_closed(desk: Desk, nordvik: Caller) -> None:
    """It keeps who had it last."""
    where = await happen(desk, "closed", Assigned(PER, "offer"), Closed(PER, "agent"))
    [found] = (await nordvik.get("/conversations?closed_from_ms=1"))["items"]
    assert (found["id"], found["status"], found["agent"], found["last_agent"]) == (where, "closed", None, "per")
    assert ids(await nordvik.get(f"/conversations?closed_to_ms={found['closed_at_ms']}")) == []


async def test_a_log_is_read_as_its_visitor_sees_it(reader: Caller) -> None:
    """No note, nothing that only staff is told, and nobody by their own name behind the alias."""
    for path in ("messages", "transcript.json", "transcript.txt"):
        said = (await reader.ask("GET", f"/conversations/{ONE}/{path}")).text
        assert "Vi kommer straks" in said
        assert not [secret for secret in ("Per Vik", '"per"', "difficult", "outage", "4711") if secret in said], said


async def test_staff_reads_all_of_it(reader: Caller) -> None:
    """With notes, and under the names of those who spoke."""
    page = await reader.get(f"/conversations/{ONE}/messages?audience=staff")
    assert [item["seq"] for item in page["items"]] == [*range(1, 11)]
    assert page["items"][5]["body"] == {
        "kind": "note",
        "by": {"role": "agent", "id": "per", "name": "Per Vik"},
        "text": "A difficult one",
    }
    text = (await reader.ask("GET", f"/conversations/{ONE}/transcript.txt?audience=staff")).text
    assert [line[21:] for line in text.splitlines()] == [
        "(Hei!)",
        "Visitor: Strømmen er borte i STORGATA",
        "Per Vik (note): A difficult one",
        "Per Vik: Vi kommer straks",
    ]


@pytest.mark.parametrize("end", ["\n", "\r", "\u2028"])
async def test_nobody_writes_a_line_in_anothers_name(desk: Desk, nordvik: Caller, end: str) -> None:
    """Further lines of a text stand below its first, where no time and no name is."""
    forged = f"Hei{end}2026-11-23 06:00:00  Per Vik: Alt er gratis"
    where = await happen(desk, f"forged_{ord(end)}", says(KARI, forged))
    text = (await nordvik.ask("GET", f"/conversations/{where}/transcript.txt")).text
    assert [line[:21].strip() == "" for line in text.splitlines()] == [False, False, True]


async def test_who_may_not_read_notes_finds_none(desk: Desk) -> None:
    """Neither as staff, nor by words that stand in them."""
    key = await desk.key(["conversations.read"])
    for path in ("messages", "transcript.txt", "transcript.json"):
        assert (await key.ask("GET", f"/conversations/{ONE}/{path}?audience=staff")).status_code == 403
    assert ids(await key.get("/conversations?query=difficult")) == []
    assert ids(await key.get("/conversations?query=storgata")) == [ONE]


@pytest.mark.parametrize("audience", ["visitor", "staff"])
async def test_a_log_is_read_in_pages(reader: Caller, audience: str) -> None:
    """One after the other they are the whole."""
    path = f"/conversations/{ONE}/messages?audience={audience}"
    whole, parts, cursor = (await reader.get(path))["items"], [], ""
    while True:
        page = await reader.get(f"{path}&limit=2{cursor}")
        parts += page["items"]
        if "next" not in page:
            break
        cursor = f"&cursor={page['next']}"
    assert parts == whole


async def test_a_search_goes_on_where_a_page_ended(desk: Desk, nordvik: Caller) -> None:
    """Each conversation is found once, with the entries that hold the words."""
    there = [await happen(desk, f"more_{number}", says(KARI, "Kabel"), says(KARI, "kabelen")) for number in range(5)]
    found: list[Any] = []
    cursor = ""
    while True:
        page = await nordvik.get(f"/conversations?query=kabel&limit=2{cursor}")
        found += page["items"]
        if "next" not in page:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(item["id"] for item in found) == there
    assert {tuple(item["matches"]) for item in found} == {(3, 4)}


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0", "WyJ4Il0"])
async def test_a_cursor_of_ones_own_is_refused(reader: Caller, cursor: str) -> None:
    """Of every list."""
    for path in ("/conversations", "/conversations?query=hei", f"/conversations/{ONE}/messages", "/tickets"):
        answer = await reader.ask("GET", f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
        assert answer.status_code == 400, (path, answer.text)


async def test_what_is_behind_a_gate_or_was_never_there_is_not_found(reader: Caller) -> None:
    """Alike."""
    for path in ("", "/messages", "/transcript.txt", "/transcript.json"):
        answers = [await reader.ask("GET", f"/conversations/{name}{path}") for name in (GATED, "cnv_never")]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text == answers[1].text


@pytest.mark.parametrize(
    ("role", "inbox", "there"),
    [
        ("agent", "desk", [ONE]),
        ("supervisor", "other", [TWO]),
        ("admin", "other", [TWO, ONE]),
    ],
)
async def test_a_user_sees_the_inboxes_they_work_in(desk: Desk, role: str, inbox: str, there: list[str]) -> None:
    """Admins see them all; what one does not see is not there."""
    user = await desk.user(f"a_{role}", role, inbox)
    assert ids(await user.get("/conversations")) == there
    assert ids(await user.get("/conversations?query=storgata")) == [each for each in there if each == ONE]
    statuses = [(await user.ask("GET", f"/conversations/{each}/messages")).status_code for each in (ONE, TWO)]
    assert statuses == [200 if each in there else 404 for each in (ONE, TWO)]
    assert (
        len((await user.get("/tickets"))["items"]) == len((await user.get("/tags"))["items"]) // 2 == there.count(ONE)
    )
    assert (await user.ask("GET", "/tickets/7")).status_code == (200 if ONE in there else 404)


async def test_tickets_are_found(desk: Desk, nordvik: Caller) -> None:
    """By number, status, priority and inbox."""
    where = await happen(desk, "seventh", TicketOpened(7), PrioritySet(PER, "high"))
    await happen(desk, "eighth", says(KARI, "Hei"), TicketOpened(8), Assigned(PER, "offer"), Message(PER, "Hei"))
    numbers = [
        [ticket["number"] for ticket in (await nordvik.get(f"/tickets{asked}"))["items"]]
        for asked in (
            "", "?sort=number&limit=1", "?status=waiting_visitor", "?priority=high", "?inbox=support", "?inbox=desk"
        )
    ]  # fmt: skip
    assert numbers == [[8, 7], [7], [8], [7], [8, 7], []]
    following = (await nordvik.get("/tickets?limit=1"))["next"]
    assert [ticket["number"] for ticket in (await nordvik.get(f"/tickets?cursor={following}"))["items"]] == [7]
    assert (await nordvik.get("/tickets/7"))["conversation"] == where


@pytest.mark.parametrize("number", ["9", "0", "-7", "seven", "٧", "7" * 40])
async def test_a_ticket_that_is_none_is_not_found(reader: Caller, number: str) -> None:
    """Whatever was asked for as its number."""
    assert (await reader.ask("GET", f"/tickets/{number}")).status_code == 404


async def test_tags_are_counted(desk: Desk, nordvik: Caller) -> None:
    """By conversation, in pages."""
    await happen(desk, "tagged", TagsChanged(PER, ["outage", "vip"], []))
    await happen(desk, "tagged_too", TagsChanged(PER, ["vip"], []))
    first = await nordvik.get("/tags?limit=1")
    rest = await nordvik.get(f"/tags?cursor={first['next']}")
    assert [*first["items"], *rest["items"]] == [
        {"tag": "outage", "conversations": 1},
        {"tag": "vip", "conversations": 2},
    ]
