"""Whether a text is stored anywhere: every value of every table is looked at. For `samtale demo` and checkers.

Invariant: reads only, row by row; bytes are searched as they are, so text inside MessagePack is found too.
"""

from collections.abc import Iterator
from typing import Any, Literal

from sqlalchemy import Connection, MetaData, select

from store.sql.tables import CONFIG, RECORD

Side = Literal["config", "record"]

_SIDES: dict[Side, MetaData] = {"config": CONFIG, "record": RECORD}


def holding(connection: Connection, side: Side, text: str) -> list[str]:
    """Return the names, `table.column`, of the columns that hold `text` in some row."""
    return sorted(set(_found(connection, side, text)))


def _found(connection: Connection, side: Side, text: str) -> Iterator[str]:
    for table in _SIDES[side].sorted_tables:
        for row in connection.execute(select(table)).yield_per(500):
            yield from (f"{table.name}.{name}" for name, value in row._mapping.items() if _holds(value, text))


def _holds(value: Any, text: str) -> bool:
    if isinstance(value, bytes):
        return text.encode() in value
    return isinstance(value, str) and text in value
