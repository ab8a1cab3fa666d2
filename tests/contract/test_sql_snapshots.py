"""A snapshot of both sides of SQL, and what is made of one, on SQLite and on PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect

from protocol.ids import AccountId, CellName, ContactId, ErasureId, VisitorId
from store.files.erased import Erased
from store.sql import snapshots, tables
from store.sql.database import Databases, DirectDatabase
from store.sql.migrate import Side, migrate
from store.sql.queries import cells, erasures, jobs, restoring
from tests.kit.commits import NOW_MS
from tests.kit.planted_rows import Rows, found, plant, tables_of
from tests.kit.sql_servers import Postgres

C00, C01 = CellName("c00"), CellName("c01")
ERASURE = ErasureId("era_1")
LINE = Erased(ERASURE, AccountId("acc"), C00, NOW_MS, [ContactId("con_1"), ContactId("con_old")], [VisitorId("vis_1")])
LATER_MS = NOW_MS + 60_000
SIDES: tuple[Side, Side] = ("config", "record")
METADATA = (tables.CONFIG, tables.RECORD)
Urls = tuple[str, str]


@pytest.fixture
def empty_urls(sql_urls: Urls, tmp_path: Path, request: pytest.FixtureRequest) -> Urls:
    """Databases like those of `sql_urls`, elsewhere."""
    if sql_urls[0].startswith("sqlite"):
        (tmp_path / "elsewhere").mkdir()
        return f"sqlite:///{tmp_path}/elsewhere/config.db", f"sqlite:///{tmp_path}/elsewhere/record.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.new_database()
    return url, url


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the snapshot goes; PostgreSQL's own programs are at hand."""
    if "postgres" in request.node.name:
        postgres: Postgres = request.getfixturevalue("postgres")
        monkeypatch.setenv("PATH", str(postgres.binaries), prepend=":")
    (tmp_path / "snapshot").mkdir()
    return tmp_path / "snapshot"


def opened(urls: Urls) -> Iterator[DirectDatabase]:
    """Lend both sides, one after the other."""
    for url in urls:
        database = DirectDatabase(url)
        yield database
        database.engine.dispose()


def everything(connection: Connection) -> dict[str, Rows]:
    """Return every row of every table of ours that is there."""
    return {name: rows for of in METADATA for name, rows in found(connection, tables_of(connection, of)).items()}


def test_every_row_of_every_table_comes_back(sql_urls: Urls, empty_urls: Urls, folder: Path) -> None:
    """With its schema, in which the next version finds its way."""
    for url, side, metadata, database in zip(sql_urls, SIDES, METADATA, opened(sql_urls), strict=True):
        migrate(url, side)
        database.run(lambda sql, of=metadata: plant(sql, tables_of(sql, of)))
    assert snapshots.is_empty(empty_urls[1])
    snapshots.take(*sql_urls, folder)
    assert sorted(file.name for file in folder.iterdir()) == sorted(snapshots.names(sql_urls[0]))
    snapshots.put_back(folder, *empty_urls)
    assert not snapshots.is_empty(empty_urls[1])
    for url, side, before, after in zip(empty_urls, SIDES, opened(sql_urls), opened(empty_urls), strict=True):
        migrate(url, side)
        expected = before.run(everything)
        assert len(expected) > 10
        assert after.run(everything) == expected


def test_both_sides_are_of_one_instant(sqlite_urls: Urls, tmp_path: Path) -> None:
    """Whatever is written while the files are copied is in neither of them."""
    for url, side in zip(sqlite_urls, SIDES, strict=True):
        migrate(url, side)
    with snapshots.pinned(tmp_path / "config.db", tmp_path / "record.db") as pinned:
        for database in opened(sqlite_urls):
            database.run(lambda sql: sql.exec_driver_sql("CREATE TABLE late (id TEXT)"))
        for name, side in zip(("one.db", "other.db"), pinned, strict=True):
            with closing(sqlite3.connect(tmp_path / name)) as copy:
                side.backup(copy)
    for database in opened((f"sqlite:///{tmp_path}/one.db", f"sqlite:///{tmp_path}/other.db")):
        assert "late" not in database.run(lambda sql: inspect(sql).get_table_names())


def test_a_database_that_is_away_leaves_no_snapshot(tmp_path: Path) -> None:
    """It is said why, without the password."""
    url = "postgresql://samtale:hunter2@127.0.0.1:1/samtale?connect_timeout=2"
    with pytest.raises(snapshots.SnapshotFailed) as failed:
        snapshots.take(url, url, tmp_path)
    assert "hunter2" not in str(failed.value)


def test_a_password_goes_to_postgresqls_programs_and_to_no_other_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are given it as it is, and not among their arguments, which everybody on the machine can list."""
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "$1 as $PGPASSWORD" >&2\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    url = "postgresql://samtale:hunter2@127.0.0.1:1/samtale?sslmode=require"
    with pytest.raises(snapshots.SnapshotFailed) as failed:
        snapshots.take(url, url, tmp_path)
    assert str(failed.value) == "--dbname=postgresql://samtale@127.0.0.1:1/samtale?sslmode=require as hunter2"


async def test_cells_begin_above_all_that_was_lost(databases: Databases) -> None:
    """Those that the backup knows, and those that it does not: their next epoch never was before."""
    await databases.record.transact(lambda sql: cells.begin_epoch(sql, C00, 7))
    await databases.record.transact(lambda sql: cells.leave_clean(sql, C00, 7, "run", 0))
    await databases.record.transact(lambda sql: restoring.begin_anew(sql, [C00, C01], NOW_MS))
    for cell in (C00, C01):
        position = await databases.record.read(lambda sql, of=cell: cells.position(sql, of))
        assert position == cells.CellPosition(NOW_MS // 1_000, 0, None, None)
        assert (
            await databases.record.transact(lambda sql, of=cell: cells.begin_epoch(sql, of, NOW_MS // 1_000 + 1)) == 0
        )
    await databases.record.transact(lambda sql: restoring.begin_anew(sql, [C00], 1_000))
    position = await databases.record.read(lambda sql: cells.position(sql, C00))
    assert position is not None
    assert position.epoch == NOW_MS // 1_000 + 1  # a clock that was wrong takes nothing back


async def test_whoever_is_listed_is_erased_again(databases: Databases) -> None:
    """As whatever they were in the backup: each contact that became this one, and each visitor; once."""
    config = databases.config
    for _ in range(2):
        waiting = await config.transact(lambda sql: restoring.erase_again(sql, [LINE, LINE], LATER_MS))
        assert waiting == 3
    asked = await config.read(lambda sql: erasures.newest(sql, LINE.account, 10))
    assert {each.contact or each.visitor for each in asked} == {"con_1", "con_old", "vis_1"}
    taken = await config.transact(lambda sql: jobs.take(sql, "config", now_ms=LATER_MS, lease_ms=1, limit=10))
    assert {job.payload.decode() for job in taken} == {each.id for each in asked}


async def test_nobody_is_served_before_they_are_erased_again(databases: Databases) -> None:
    """Those who are listed, and those whose erasure was under way; an erasure that comes later holds nobody up."""
    config = databases.config
    assert await config.read(restoring.left) == 0
    await config.transact(lambda sql: restoring.erase_again(sql, [LINE], LATER_MS))
    for number, erasure in enumerate(await config.read(lambda sql: erasures.newest(sql, LINE.account, 10))):
        assert await config.read(restoring.left) == 3 - number
        await config.transact(lambda sql, of=erasure: erasures.done(sql, of.id, LATER_MS))
    late = Erased(ErasureId("era_2"), LINE.account, C00, LATER_MS + 1, [], [VisitorId("vis_2")])
    await config.transact(lambda sql: [erasures.ask(sql, each) for each in restoring.of_line(late)])
    assert await config.read(restoring.left) == 0


async def test_who_was_erased_before_the_backup_is_not_again(databases: Databases) -> None:
    """The snapshot has it that nothing was left of them."""
    config = databases.config
    await config.transact(lambda sql: erasures.ask(sql, next(iter(restoring.of_line(LINE)))))
    await config.transact(lambda sql: erasures.done(sql, ERASURE, NOW_MS))
    assert await config.transact(lambda sql: restoring.erase_again(sql, [LINE], LATER_MS)) == 0
