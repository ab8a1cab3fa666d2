"""`samtale backup`: everything that an installation knows, into a folder, while it runs.

Invariant: what was acknowledged before it began is in it, or it says that it cannot know; what a backup holds is of one
instant.
"""

import asyncio
from functools import partial
from importlib import metadata
from pathlib import Path

import click

from app import backup_files, backup_folder
from app.backup_folder import Note
from app.settings import Settings, settings_from
from app.stores import CellLines, databases, none_here, now_ms, redis_address, schema_is_current
from app.trouble import Trouble
from protocol.ids import CellName
from store.redis.connection import dial
from store.redis.faults import Away, Refused
from store.redis.keys import Keys, cell_names
from store.sql import snapshots
from store.sql.database import Databases, StoreAway
from store.sql.queries import accounts, cells

_REDIS_WITHIN_S = 15.0
_SQL_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.1


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup(folder: Path) -> None:
    """Write a backup into FOLDER, a new one. While everything runs; `samtale restore` puts it back."""
    settings = settings_from()
    if why := none_here(settings):
        raise Trouble(why)
    began_ms = now_ms()
    try:
        count, whole = asyncio.run(_ready(settings))
        backup_folder.begin(folder)
        snapshots.take(settings.config_url, settings.record_url, folder)
        files = settings.files_directory
        copied, listed = backup_files.keep(files, folder) if files is not None else (0, None)
        names = snapshots.names(settings.record_url)
        sums = {name: backup_files.sum_of(folder / name) for name in names}
        version = metadata.version("samtale-server")
        note = Note(version, began_ms, count, backup_folder.kind_of(settings), sums, listed)
        backup_folder.finish(folder, note)
    except StoreAway as away:
        raise Trouble(f"SQL cannot be read: {' '.join(away.reason.split())}") from None
    except snapshots.SnapshotFailed as failed:
        raise Trouble(str(failed)) from None
    except OSError as error:
        raise Trouble(f"{folder} cannot be written: {error.strerror}") from None
    elsewhere = "files lie elsewhere" if files is None else f"{copied} files"
    click.echo(f"{folder}: {', '.join(names)}, {elsewhere}")
    click.echo(whole)


async def _ready(settings: Settings) -> tuple[int, str]:
    """Wait until SQL has what Redis acknowledged; return the number of cells, and what may be said of the backup."""
    if not await asyncio.to_thread(schema_is_current, settings):
        raise Trouble("the schema is another version's: start a worker of this version, or use the other")
    stores = databases(settings)
    try:
        count = int(await stores.config.transact(lambda sql: accounts.setting(sql, "cells", str(settings.cells))))
        try:
            reached = await _acknowledged(settings, cell_names(count))
        except (Away, Refused, TimeoutError):
            return count, "Redis does not answer: what it had and SQL had not is not in it"
        await _copied(stores, reached)
    finally:
        await stores.close()
    return count, "everything is in it that was acknowledged before it began"


async def _acknowledged(settings: Settings, names: list[CellName]) -> dict[CellName, tuple[int, int]]:
    """Return how far each cell is now: its epoch and its last commit."""
    async with asyncio.timeout(_REDIS_WITHIN_S):
        lines = CellLines(await dial(await redis_address(settings)), settings)
        try:
            found = {}
            for name in names:
                line = await lines.to(name)
                epoch, commit_no = await line.call("HMGET", Keys(name).cell, "epoch", "commit_no")
                found[name] = (int(epoch or 0), int(commit_no or 0))
            return found
        finally:
            lines.abort()


async def _copied(stores: Databases, reached: dict[CellName, tuple[int, int]]) -> None:
    """Wait until SQL is that far. Raises Trouble."""
    try:
        async with asyncio.timeout(_SQL_WITHIN_S):
            for name, far in reached.items():
                while await _is_behind(stores, name, far):
                    await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        raise Trouble(f"SQL lags behind cell {name}: is a worker running? See samtale doctor") from None


async def _is_behind(stores: Databases, cell: CellName, far: tuple[int, int]) -> bool:
    position = await stores.record.read(partial(cells.position, cell=cell))
    return (position.epoch, position.commit_no) < far if position is not None else far > (0, 0)
