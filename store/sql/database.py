"""A database: where synchronous queries are run, one transaction each.

Invariant: a query is a plain function of a connection, so the same one runs under asyncio, in the simulation and in a
shell. A transaction is whole or has not happened; when `StoreAway` is raised, nobody knows which: only what may be
repeated, or is fenced, may be written.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, StaticPool, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from store.sql.dialects import TRUNCATE_WAL, connect_args, driver_url, is_sqlite, lacks_schema, scrub, tune

T = TypeVar("T")
Query = Callable[[Connection], T]


class StoreAway(Exception):
    """SQL cannot be reached, is full, or did not answer in time; `reason` says which, and no value that was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StoreRefused(Exception):
    """SQL will not take what was written, now or ever: a fault of ours. Says what kind, and no value that was sent."""


class Database(Protocol):
    """Where queries run. Both methods raise StoreAway, StoreRefused, and whatever the query raises."""

    async def transact(self, query: Query[T]) -> T:
        """Run `query` in one transaction that may write, and commit it."""
        ...

    async def read(self, query: Query[T]) -> T:
        """Run `query` in one transaction that only reads: a consistent view."""
        ...

    async def scrub(self) -> None:
        """Leave nothing of what was deleted in the files, as far as the database can; StoreAway: not now."""
        ...

    async def close(self) -> None:
        """Let every connection go."""
        ...


@dataclass(frozen=True, slots=True)
class Databases:
    """Both sides of what SQL keeps."""

    config: Database
    record: Database

    async def close(self) -> None:
        await self.config.close()
        await self.record.close()


class SqlDatabase:
    """A Database by URL: `sqlite:///path` (one writer, WAL) or `postgresql://…`."""

    def __init__(self, url: str, *, timeout_s: float = 15.0) -> None:
        self._timeout_s = timeout_s
        self._is_file = is_sqlite(url)
        self._writer = _open(url, timeout_s, writes=True)
        self._reader = _open(url, timeout_s, writes=False) if self._is_file else self._writer

    async def transact(self, query: Query[T]) -> T:
        return await self._run(self._writer, query)

    async def read(self, query: Query[T]) -> T:
        return await self._run(self._reader, query)

    async def scrub(self) -> None:
        with _faults():
            async with self._writer.connect() as connection:
                raw = await connection.get_raw_connection()
                if why := await scrub(raw.driver_connection, is_file=self._is_file):
                    raise StoreAway(why)

    async def close(self) -> None:
        await self._writer.dispose()
        await self._reader.dispose()

    async def _run(self, engine: AsyncEngine, query: Query[T]) -> T:
        with _faults():
            if self._is_file:
                return await _to_its_end(_transaction(engine, query))
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await _transaction(engine, query)
            except TimeoutError:
                raise StoreAway(f"no answer within {self._timeout_s:g} s") from None


class DirectDatabase:
    """A Database in the calling thread: the simulation's, and `samtale apply`'s. `sqlite://` is one in memory."""

    def __init__(self, url: str) -> None:
        in_memory = {"poolclass": StaticPool} if url == "sqlite://" else {}
        self.engine: Engine = create_engine(
            driver_url(url), connect_args=connect_args(url), hide_parameters=True, **in_memory
        )
        tune(self.engine, writes=True)

    async def transact(self, query: Query[T]) -> T:
        return self.run(query)

    async def read(self, query: Query[T]) -> T:
        return self.run(query)

    def run(self, query: Query[T]) -> T:
        """Run `query` in one transaction, without a loop."""
        with _faults(), self.engine.begin() as connection:
            return query(connection)

    async def scrub(self) -> None:
        with self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            if raw is not None and self.engine.dialect.name == "sqlite":
                raw.execute(TRUNCATE_WAL)

    async def close(self) -> None:
        self.engine.dispose()


async def _transaction(engine: AsyncEngine, query: Query[T]) -> T:
    async with engine.begin() as connection:
        return await connection.run_sync(query)


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` does, and let it finish even if we are cancelled.

    An aiosqlite connection that is interrupted leaves its thread behind. SQLite waits for nobody but the lock, and for
    that no longer than its busy timeout.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # whoever gave up does not want to know
        raise


def _open(url: str, timeout_s: float, *, writes: bool) -> AsyncEngine:
    # One writer: SQLite has no more, and waiting in our own pool is fair where SQLite's lock is not.
    size = 1 if is_sqlite(url) and writes else 4
    engine = create_async_engine(
        driver_url(url, asynchronous=True),
        connect_args=connect_args(url),
        hide_parameters=True,  # errors are logged, what people wrote is not
        pool_size=size,
        max_overflow=0,
        pool_timeout=timeout_s,
        pool_pre_ping=not is_sqlite(url),
    )
    tune(engine.sync_engine, writes=writes)
    return engine


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise StoreAway("every connection is busy") from error
    except (OperationalError, InterfaceError) as error:
        raise StoreAway(str(error.orig)) from error
    except DBAPIError as error:
        if error.connection_invalidated or lacks_schema(error):
            raise StoreAway(str(error.orig)) from error
        kind, why = type(error.orig).__name__, str(error.orig).partition("\n")[0]
        raise StoreRefused(f"{kind}: {why}") from None  # what follows and what caused it may quote whole rows
