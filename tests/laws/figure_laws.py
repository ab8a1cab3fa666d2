"""What is true of figures: kept as conversations went on, they are what the whole logs say.

Invariant: the two are counted by code that shares nothing, and the kept ones go through SQL as a scribe writes them.
"""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, create_engine, select

from protocol.bus.figures import Figure
from protocol.ids import ConversationId
from store.sql import tables
from store.sql.queries import figures
from tests.kit.counted import Count, counted, decisions, holdings
from tests.kit.workplace import ACCOUNT
from tests.kit.world import World

_BALANCES = {"waited_ms": "waiting_ms", "open_ms": "open_ms"}  # of the clocks that run, only the start is known


class FigureLaws:
    """The law of figures, looked at when all is over."""

    world: World

    def teardown(self) -> None:
        world = self.world
        if world.logs:
            engine = create_engine("sqlite://")
            with engine.begin() as connection:
                tables.RECORD.create_all(connection, [tables.conversation_figure, tables.routing_figure])
                figures.keep(connection, [fact for fact in world.facts if isinstance(fact, Figure)])
                counts = {where: counted(world.log(where)) for where in world.logs}
                _rows_are_those_of_the_logs(connection, counts)
                _counts_are_those_of_the_logs(connection, world, counts)
            engine.dispose()


def _rows_are_those_of_the_logs(connection: Connection, counts: dict[ConversationId, Count]) -> None:
    found = {row.conversation: dict(row._mapping) for row in connection.execute(select(tables.conversation_figure))}
    assert found.keys() == counts.keys(), "a row per conversation"
    for where, count in counts.items():
        expected, row = dict(count.row), found[where]
        for balance, clock in _BALANCES.items():
            expected[balance] -= getattr(count, clock) or 0
        assert {name: row[name] for name in expected} == expected, f"the figures of {where} are those of its log"


def _counts_are_those_of_the_logs(connection: Connection, world: World, counts: dict[ConversationId, Count]) -> None:
    rows = tables.routing_figure.c
    times: Counter[Any] = Counter()
    sums: Counter[Any] = Counter()
    for key in connection.execute(select(rows.day, rows.agent, rows.what, rows.how, rows.count, rows.total_ms)):
        times[tuple(key[:4])] += key[4]
        sums[tuple(key[:4])] += key[5]
    held, held_ms = holdings(counts.values())
    roster = (world.port.decode_event(raw) for raw in world.roster_log[ACCOUNT])
    assert times == decisions(roster) + held, "every decision counts once"
    assert +sums == held_ms, "every millisecond that an agent had a conversation is theirs, on its day"
