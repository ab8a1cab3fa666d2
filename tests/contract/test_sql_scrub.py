"""What is left in PostgreSQL's own files after an erasure, and who is in the way of it."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from app.demo.traces import files_with
from protocol.bus.facts import ConversationErased, PersonErased
from store.sql.database import Databases, StoreAway
from store.sql.queries import cells, commits
from tests.contract.test_sql_erasing import CANARY, CELL, CONSENT, CONTACT, ERASURE, KNOWN, ONE, SAID, SURVEY, row
from tests.kit.commits import ACCOUNT, VISITOR, commit
from tests.kit.sql_servers import Postgres, open_databases


@pytest.fixture
def url(postgres: Postgres) -> str:
    """A database of its own."""
    return postgres.new_database()


@pytest.fixture
async def databases(url: str) -> AsyncIterator[Databases]:
    both = open_databases(url, url)
    yield both
    await both.close()


@pytest.fixture
async def said(databases: Databases) -> None:
    """Somebody was known, talked and was asked; all of it is in files."""
    log = [row(seq, body) for seq, body in enumerate(SAID, 1)]
    await databases.record.transact(lambda sql: cells.begin_epoch(sql, CELL, 1))
    batch = commit(1, events=log, facts=[KNOWN, CONSENT, SURVEY])
    assert await databases.record.transact(lambda sql: commits.apply(sql, CELL, [batch]))


async def erase(databases: Databases) -> None:
    erased = [ConversationErased(ACCOUNT, ONE, len(SAID) + 1), PersonErased(ACCOUNT, VISITOR, ERASURE, CONTACT)]
    assert await databases.record.transact(lambda sql: commits.apply(sql, CELL, [commit(2, facts=erased)]))


@pytest.mark.usefixtures("said")
async def test_no_page_of_a_table_or_an_index_holds_a_word(databases: Databases, postgres: Postgres, url: str) -> None:
    """Neither in rows nor in the gaps between them; its write-ahead log goes as it is configured to."""
    tables = postgres.tables_of(url)
    postgres.run("CHECKPOINT")
    assert files_with(tables, CANARY)
    await erase(databases)
    await databases.record.scrub()
    postgres.run("CHECKPOINT")
    assert files_with(tables, CANARY) == []


@pytest.mark.usefixtures("said")
async def test_whoever_reads_what_was_there_is_waited_for(databases: Databases, url: str) -> None:
    """A transaction from before sees the words, so they are there; the erasure says so, and is done later."""
    with psycopg.connect(url) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM event")
        await erase(databases)
        with pytest.raises(StoreAway, match="somebody reads what was there before"):
            await databases.record.scrub()
    await databases.record.scrub()
