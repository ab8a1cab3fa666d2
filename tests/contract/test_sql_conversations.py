"""How conversations are found in SQL, on SQLite and on PostgreSQL."""

from functools import partial
from typing import Any

import msgspec
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, select

from protocol.bus.facts import ConversationErased, Erased, TicketKept
from protocol.bus.figures import Begun, Measured
from protocol.bus.records import LogRow
from protocol.bus.tombstones import tombstone
from protocol.ids import AccountId, AgentId, CellName, ChatflowId, ConversationId, InboxId, VisitorId
from protocol.wire.content import Author, Event, Message, Note, Role, Started, TagsChanged, Unrouted
from store.sql import tables
from store.sql.database import Database, Databases
from store.sql.migrations.record import r0008_finding_conversations as gleaning
from store.sql.migrations.record import r0010_tags_of_inboxes as placing
from store.sql.queries import cells, commits, conversations, tickets, transcripts
from store.sql.queries.conversations import Place, Sought, Span
from store.sql.queries.history import Audience
from store.sql.queries.tickets import Wanted
from tests.kit.commits import ACCOUNT, INBOX, NOW_MS, VISITOR, commit, conversation, state

CELL = CellName("c00")
ONE, TWO, THREE, GATED, OVER = map(conversation, (1, 2, 3, 4, 5))
KARI = Author(Role.VISITOR, VISITOR)
ANN = Author(Role.AGENT, AgentId("agt_ann"), "Ann")
OTHER = AccountId("acc_other")


def log(where: ConversationId, *bodies: Any, first: int = 1, at_ms: int = NOW_MS) -> list[LogRow]:
    rows = []
    for seq, body in enumerate(bodies, first):
        frame = msgspec.msgpack.encode(Event(where, seq, f"1.1.{seq}", at_ms + seq, body))
        rows.append(LogRow(where, seq, seq, frame, b"" if isinstance(body, Note | TagsChanged) else None))
    return rows


def started(environment: str = "production") -> Started:
    names = (ChatflowId("flw_1"), 1, INBOX, None, VISITOR, 1, "nb", None, 60, 60)
    return Started(*names, environment=environment)


async def apply(record: Database, number: int, *events: LogRow, **rows: Any) -> None:
    batch = commit(number, events=list(events), **rows)
    assert await record.transact(lambda sql: commits.apply(sql, CELL, [batch]))


@pytest.fixture
async def record(databases: Databases) -> Database:
    """Three conversations, opened at the same moment or later; one behind its gate, and one that never left it."""
    record = databases.record
    await record.transact(lambda sql: cells.begin_epoch(sql, CELL, 1))
    said = [
        started(),
        Unrouted(),
        Message(KARI, "Hvor er BESTILLINGEN min?"),
        Note(ANN, "A secret"),
        TagsChanged(ANN, ["vip", "order"], []),
    ]
    begun = Begun(ACCOUNT, ONE, NOW_MS, "production", "flw_1", 1, INBOX, "", "visitor", [], "ios", "1.0")
    had = Measured(ACCOUNT, ONE, agent="agt_ann")
    ticket = TicketKept(ACCOUNT, ONE, INBOX, 7, "new", "normal", NOW_MS, NOW_MS)
    await apply(record, 1, *log(ONE, *said), facts=[begun, had, ticket])
    await apply(record, 2, *log(TWO, started("test"), Unrouted(), TagsChanged(ANN, ["vip"], [])))
    closed = state(THREE, 2, status="closed")
    await apply(record, 3, *log(THREE, started(), Unrouted(), at_ms=NOW_MS + 1_000), states=[closed])
    over = state(OVER, 1, status="closed")
    await apply(
        record, 4, *log(GATED, started()), *log(OVER, started()), states=[state(GATED, 1, status="gated"), over]
    )
    return record


async def found(record: Database, **sought: Any) -> list[ConversationId]:
    page = partial(conversations.page, account=ACCOUNT, sought=Sought(**sought), place=Place(), limit=10)
    return [each.id for each in await record.read(page)]


async def test_the_newest_comes_first_and_a_gate_hides(record: Database) -> None:
    """Of one moment, the ids say which; what is behind its gate is not there."""
    assert await found(record) == [THREE, TWO, ONE]


FILTERS: list[tuple[dict[str, Any], list[ConversationId]]] = [
    ({"status": "closed"}, [THREE]),
    ({"status": "gated"}, []),
    ({"inbox": "inb_other"}, []),
    ({"inboxes": []}, []),
    ({"inboxes": [INBOX], "chatflow": "flw_1"}, [THREE, TWO, ONE]),
    ({"environment": "test"}, [TWO]),
    ({"agents": [AgentId("agt_ann"), AgentId("agt_bo")]}, [ONE]),
    ({"tag": "vip"}, [TWO, ONE]),
    ({"visitor": VisitorId("vis_nobody")}, []),
    ({"contact": "con_nobody"}, []),
    ({"opened": Span(NOW_MS + 1_000)}, [THREE]),
    ({"opened": Span(None, NOW_MS + 1_000)}, [TWO, ONE]),
    ({"closed": Span(NOW_MS + 3, NOW_MS + 4)}, [THREE]),
    ({"closed": Span(NOW_MS + 4)}, []),
]


async def test_each_filter_leaves_what_it_names(record: Database) -> None:
    """And nothing else."""
    for sought, there in FILTERS:
        assert await found(record, **sought) == there, sought


@pytest.mark.parametrize("falls", [True, False])
async def test_pages_go_on_where_the_last_one_ended(record: Database, falls: bool) -> None:
    """Both ways, none twice and none left out."""
    seen: list[ConversationId] = []
    after = None
    while True:
        page = partial(conversations.page, account=ACCOUNT, sought=Sought(), place=Place(after, falls), limit=1)
        one = await record.read(page)
        if not one:
            break
        seen.append(one[0].id)
        after = (one[0].opened_at_ms, one[0].id)
    assert seen == ([THREE, TWO, ONE] if falls else [ONE, TWO, THREE])


async def test_another_account_finds_none_of_them(record: Database) -> None:
    """Neither conversations nor tickets nor tags."""
    page = partial(conversations.page, account=OTHER, sought=Sought(), place=Place(), limit=10)
    assert await record.read(page) == []
    assert await record.read(lambda sql: conversations.find(sql, OTHER, ONE, None)) is None
    assert await record.read(lambda sql: tickets.page(sql, OTHER, Wanted(), Place(), 10)) == []
    assert await record.read(lambda sql: tickets.numbered(sql, OTHER, 7, None)) is None
    assert await record.read(lambda sql: tickets.tags(sql, OTHER, None, "", 10)) == []


async def test_tags_are_those_that_were_put_on_last(record: Database) -> None:
    """Counted by conversation, in pages."""
    assert await record.read(lambda sql: tickets.tags(sql, ACCOUNT, None, "", 10)) == [("order", 1), ("vip", 2)]
    await apply(record, 5, *log(ONE, TagsChanged(ANN, ["late"], ["vip"]), first=6))
    assert await record.read(lambda sql: conversations.tags(sql, [ONE, THREE])) == {ONE: ["late", "order"], THREE: []}
    assert await record.read(lambda sql: tickets.tags(sql, ACCOUNT, None, "late", 1)) == [("order", 1)]
    assert await record.read(lambda sql: tickets.tags(sql, ACCOUNT, [], "", 10)) == []


async def test_tags_are_counted_in_the_inboxes_that_are_seen(record: Database) -> None:
    """A conversation of another inbox counts for whoever sees all of them."""
    elsewhere, inbox = conversation(6), InboxId("inb_2")
    tagged = log(elsewhere, started(), TagsChanged(ANN, ["vip"], []))
    await apply(record, 5, *tagged, states=[state(elsewhere, 2, inbox=inbox)])
    for seen, count in ((None, 3), ([INBOX, inbox], 3), ([INBOX], 2), ([inbox], 1)):
        page = partial(tickets.tags, account=ACCOUNT, inboxes=seen, after="order", limit=10)
        assert await record.read(page) == [("vip", count)]


async def test_words_are_found_in_what_the_reader_may_read(record: Database) -> None:
    """All of them in one entry, in any case, as a part of a word too."""
    told: list[tuple[str, Audience, list[int]]] = [
        ("bestillingen", "visitor", [3]),
        ("min ER stilling", "visitor", [3]),
        ("bestillingen secret", "staff", []),
        ("secret", "visitor", []),
        ("secret", "staff", [4]),
    ]
    for said, audience, seqs in told:
        holding = partial(transcripts.holding, conversations=[ONE, TWO], words=transcripts.words_of(said))
        matches = await record.read(partial(holding, audience=audience))
        assert matches == ({ONE: seqs} if seqs else {}), said


async def test_what_was_redacted_is_not_found(record: Database) -> None:
    """There is nothing to be found of it any more."""
    [said] = log(ONE, Message(KARI, "Hvor er BESTILLINGEN min?"), first=3)
    await apply(record, 5, facts=[Erased(ACCOUNT, ONE, 3, tombstone(said.frame), None)])
    assert await record.read(lambda sql: transcripts.holding(sql, [ONE], ["bestillingen"], "staff")) == {}


async def test_an_erased_conversation_is_not_there(record: Database) -> None:
    """Nor its ticket, nor a tag of it."""
    await apply(record, 5, facts=[ConversationErased(ACCOUNT, ONE, 6)])
    assert await record.read(lambda sql: conversations.tags(sql, [ONE])) == {ONE: []}
    gone = tables.conversation.update().where(tables.conversation.c.id == ONE).values(status="erased")
    await record.transact(lambda sql: sql.execute(gone))
    assert await found(record) == [THREE, TWO]
    assert await record.read(lambda sql: tickets.numbered(sql, ACCOUNT, 7, None)) is None


async def test_a_page_of_a_log_shows_visitors_what_they_may_see(record: Database) -> None:
    """Staff reads all of it, and goes on after a seq."""
    for_visitor = await record.read(lambda sql: transcripts.page(sql, ONE, "visitor", 0, 10))
    for_staff = await record.read(lambda sql: transcripts.page(sql, ONE, "staff", 2, 10))
    assert ([each.seq for each in for_visitor], [each.seq for each in for_staff]) == ([1, 2, 3], [3, 4, 5])


async def test_what_the_migration_gleans_is_what_the_scribe_does(record: Database) -> None:
    """Of logs that were there before."""
    await apply(record, 5, *log(ONE, TagsChanged(ANN, ["late"], ["vip"]), first=6))
    marks = (tables.conversation_start, tables.conversation_tag)

    async def there() -> list[list[Any]]:
        queries = [select(table).order_by(*table.primary_key.columns) for table in marks]
        return [await record.read(lambda sql, query=query: sql.execute(query).all()) for query in queries]

    def back_and_forth(sql: Connection) -> None:
        with Operations.context(MigrationContext.configure(sql)):
            placing.downgrade()
            gleaning.downgrade()
            gleaning.upgrade()
            placing.upgrade()

    before = await there()
    await record.transact(back_and_forth)
    assert all(before)
    assert await there() == before
