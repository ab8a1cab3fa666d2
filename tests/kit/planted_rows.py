"""Rows for any table, at any step of its schema: of every column something that is easily spoilt.

Invariant: the same number gives the same row, and two numbers differ in every column that is never empty.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    inspect,
    select,
    text,
)

ROWS = 3
_AWKWARD = "ÆØÅ 会話 😀 ' \" % \\ \t"

Rows = list[dict[str, Any]]


def tables_of(connection: Connection, known: MetaData) -> dict[str, Table]:
    """Return the tables of one side that are there at this step, with the columns that they have."""
    there = known.tables.keys() & set(inspect(connection).get_table_names())
    return {name: _as_it_is(connection, known.tables[name]) for name in sorted(there)}


def _as_it_is(connection: Connection, known: Table) -> Table:
    names = connection.execute(text(f"SELECT * FROM {known.name} LIMIT 0")).keys()
    columns = [known.columns[name] for name in names]  # one that a step takes away must be told of here
    return Table(
        known.name,
        MetaData(),
        *(Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable) for c in columns),
    )


def plant(connection: Connection, tables: dict[str, Table]) -> None:
    """Write rows into each of the tables that has none."""
    for table in tables.values():
        if connection.execute(select(table).limit(1)).first() is None:
            connection.execute(table.insert(), [_row(table, number) for number in range(1, ROWS + 1)])


def found(connection: Connection, tables: dict[str, Table]) -> dict[str, Rows]:
    """Return every row of the tables, in the order of their keys."""
    return {name: _rows(connection, table) for name, table in tables.items()}


def _rows(connection: Connection, table: Table) -> Rows:
    rows = connection.execute(select(table).order_by(*table.primary_key.columns))
    return [dict(row._mapping) for row in rows]


def _row(table: Table, number: int) -> dict[str, Any]:
    return {column.name: _value(column, number) for column in table.columns}


def _value(column: Column[Any], number: int) -> Any:
    if column.nullable and number == 1:
        return None
    match column.type:
        case Boolean():
            return number % 2 == 1
        case BigInteger():
            return 2**53 - number
        case Integer():
            return 2**31 - number
        case LargeBinary():
            return bytes([number, *range(256)])
    return f"{column.name} {number} {_AWKWARD}"
