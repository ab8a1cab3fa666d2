"""What SQL alone keeps of people and conversations, on SQLite and on PostgreSQL."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from protocol.bus.facts import AnyFact, ConsentGiven, ContactKnown, Erased, Subscribed, SurveyChanged, TicketKept
from protocol.ids import AppKey, CellName, ContactId, InboxId
from protocol.wire.content import Author, Event, Message, Role
from store.sql import tables
from store.sql.database import Database, Databases
from store.sql.queries import cells, commits, history
from tests.kit.commits import ACCOUNT, NOW_MS, VISITOR, commit, conversation, said

CELL = CellName("c00")
ONE = conversation(1)
KARI = ContactKnown(
    ACCOUNT, ContactId("con_1"), VISITOR, "kari@example.org", "", "", verified=False, marketing=True, owner="", at_ms=1
)
ASKED = SurveyChanged(
    ACCOUNT, ONE, 1, "csat", 3, "help", "faces", "production", "ios", "1.2", asked_at_ms=NOW_MS
)  # fmt: skip


@pytest.fixture
async def record(databases: Databases) -> Database:
    await databases.record.transact(lambda connection: cells.begin_epoch(connection, CELL, 1))
    return databases.record


async def keep(record: Database, *facts: AnyFact, commit_no: int = 1, **rows: Any) -> None:
    batch = [commit(commit_no, facts=list(facts), **rows)]
    assert await record.transact(lambda connection: commits.apply(connection, CELL, batch))


async def rows_of(record: Database, table: Any, *columns: str) -> Sequence[tuple[Any, ...]]:
    query = select(*(table.c[name] for name in columns))
    return await record.read(lambda connection: [tuple(row) for row in connection.execute(query)])


async def test_a_line_of_the_consent_ledger_is_kept_with_all_it_says(record: Database) -> None:
    """What was answered, to which text, in which version and language, by which app version, and when."""
    line = ConsentGiven(
        ACCOUNT, "1.1.1", VISITOR, AppKey("app"), "help", ONE, "process", "granted", "ab", 3, "nb", "1.2", NOW_MS
    )
    await keep(record, line)
    told = ("purpose", "answer", "text_hash", "version", "locale", "app_version", "at_ms")
    found = await rows_of(record, tables.consent_entry, *told)
    assert found == [("process", "granted", "ab", 3, "nb", "1.2", NOW_MS)]


async def test_a_contact_that_exists_is_found_and_not_marked(record: Database) -> None:
    """Only the flow that creates a contact marks it for marketing; a later one changes nothing."""
    await keep(record, replace(KARI, marketing=False), KARI)
    assert await rows_of(record, tables.contact, "id", "marketing") == [("con_1", False)]


async def test_what_a_visitor_typed_overwrites_nothing(record: Database) -> None:
    """An unverified address fills an empty one and leaves another as it is."""
    await keep(record, replace(KARI, email=""), KARI, replace(KARI, email="other@example.org", name="Mallory"))
    assert await rows_of(record, tables.contact, "email", "name", "email_verified") == [("kari@example.org", "", False)]


async def test_what_the_company_vouches_for_is_taken(record: Database) -> None:
    """A token's name, address and owner replace what was known; what it does not say stays."""
    vouched = replace(KARI, email="", name="Kari N.", owner="ola", verified=True, subject="u-1")
    await keep(record, KARI, vouched)
    found = await rows_of(record, tables.contact, "email", "name", "owner", "subject", "email_verified")
    assert found == [("kari@example.org", "Kari N.", "ola", "u-1", False)]


async def test_an_unverified_address_never_undoes_an_opt_out(record: Database) -> None:
    """Who said no stays out, whoever types their address; they themselves may say yes again."""
    no = Subscribed(ACCOUNT, KARI.id, "news", wants=False, verified=True, at_ms=1)
    yes = replace(no, wants=True, verified=False, at_ms=2)
    await keep(record, no, yes)
    assert await rows_of(record, tables.subscription, "wants") == [(False,)]
    await keep(record, replace(yes, verified=True, at_ms=3), commit_no=2)
    assert await rows_of(record, tables.subscription, "wants") == [(True,)]


async def test_a_survey_grows_and_forgets_nothing(record: Database) -> None:
    """Asked, seen, answered and commented are told one after the other; each leaves the others as they were."""
    steps = [
        replace(ASKED, seen_at_ms=5),
        replace(ASKED, score=2, answered_at_ms=6),
        replace(ASKED, comment="Takk"),
    ]
    await keep(record, ASKED, *steps)
    columns = ("asked_at_ms", "seen_at_ms", "score", "answered_at_ms", "comment", "expired", "dismissed")
    assert await rows_of(record, tables.survey_ask, *columns) == [(NOW_MS, 5, 2, 6, "Takk", False, False)]


async def test_a_ticket_is_as_it_was_last_told(record: Database) -> None:
    """Its number stays, its status moves."""
    ticket = TicketKept(ACCOUNT, ONE, InboxId("desk"), 7, "new", "normal", NOW_MS, NOW_MS)
    await keep(record, ticket, replace(ticket, status="waiting_visitor", changed_at_ms=NOW_MS + 1))
    found = await rows_of(record, tables.ticket, "number", "status", "changed_at_ms")
    assert found == [(7, "waiting_visitor", NOW_MS + 1)]


async def test_what_was_erased_is_in_no_row(record: Database) -> None:
    """The entry keeps its place; its words are gone from SQL in the transaction that tells of it."""
    entry = said(ONE, 1, "my card number is 1234")
    body = Message(Author(Role.VISITOR, VISITOR), "", redacted=True)
    tombstone = msgspec.msgpack.encode(Event(ONE, 1, "1.1.0", NOW_MS, body))  # type: ignore[arg-type]
    await keep(record, events=[entry])
    await keep(record, Erased(ACCOUNT, ONE, 1, tombstone, None), commit_no=2)
    page = await record.read(lambda c: history.after(c, ACCOUNT, ONE, 0, 10, audience="staff"))
    assert [(hint.seq, b"1234" in hint.frame) for hint in page] == [(1, False)]


async def test_facts_of_a_batch_that_is_not_taken_are_not_kept(record: Database) -> None:
    """They are behind the same fence as the log."""
    late = [commit(9, facts=[KARI])]
    assert not await record.transact(lambda connection: commits.apply(connection, CELL, late))
    assert await rows_of(record, tables.contact, "id") == []
