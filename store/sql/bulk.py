"""Many rows at once, by the driver's own `executemany`.

Invariant: the SQL is SQLAlchemy's, compiled once per table; only its work per row is left out (it was two thirds of
what the scribe cost: 24 µs of CPU per event with it, 13 without; `make bench`).
"""

from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import Connection, Dialect, Insert, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

Row = dict[str, Any]
Values = tuple[Any, ...]
Conflict = Literal["fail", "keep", "replace"]


def write(connection: Connection, table: Table, rows: Sequence[Row], conflict: Conflict = "fail") -> None:
    """Insert `rows`, each with every column of `table`; a row of the same primary key is an error, kept or replaced."""
    if rows:
        names = tuple(column.name for column in table.columns)
        write_values(connection, table, names, list(map(itemgetter(*names), rows)), conflict)


def write_new(connection: Connection, table: Table, row: Row) -> bool:
    """Insert `row`; False, and nothing is written, if there is one of its primary key, also if only by now."""
    statement = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)
    keys = list(table.primary_key)
    return connection.execute(statement.values(row).on_conflict_do_nothing().returning(*keys)).first() is not None


def write_values(
    connection: Connection, table: Table, names: Values, rows: list[Values], conflict: Conflict = "fail"
) -> None:
    """Insert `rows`, each the values of the columns `names`: all that `table` has, in its order."""
    assert names == tuple(column.name for column in table.columns), "values would land in wrong columns"
    if rows:
        connection.exec_driver_sql(_sql(connection.dialect.name, table, conflict), rows)


@cache
def _sql(dialect: str, table: Table, conflict: Conflict) -> str:
    compiled = _statement(dialect, table, conflict).compile(dialect=_positional(dialect))
    assert compiled.positiontup == [column.name for column in table.columns], "values would land in wrong columns"
    return str(compiled)


def _positional(dialect: str) -> Dialect:
    if dialect == "sqlite":
        return SQLiteDialect_pysqlite(paramstyle="qmark")
    return PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]  # SQLAlchemy's, left untyped


def _statement(dialect: str, table: Table, conflict: Conflict) -> Insert:
    if conflict == "fail":
        return insert(table)
    statement = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(table)
    if conflict == "keep":
        return statement.on_conflict_do_nothing()
    keys = [column.name for column in table.primary_key]
    changes = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)
