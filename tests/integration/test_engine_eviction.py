"""What nobody has needed for long leaves Redis once SQL has it, and comes back with the caller."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.queries import records
from tests.kit.engines import SETTINGS, Bench, bench, later_s
from tests.kit.workplace import ACCOUNT, KARI, OPEN, admits, closes, conversation, origin, phone, sends

SWEEPING = replace(SETTINGS, sweep_s=0.02)
TWO_HOURS, TWO_DAYS = later_s(7_200), later_s(172_800)


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as made:
        yield made


async def closed_and_stored(cell: Bench) -> None:
    """Kari's conversation is over, and SQL has it."""
    first = await cell.open()
    await cell.do(admits(), sends(1, "1"), closes(2))
    await cell.copy_to_sql()
    await first.stop()


async def test_a_closed_conversation_leaves_when_nothing_can_reopen_it(cell: Bench) -> None:
    """Its hash, log and receipts go in one commit; its visitor, seen lately, stays."""
    await closed_and_stored(cell)
    engine = cell.start(SWEEPING, now_ms=TWO_HOURS)
    await cell.gone(cell.keys.conversation(conversation()))
    assert await cell.call("EXISTS", cell.keys.log(conversation())) == 0
    assert await cell.visitor(KARI) is not None
    last = (await cell.outbox())[-1]
    assert [(row.kind, row.id, row.state) for row in last.states] == [("conversation", conversation(), b"")]
    await engine.stop()


async def test_a_closed_conversation_that_can_be_reopened_stays(cell: Bench) -> None:
    """The sweep looks at it, and again only when its time has come."""
    await closed_and_stored(cell)
    engine = cell.start(SWEEPING, now_ms=later_s(1_800))
    await cell.do(sends(3, "2"))
    assert (await cell.outcome(conversation(), phone(KARI), 3)).code == ""
    await engine.stop()


async def test_what_sql_has_not_stays(cell: Bench) -> None:
    """A conversation whose last commit was not copied is looked at and kept, until it is copied."""
    first = await cell.open()
    await cell.do(admits(), sends(1, "1"), closes(2))
    await first.stop()
    engine = cell.start(SWEEPING, now_ms=TWO_DAYS)
    await cell.do(admits())
    assert await cell.conversation(conversation()) is not None
    await cell.copy_to_sql()
    await cell.gone(cell.keys.conversation(conversation()))
    await engine.stop()


async def test_a_visitor_leaves_last_and_comes_back_with_the_caller(cell: Bench) -> None:
    """The record in SQL, sent along with the next hello, is who they were; the next send starts anew."""
    await closed_and_stored(cell)
    engine = cell.start(SWEEPING, now_ms=TWO_DAYS)
    await cell.gone(cell.keys.visitor(KARI))
    await engine.stop()
    record = await cell.databases.record.read(lambda sql: records.visitor(sql, ACCOUNT, KARI))
    engine = await cell.open()
    await cell.do(admits(record=record, presented=[b"fresh"], origin=origin(phone(KARI), 0, "again")))
    found = await cell.visitor(KARI)
    assert found is not None
    assert record is not None
    assert found.current[OPEN].conversation == record.current[OPEN].conversation == conversation()
    await engine.stop()


async def test_the_bulk_of_a_long_log_is_let_go_once_sql_has_it(cell: Bench) -> None:
    """The newest 200 entries stay, with everything that SQL has not."""
    engine = await cell.open(replace(SWEEPING, batch_commands=1))
    await cell.do(admits(), *(sends(n, str(n)) for n in range(1, 251)))
    await cell.copy_to_sql()
    await engine.stop()
    engine = await cell.open()
    await cell.do(sends(251, "251"))
    log = await cell.log(conversation())
    assert len(log) <= 202
    assert log[-1].seq == (await cell.conversation(conversation())).seq  # type: ignore[union-attr]
    await engine.stop()
