"""What is kept of an anonymous visitor once they logged in, on SQLite and on PostgreSQL."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from protocol.bus.facts import AnyFact, ConsentGiven, ContactKnown, PersonErased, Subscribed, VisitorMerged
from protocol.bus.records import CurrentConversation, LogRow, StateRow, VisitorRecord
from protocol.ids import AccountId, AppKey, CellName, ChatflowId, ContactId, ErasureId, EventId, InboxId, VisitorId
from protocol.wire.content import Event, Started
from store.files.erased import ErasedList
from store.redis.connection import Away
from store.sql import tables
from store.sql.database import Database, Databases
from store.sql.queries import begun, cells, commits, erasures, whom
from store.sql.queries.erasures import Counts, Erasure
from store.sql.queries.jobs import TakenJob
from tests.kit.commits import ACCOUNT, NOW_MS, PHONE, VISITOR, commit, conversation, outcome, said, state
from workers.erase import Eraser

CELL = CellName("c00")
USER, OTHER = VisitorId("vis_user"), VisitorId("vis_other")
TYPED = ContactKnown(
    ACCOUNT, ContactId("con_typed"), VISITOR, "kari@example.org", "", "", verified=False, marketing=True, owner="", at_ms=1
)  # fmt: skip
KNOWN = replace(TYPED, id=ContactId("con_17"), visitor=USER, email="", subject="17", verified=True, at_ms=2)
LOGGED_IN = VisitorMerged(ACCOUNT, VISITOR, USER, KNOWN.id, NOW_MS)
LINE = ConsentGiven(
    ACCOUNT, "1.1.1", VISITOR, AppKey("app"), "help", "cnv", "process", "granted", "ab", 3, "nb", "1.2", 5
)  # fmt: skip

BEGUN = Started(
    ChatflowId("flw_1"), 1, InboxId("inb_1"), None, VISITOR, 1, "nb", None, reopen_window_s=0, gated_ttl_s=0
)  # fmt: skip
LEFT = VisitorRecord(VISITOR, ACCOUNT, AppKey("app"), False, 1, 1, {}, {}, {}, merged=USER)


@pytest.fixture
async def record(databases: Databases) -> Database:
    await databases.record.transact(lambda connection: cells.begin_epoch(connection, CELL, 1))
    return databases.record


async def keep(record: Database, *facts: AnyFact, **rows: Any) -> None:
    batch = [commit(1, facts=list(facts), **rows)]
    assert await record.transact(lambda connection: commits.apply(connection, CELL, batch))


async def keep_merged(record: Database) -> None:
    """The visitor began a conversation, and is the user."""
    one = conversation(1)
    event = Event(one, 1, EventId("1.1.0"), NOW_MS, BEGUN)
    log = LogRow(one, 1, 0, msgspec.msgpack.encode(event), None)
    left = StateRow("visitor", VISITOR, ACCOUNT, 0, msgspec.msgpack.encode(LEFT))
    await keep(record, events=[log], states=[state(one, 2, visitor=USER), left])


async def rows_of(record: Database, table: Any, *columns: str) -> Sequence[tuple[Any, ...]]:
    query = select(*(table.c[name] for name in columns)).order_by(table.c[columns[0]])
    return await record.read(lambda connection: [tuple(row) for row in connection.execute(query)])


async def test_a_contact_of_theirs_alone_becomes_a_part_of_the_users(record: Database) -> None:
    """Its address too; who is named by it from now on is the user."""
    later = replace(TYPED, visitor=USER, email="", at_ms=9)
    await keep(record, TYPED, KNOWN, LOGGED_IN, later)
    assert await rows_of(record, tables.contact, "id", "email", "email_verified") == [
        (KNOWN.id, "kari@example.org", False)
    ]
    assert await rows_of(record, tables.contact_visitor, "visitor", "contact") == [(USER, KNOWN.id)]


@pytest.mark.parametrize(
    "known",
    [
        replace(TYPED, visitor=OTHER, at_ms=0),
        replace(TYPED, visitor=OTHER, subject="u-9", verified=True, at_ms=0),
        replace(TYPED, visitor=OTHER, at_ms=7),
    ],
    ids=["made by another", "vouched for", "known as by another since"],
)
async def test_an_address_that_was_typed_takes_nobody_over(record: Database, known: ContactKnown) -> None:
    """A contact that is somebody else's too stays what it is; the user is not known as it."""
    facts = [known, TYPED] if known.at_ms < TYPED.at_ms else [TYPED, known]
    await keep(record, *facts, KNOWN, LOGGED_IN)
    assert {id_ for (id_,) in await rows_of(record, tables.contact, "id")} == {TYPED.id, KNOWN.id}
    links = await rows_of(record, tables.contact_visitor, "visitor", "contact")
    assert links == [(OTHER, TYPED.id), (USER, KNOWN.id)]


async def test_a_user_who_is_nobody_yet_is_known_as_the_contact(record: Database) -> None:
    """As the visitor was, and once."""
    await keep(record, TYPED, replace(LOGGED_IN, contact=TYPED.id))
    assert await rows_of(record, tables.contact_visitor, "visitor", "contact", "verified") == [(USER, TYPED.id, False)]


async def test_a_no_is_not_undone(record: Database) -> None:
    """Of the two answers about a subscription the no stands."""
    no = Subscribed(ACCOUNT, KNOWN.id, "news", wants=False, verified=True, at_ms=3)
    yes = Subscribed(ACCOUNT, TYPED.id, "news", wants=True, verified=False, at_ms=4)
    await keep(record, TYPED, KNOWN, no, yes, LOGGED_IN)
    assert await rows_of(record, tables.subscription, "contact", "wants") == [(KNOWN.id, False)]


async def test_lines_of_the_ledger_stay_rows_of_their_own(record: Database) -> None:
    """Under the user's name, each with all it says; and they leave with the user."""
    own = replace(LINE, id="1.1.2", visitor=USER, answer="withdrawn")
    await keep(record, LINE, own, LOGGED_IN)
    found = await rows_of(record, tables.consent_entry, "id", "visitor", "answer", "text_hash", "at_ms")
    assert found == [("1.1.1", USER, "granted", "ab", 5), ("1.1.2", USER, "withdrawn", "ab", 5)]
    erased = commit(2, facts=[PersonErased(ACCOUNT, USER, ErasureId("ers_1"), None)])
    await record.transact(lambda connection: commits.apply(connection, CELL, [erased]))
    assert await rows_of(record, tables.consent_entry, "id") == []


async def test_what_is_over_is_read_for_who_logs_in(record: Database) -> None:
    """With what became of the phone's frames in it; what is open is the cell's to know."""
    open_, over = conversation(1), conversation(2)
    rows = {
        "states": [state(open_, 1), state(over, 1, status="closed")],
        "ledger": [outcome(over, 1), outcome(open_, 1)],
    }
    await keep(record, events=[said(open_, 1), said(over, 1, index=1)], **rows)
    (found,) = await record.read(lambda connection: begun.over(connection, ACCOUNT, VISITOR, PHONE))
    assert (found.conversation, len(found.outcomes)) == (over, 1)
    assert await record.read(lambda connection: begun.over(connection, ACCOUNT, OTHER, PHONE)) == []


async def test_who_is_erased_is_known_by_both_names(record: Database) -> None:
    """What is asked of the name that was is asked of the user; a backup that is older has what they began under it."""
    await keep_merged(record)
    assert await record.read(lambda sql: whom.began_as(sql, ACCOUNT, [USER])) == [VISITOR]
    assert await record.read(lambda sql: whom.began_as(sql, ACCOUNT, [OTHER])) == []
    names = (VISITOR, USER, OTHER)
    now = await record.read(lambda sql: [whom.is_now(sql, ACCOUNT, name) for name in names])
    assert now == [USER, USER, OTHER]
    assert await record.read(lambda sql: whom.met_before(sql, ACCOUNT, 2 * NOW_MS)) == []


async def test_who_has_the_conversation_is_who_they_are(record: Database) -> None:
    """A record that was written as it stood before the login hides nobody: their conversation names the user."""
    await keep_merged(record)
    current = {ChatflowId("flw_1"): CurrentConversation(conversation(1), 1, None, 0)}
    before = StateRow("visitor", VISITOR, ACCOUNT, 0, msgspec.msgpack.encode(replace(LEFT, merged="", current=current)))
    batch = [commit(2, states=[before])]
    assert await record.transact(lambda connection: commits.apply(connection, CELL, batch))
    assert await record.read(lambda sql: whom.is_now(sql, ACCOUNT, VISITOR)) == USER


async def test_the_list_of_erasures_holds_both_names(record: Database, databases: Databases, tmp_path: Path) -> None:
    """Before the first word is erased, and whichever of the two was named."""
    await keep_merged(record)
    listed = ErasedList(tmp_path / "erased.jsonl")

    async def away(_: CellName | None) -> NoReturn:
        raise Away("no cell is there")

    def frozen(_: AccountId, __: list[bytes]) -> bytes:
        raise AssertionError("nothing was erased yet")

    eraser = Eraser(away, databases, frozen, listed, lambda: NOW_MS)
    for number, name in enumerate((VISITOR, USER)):
        id_ = ErasureId(f"era_{number}")
        asked = Erasure(id_, ACCOUNT, CELL, "asked", None, name, NOW_MS, None, Counts())
        await databases.config.transact(partial(erasures.ask, erasure=asked))
        with pytest.raises(Away):
            await eraser.erase(TakenJob(id_, erasures.ERASE, ACCOUNT, id_.encode(), 1))
    assert [line.visitors for line in listed.all()] == 2 * [[USER, VISITOR]]
