"""Bringing a database to the schema that this version knows.

Invariant: one transaction per side: a migration that fails or is killed leaves the schema it found. Two processes that
start at once take turns.
"""

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from store.sql import admin_tables  # noqa: F401 - registers its tables
from store.sql.database import DirectDatabase
from store.sql.dialects import lock_schema
from store.sql.tables import CONFIG, RECORD

Side = Literal["config", "record"]
_STEPS = Path(__file__).parent / "migrations"


class NewerSchema(Exception):
    """The database was brought to a schema that this version does not know."""


def migrate(url: str, side: Side, revision: str = "head") -> None:
    """Bring `side` at `url` to `revision`: `head`, a step's name above, `-1` (one step back) or `base` (nothing left).

    Raises StoreAway, and NewerSchema if a later version of Samtale has been here.
    """
    database = DirectDatabase(url)
    try:
        database.run(lambda connection: steps(connection, side, revision))
    except CommandError as error:
        raise NewerSchema(f"the {side} database belongs to a newer version of Samtale: {error}") from error
    finally:
        database.engine.dispose()


def is_current(url: str, side: Side) -> bool:
    """Whether `side` at `url` has the schema that this version knows. Raises StoreAway."""
    database = DirectDatabase(url)
    try:
        return database.run(lambda connection: _revision(connection, side)) == _newest(side)
    finally:
        database.engine.dispose()


def steps(connection: Connection, side: Side, revision: str = "head") -> None:
    """Do the same within a transaction that is open already."""
    lock_schema(connection)
    config = _config(side)
    metadata = CONFIG if side == "config" else RECORD
    config.attributes.update(connection=connection, side=side, metadata=metadata)
    (command.downgrade if revision in ("base", "-1") else command.upgrade)(config, revision)


def _config(side: Side) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.set_main_option("version_locations", str(_STEPS / side).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _revision(connection: Connection, side: Side) -> str | None:
    named = MigrationContext.configure(connection, opts={"version_table": f"schema_version_{side}"})
    return named.get_current_revision()


def _newest(side: Side) -> str | None:
    return ScriptDirectory.from_config(_config(side)).get_current_head()
