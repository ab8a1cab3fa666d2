"""Figures of a cell that was lost and rebuilt."""

from collections.abc import AsyncIterator
from itertools import groupby
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, select

from protocol.wire.content import Event
from store.redis.server import EmbeddedValkey
from store.sql import tables
from store.sql.database import Databases
from store.sql.queries.report_rows import figure_rows
from store.sql.queries.reports import Span
from tests.kit.days import a_day_at_work
from tests.kit.engines import Bench, bench
from tests.kit.figures import are_those_of
from tests.kit.workplace import ACCOUNT, OLA, closes, sends


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as made:
        yield made


async def test_figures_go_on_where_a_rebuilt_cell_does(cell: Bench) -> None:
    """What was counted before the loss is neither lost nor counted again; what comes after is added."""
    first = await cell.open()
    await a_day_at_work(cell)
    await cell.copy_to_sql()
    await first.kill()
    await cell.call("FLUSHALL")
    second = cell.start()
    await cell.ready(epoch=2)
    await cell.do(sends(3, "Jo, én ting til"), closes(2, visitor=OLA))
    await cell.copy_to_sql()
    await cell.databases.record.read(lambda sql: _hold(sql, cell.port))
    [row] = await cell.databases.record.read(lambda sql: figure_rows(sql, "abandonment", Span(ACCOUNT)))
    assert (row["closed"], row["while_waiting"]) == (1, 1)
    await second.stop()


def _hold(connection: Connection, port: Any) -> None:
    rows = tables.event.c
    entries = connection.execute(select(rows.conversation, rows.frame).order_by(rows.conversation, rows.seq)).all()
    logs = {
        where: [msgspec.msgpack.decode(entry.frame, type=Event) for entry in log]
        for where, log in groupby(entries, lambda entry: entry.conversation)
    }
    roster = connection.execute(select(tables.roster_event.c.event).order_by(tables.roster_event.c.seq)).scalars()
    are_those_of(connection, logs, map(port.decode_event, roster))
