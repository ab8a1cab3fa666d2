"""What SQL keeps as figures, held against the whole logs.

Invariant: every row and every count is looked at, and none may be missing or too many.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from protocol.ids import ConversationId
from protocol.wire.content import Event
from store.sql import tables
from tests.kit.counted import Count, counted, decisions, holdings

_BALANCES = {"waited_ms": "waiting_ms", "open_ms": "open_ms"}  # of the clocks that run, only the start is known


def are_those_of(connection: Connection, logs: Mapping[ConversationId, Sequence[Event]], roster: Iterable[Any]) -> None:
    """Assert that the figures in SQL are those of `logs`, and of the events of the account's `roster`."""
    counts = {where: counted(log) for where, log in logs.items()}
    _rows(connection, counts)
    _counts(connection, roster, counts)


def _rows(connection: Connection, counts: Mapping[ConversationId, Count]) -> None:
    found = {row.conversation: dict(row._mapping) for row in connection.execute(select(tables.conversation_figure))}
    assert found.keys() == counts.keys(), "a row per conversation"
    for where, count in counts.items():
        expected, row = dict(count.row), found[where]
        for balance, clock in _BALANCES.items():
            expected[balance] -= getattr(count, clock) or 0
        assert {name: row[name] for name in expected} == expected, f"the figures of {where} are those of its log"


def _counts(connection: Connection, roster: Iterable[Any], counts: Mapping[ConversationId, Count]) -> None:
    rows = tables.routing_figure.c
    times: Counter[Any] = Counter()
    sums: Counter[Any] = Counter()
    for *key, often, total_ms in connection.execute(
        select(rows.day, rows.agent, rows.what, rows.how, rows.count, rows.total_ms)
    ):
        times[tuple(key)] += often
        sums[tuple(key)] += total_ms
    held, held_ms = holdings(counts.values())
    assert +times == decisions(roster) + held, "every decision counts once"
    assert +sums == +held_ms, "every millisecond that an agent had a conversation is theirs, on its day"
