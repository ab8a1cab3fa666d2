"""Figures, kept as conversations go on: in the scribe's transaction, from what engines left in their commits.

Invariant: each figure of a commit counts once, because its commit is copied once (`commits.apply`). A plain message
leaves none, and costs nothing here.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Table

from protocol.bus.figures import AgentHeld, AnyFigure, Begun, Decided, Measured
from store.sql import tables
from store.sql.bulk import Row, write
from store.sql.figure_tables import TOLD_APART_BY

DAY_MS: Final = 86_400_000
_FIRST: Final = ("first_reply_ms", "replied_by", "first_wait_ms", "first_wait")  # the first one stays
_LATEST: Final = (
    "entered",
    "spoke",
    "spoke_first",
    "agent",
    "storage",
    "process",
    "communicate",
    "email",
    "email_later",
    "ended",
    "stood",
)
_ADDED: Final = ("waits", "waits_over", "waited_ms", "assigned", "handed_on", "open_ms", "closes", "reopens")
_MEASURED: Final = (*_FIRST, *_LATEST, *_ADDED)
_UNMEASURED: Final[Row] = {
    **dict.fromkeys(_FIRST),
    **dict.fromkeys(_LATEST, ""),
    **dict.fromkeys(("entered", "spoke", "spoke_first"), False),
    **dict.fromkeys(_ADDED, 0),
}


def keep(connection: Connection, figures: list[AnyFigure]) -> None:
    """Count `figures`, which are in the order of their commits."""
    write(connection, tables.conversation_figure, [_begun(each) for each in figures if isinstance(each, Begun)])
    measured = [each for each in figures if isinstance(each, Measured)]
    if measured:
        values = [(*(getattr(each, name) for name in _MEASURED), each.conversation) for each in measured]
        connection.exec_driver_sql(_update(connection.dialect.name), values)
    counted = [row for each in figures for row in _counted(each)]
    if counted:
        connection.exec_driver_sql(_count(connection.dialect.name), counted)


def _begun(begun: Begun) -> Row:
    apart = {name: getattr(begun, name) for name in ("account", "conversation", "version", "origin", *TOLD_APART_BY)}
    return {**_UNMEASURED, **apart, "day": begun.at_ms // DAY_MS, **dict.fromkeys(begun.steps, "asked")}


def _counted(figure: AnyFigure) -> Iterator[tuple[Any, ...]]:
    """Yield (day, agent, what, how, count, total_ms, conversation) for each day that `figure` counts on."""
    match figure:
        case Decided():
            yield figure.at_ms // DAY_MS, figure.agent, figure.what, figure.how, 1, 0, figure.conversation
        case AgentHeld():
            what = "held" if figure.answered else "held_unanswered"
            for day, ms in days(figure.since_ms, figure.until_ms):
                last = day == figure.until_ms // DAY_MS
                yield day, figure.agent, what, figure.how, int(last), ms, figure.conversation
        case _:
            return


def days(since_ms: int, until_ms: int) -> Iterable[tuple[int, int]]:
    """Return how many milliseconds of a span lie on which day; the day it ended on is always among them."""
    first, last = since_ms // DAY_MS, until_ms // DAY_MS
    for day in range(min(first, last), last + 1):
        yield day, max(min(until_ms, (day + 1) * DAY_MS) - max(since_ms, day * DAY_MS), 0)


@cache
def _update(dialect: str) -> str:
    mark = _mark(dialect)
    changes = [
        *(f"{name} = COALESCE({name}, {mark})" for name in _FIRST),
        *(f"{name} = COALESCE({mark}, {name})" for name in _LATEST),
        *(f"{name} = {name} + {mark}" for name in _ADDED),
    ]
    table = tables.conversation_figure.name
    return f"UPDATE {table} SET {', '.join(changes)} WHERE conversation = {mark}"  # noqa: S608  # names of ours


@cache
def _count(dialect: str) -> str:
    """What a conversation is told apart by stands in its own row: no fact need repeat it, and no roster know it."""
    mark, table = _mark(dialect), tables.routing_figure
    apart = ", ".join(("account", *TOLD_APART_BY))
    return (
        f"INSERT INTO {table.name} ({apart}, day, agent, what, how, count, total_ms)"  # noqa: S608  # names of ours
        f" SELECT {apart}, {', '.join([_typed(dialect, mark, name, table) for name in _COUNTED])}"
        f" FROM {tables.conversation_figure.name} WHERE conversation = {mark}"
        f" ON CONFLICT ({', '.join(key.name for key in table.primary_key)})"
        f" DO UPDATE SET count = {table.name}.count + excluded.count,"
        f" total_ms = {table.name}.total_ms + excluded.total_ms"
    )


_COUNTED: Final = ("day", "agent", "what", "how", "count", "total_ms")


def _typed(dialect: str, mark: str, name: str, table: Table) -> str:
    # PostgreSQL takes a bare parameter of a SELECT for text.
    return mark if dialect == "sqlite" else f"CAST({mark} AS {table.c[name].type.compile()})"


def _mark(dialect: str) -> str:
    return "?" if dialect == "sqlite" else "%s"
