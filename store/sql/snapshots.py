"""Both sides of SQL as files in a folder, of one instant; and both sides from such files.

Invariant: no transaction of either side is in a snapshot without those that came before it on the other; whoever
writes waits for milliseconds, and whoever reads not at all. Only empty places are filled.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, make_url

from store.sql.database import DirectDatabase
from store.sql.dialects import driver_url, is_sqlite

_SIDES = ("config.db", "record.db")
_DUMP = "samtale.dump"
_WAIT_S = 30.0


class SnapshotFailed(Exception):
    """It could not be taken, or put back, and why."""


def names(url: str) -> tuple[str, ...]:
    """Return the files that a snapshot of a database like `url` has."""
    return _SIDES if is_sqlite(url) else (_DUMP,)


def take(config_url: str, record_url: str, folder: Path) -> None:
    """Write a snapshot of both sides into `folder`, to the disk, for this user alone. Raises SnapshotFailed."""
    for name in names(config_url):
        (folder / name).touch(mode=0o600, exist_ok=False)
    try:
        if is_sqlite(config_url):
            _copy(_path(config_url), _path(record_url), folder)
        else:
            _run("pg_dump", config_url, "--format=custom", f"--file={folder / _DUMP}")
    except sqlite3.Error as error:
        raise SnapshotFailed(f"SQLite: {error}") from None
    for name in names(config_url):
        _to_disk(folder / name)


def is_empty(url: str) -> bool:
    """Whether nothing is there yet: no file, no table. Raises StoreAway."""
    if is_sqlite(url):
        return not _path(url).exists()
    database = DirectDatabase(url)
    try:
        return not database.run(_tables)
    finally:
        database.engine.dispose()


def put_back(folder: Path, config_url: str, record_url: str) -> None:
    """Fill both sides, which are empty, with the snapshot in `folder`. Raises SnapshotFailed."""
    if not is_sqlite(config_url):
        whole = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
        _run("pg_restore", config_url, *whole, str(folder / _DUMP))
        return
    for name, url in zip(_SIDES, (config_url, record_url), strict=True):
        shutil.copyfile(folder / name, _path(url))
        _path(url).chmod(0o600)
        _to_disk(_path(url))


def _copy(config: Path, record: Path, folder: Path) -> None:
    with pinned(config, record) as sides:
        for name, side in zip(_SIDES, sides, strict=True):
            with closing(sqlite3.connect(folder / name)) as copy:
                side.backup(copy)


@contextmanager
def pinned(config: Path, record: Path) -> Iterator[tuple[sqlite3.Connection, sqlite3.Connection]]:
    """Lend connections to two files of SQLite that both read what is there now, whatever is written meanwhile."""
    with _opened(config) as writer, _opened(config) as one, _opened(record) as other:
        writer.execute("BEGIN IMMEDIATE")  # the configuration stands still until both are pinned
        for each in (one, other):
            each.execute("BEGIN")
            each.execute("SELECT count(*) FROM sqlite_master").fetchone()
        writer.execute("ROLLBACK")
        yield one, other


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)) as connection:
        yield connection


def _run(program: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on `url`, whose password no other user of the machine may see."""
    if shutil.which(program) is None:
        raise SnapshotFailed(f"{program} is not installed: it comes with PostgreSQL's client programs")
    said = make_url(driver_url(url))
    password = {"PGPASSWORD": str(said.password)} if said.password else {}
    where = (said.host, said.port, said.database, said.query)
    plain = URL.create("postgresql", said.username, None, *where).render_as_string()
    command = [program, f"--dbname={plain}", "--no-password", *arguments]
    ended = subprocess.run(command, env=os.environ | password, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode != 0:
        raise SnapshotFailed((ended.stderr.strip().splitlines() or [f"{program} failed"])[0])


def _tables(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()


def _path(url: str) -> Path:
    return Path(make_url(url).database or "")


def _to_disk(path: Path) -> None:
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
