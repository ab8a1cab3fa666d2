"""The schema's steps, on SQLite and on PostgreSQL."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect

from store.sql.database import DirectDatabase, StoreAway
from store.sql.migrate import Side, migrate
from store.sql.tables import CONFIG, RECORD

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


def test_a_database_that_cannot_be_opened_is_away() -> None:
    """A path that leads nowhere is a fault with a reason, not a crash."""
    with pytest.raises(StoreAway, match="unable to open"):
        migrate("sqlite:////nowhere/at/all.db", "config")


def test_another_kind_of_database_is_refused() -> None:
    """What we do not speak is said so, with what we do."""
    with pytest.raises(ValueError, match="mysql is no database for Samtale"):
        migrate("mysql://host/name", "config")


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
