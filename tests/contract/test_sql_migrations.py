"""The schema's steps, on SQLite and on PostgreSQL."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect

from store.sql import migrations
from store.sql.database import DirectDatabase, StoreAway
from store.sql.migrate import Side, migrate
from store.sql.tables import CONFIG, RECORD
from tests.kit.planted_rows import Rows, found, plant, tables_of

Filled = dict[str, tuple[set[str], Rows]]

SIDES: list[tuple[Side, MetaData]] = [("config", CONFIG), ("record", RECORD)]


def test_steps_lead_to_the_tables_that_queries_use(sql_urls: tuple[str, str]) -> None:
    """After all steps the schema is exactly that of tables.py."""
    for (side, metadata), url in zip(SIDES, sql_urls, strict=True):
        migrate(url, side)
        assert differences(url, side, metadata) == []


def test_steps_twice_change_nothing(sql_urls: tuple[str, str]) -> None:
    """A database that is up to date stays as it is."""
    for (side, metadata), url in zip(SIDES, sql_urls, strict=True):
        migrate(url, side)
        migrate(url, side)
        assert differences(url, side, metadata) == []


def test_steps_back_leave_nothing(sql_urls: tuple[str, str]) -> None:
    """Down to base, only the note of the version is left."""
    for (side, _), url in zip(SIDES, sql_urls, strict=True):
        migrate(url, side)
        migrate(url, side, "base")
    assert not {name for url in sql_urls for name in tables_at(url)} - {
        "schema_version_config",
        "schema_version_record",
    }


def test_a_side_leaves_the_other_alone(sql_urls: tuple[str, str]) -> None:
    """Taking the configuration away leaves the record, also where they share a database."""
    for (side, _), url in zip(SIDES, sql_urls, strict=True):
        migrate(url, side)
    migrate(sql_urls[0], "config", "base")
    assert differences(sql_urls[1], "record", RECORD) == []


def test_no_step_loses_a_row(sql_urls: tuple[str, str]) -> None:
    """Up with rows in every table, back step by step, and up again: what both sides of a step have is as it was."""
    for (side, metadata), url in zip(SIDES, sql_urls, strict=True):
        tables: list[set[str]] = []
        for step in steps_of(side):
            go(url, side, metadata, step)
            within(url, lambda sql, of=metadata: plant(sql, tables_of(sql, of)))
            now = filled(url, metadata)
            assert all(rows for _, rows in now.values()), step
            tables.append(set(now))
        assert tables[-1] == set(metadata.tables)
        for there in reversed(tables[:-1]):
            go(url, side, metadata, "-1")
            assert set(filled(url, metadata)) == there
        go(url, side, metadata, "head")
        assert differences(url, side, metadata) == []


def test_steps_back_are_forgotten_with_what_they_made(sql_urls: tuple[str, str]) -> None:
    """Down to base and up again over rows of every table: what is there is new, and empty."""
    for (side, metadata), url in zip(SIDES, sql_urls, strict=True):
        migrate(url, side)
        within(url, lambda sql, of=metadata: plant(sql, tables_of(sql, of)))
        migrate(url, side, "base")
        migrate(url, side)
        assert {name for name, (_, rows) in filled(url, metadata).items() if rows} == set()


def test_a_database_that_cannot_be_opened_is_away() -> None:
    """A path that leads nowhere is a fault with a reason, not a crash."""
    with pytest.raises(StoreAway, match="unable to open"):
        migrate("sqlite:////nowhere/at/all.db", "config")


def test_another_kind_of_database_is_refused() -> None:
    """What we do not speak is said so, with what we do."""
    with pytest.raises(ValueError, match="mysql is no database for Samtale"):
        migrate("mysql://host/name", "config")


def steps_of(side: Side) -> list[str]:
    """Return the names of the side's steps, the first one first."""
    folder = Path(migrations.__file__).parent / side
    return [f"{side}_{file.name[1:5]}" for file in sorted(folder.glob("r*.py"))]


def filled(url: str, metadata: MetaData) -> Filled:
    """Return the columns and the rows of every table of the side that is there."""

    def read(connection: Connection) -> Filled:
        there = tables_of(connection, metadata)
        return {name: (set(there[name].columns.keys()), rows) for name, rows in found(connection, there).items()}

    result: Filled = within(url, read)
    return result


def go(url: str, side: Side, metadata: MetaData, step: str) -> None:
    """Go to a step, and see that every row is there that was, in the tables and columns of both."""
    before = filled(url, metadata)
    migrate(url, side, step)
    after = filled(url, metadata)
    assert step == "-1" or before.keys() <= after.keys()
    for name in before.keys() & after.keys():
        (had, rows), (has, now) = before[name], after[name]
        assert only(had & has, now) == only(had & has, rows), (step, name)


def only(columns: set[str], rows: Rows) -> Rows:
    return [{name: row[name] for name in columns} for row in rows]


def differences(url: str, side: Side, metadata: MetaData) -> list[object]:
    ours = set(metadata.tables)

    def include(thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        return kind != "table" or name in ours

    def compare(connection: Connection) -> list[object]:
        options = {"include_object": include, "version_table": f"schema_version_{side}"}
        found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        return found

    return within(url, compare)


def tables_at(url: str) -> list[str]:
    return within(url, lambda connection: inspect(connection).get_table_names())


def within(url, query):
    database = DirectDatabase(url)
    try:
        return database.run(query)
    finally:
        database.engine.dispose()
