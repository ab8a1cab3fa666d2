"""Which builds of its apps an account has heard of: when first, when last, in how many sessions.

Invariant: of an app at most `MOST` are told apart, whatever phones say; the others are one row, so that what is counted
stays counted. Who goes into it first is who was in the fewest sessions, so made-up builds push out one another.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from functools import cache

from sqlalchemy import ColumnElement, Connection, Insert, and_, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from protocol.ids import AccountId, AppKey
from store.sql.build_tables import app_build

MOST = 200


@dataclass(frozen=True, slots=True, order=True)
class Build:
    """A build as it said hello. `platform` "": all of the app's that are not told apart."""

    account: AccountId
    app: AppKey
    platform: str = ""
    app_version: str = ""
    sdk: str = ""
    tag: str = ""

    @property
    def others(self) -> "Build":
        """All builds of the same app that are not told apart."""
        return Build(self.account, self.app)


@dataclass(frozen=True, slots=True)
class Heard:
    """How often a build was heard of, and when."""

    sessions: int
    first_seen_at_ms: int
    last_seen_at_ms: int

    def also(self, other: "Heard") -> "Heard":
        """Return what both come to."""
        first_ms = min(self.first_seen_at_ms, other.first_seen_at_ms)
        return Heard(self.sessions + other.sessions, first_ms, max(self.last_seen_at_ms, other.last_seen_at_ms))


_NAMES = tuple(field.name for field in fields(Build))


def add(connection: Connection, heard: Mapping[Build, Heard]) -> None:
    """Add what was heard to what is known."""
    for build in sorted(heard):
        _add(connection, build, heard[build])
    for others in sorted({build.others for build in heard}):
        _fold(connection, others)


def of_app(connection: Connection, account: AccountId, app: AppKey) -> dict[Build, Heard]:
    """Return what is known of an app's builds."""
    rows = app_build.c
    found = connection.execute(select(app_build).where(rows.account == account, rows.app == app)).all()
    return {Build(*row[: len(_NAMES)]): Heard(*row[len(_NAMES) :]) for row in found}


def _fold(connection: Connection, others: Build) -> None:
    """Tell no more than `MOST` builds of the app apart."""
    known = of_app(connection, others.account, others.app)
    known.pop(others, None)
    ranked = sorted(known, key=lambda each: (known[each].sessions, known[each].last_seen_at_ms, each), reverse=True)
    for build in ranked[MOST:]:
        connection.execute(delete(app_build).where(_is(build)))
        _add(connection, others, known[build])


def _add(connection: Connection, build: Build, heard: Heard) -> None:
    values = dict(zip(app_build.c.keys(), (*astuple(build), *astuple(heard)), strict=True))
    connection.execute(_upsert(connection.dialect.name), values)


def _is(build: Build) -> ColumnElement[bool]:
    return and_(*(app_build.c[name] == getattr(build, name) for name in _NAMES))


@cache
def _upsert(dialect: str) -> Insert:
    statement = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(app_build)
    known, new = app_build.c, statement.excluded
    earlier = case((new.first_seen_at_ms < known.first_seen_at_ms, new.first_seen_at_ms), else_=known.first_seen_at_ms)
    later = case((new.last_seen_at_ms > known.last_seen_at_ms, new.last_seen_at_ms), else_=known.last_seen_at_ms)
    changes = {"sessions": known.sessions + new.sessions, "first_seen_at_ms": earlier, "last_seen_at_ms": later}
    return statement.on_conflict_do_update(index_elements=list(app_build.primary_key), set_=changes)
