"""`samtale restore`: an installation from a backup, where there is none.

Invariant: nothing that is there is overwritten; nobody who was erased since the backup was made comes back with it,
unless it was said that nobody was.
"""

import asyncio
import shutil
from functools import partial
from pathlib import Path

import click

from app import backup_files, backup_folder
from app.backup_folder import Note
from app.data_directory import DirectoryInUse, lock, open_directory
from app.settings import Settings, settings_from
from app.stores import CellLines, now_ms, redis_address
from app.trouble import Trouble
from store.files.erased import Erased, ErasedList, UnreadableList
from store.redis.connection import dial
from store.redis.faults import Away, Refused
from store.redis.keys import Keys, cell_names
from store.sql import snapshots
from store.sql.database import DirectDatabase, StoreAway
from store.sql.migrate import NewerSchema, migrate
from store.sql.queries import restoring

_REDIS_WITHIN_S = 15.0


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--erased",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The list of who was erased.  [default: SAMTALE_ERASED_LIST]",
)
@click.option(
    "--nobody-erased", is_flag=True, help="Nobody was erased since the backup was made, and there is no list."
)
def restore(folder: Path, erased: Path | None, nobody_erased: bool) -> None:
    """Make an installation from the backup in FOLDER. Where there is none: nothing is overwritten. Start it after."""
    settings = settings_from()
    note = backup_folder.read(folder)
    listed = [] if nobody_erased else _listed(erased or settings.erased_file)
    try:
        with lock(open_directory(settings.data)):
            _refuse_what_does_not_fit(settings, note)
            waiting = _put_back(settings, folder, note, listed)
    except DirectoryInUse as busy:
        raise Trouble(str(busy)) from None
    except StoreAway as away:
        raise Trouble(f"SQL cannot be reached: {' '.join(away.reason.split())}") from None
    except (snapshots.SnapshotFailed, NewerSchema) as failed:
        raise Trouble(str(failed)) from None
    except OSError as error:
        raise Trouble(f"{settings.data} cannot be written: {error.strerror}") from None
    click.echo(f"restored; {waiting} erasures are done again at the start, before anybody is served")


def _listed(file: Path) -> list[Erased]:
    try:
        return ErasedList(file).all()
    except FileNotFoundError:
        raise Trouble(
            f"{file}, the list of who was erased, is not there: name it with --erased, or say --nobody-erased"
        ) from None
    except UnreadableList as unreadable:
        raise Trouble(str(unreadable)) from None


def _refuse_what_does_not_fit(settings: Settings, note: Note) -> None:
    """Raise Trouble unless the backup fits these settings, and everything that it would fill is empty."""
    if note.sql != backup_folder.kind_of(settings):
        raise Trouble(f"the backup is of {note.sql}: {'unset' if note.sql == 'sqlite' else 'set'} SAMTALE_DATABASE_URL")
    if sorted(note.sums) != sorted(names := snapshots.names(settings.record_url)):
        raise Trouble(f"the backup's note does not name what a backup has: {', '.join(names)}")
    if note.cells != settings.cells:
        raise Trouble(f"the backup is of {note.cells} cells: set SAMTALE_CELLS={note.cells}")
    files = settings.files_directory
    has_files = note.files is not None
    if (files is not None) != has_files:
        raise Trouble(
            "the backup has the files that people sent: unset SAMTALE_ATTACHMENTS_URL"
            if has_files
            else "the files that people sent are in a bucket: set SAMTALE_ATTACHMENTS_URL"
        )
    ours = [settings.data / name for name in ("config.db", "record.db", "valkey")]
    for place in [*ours, *([files] if files is not None else [])]:
        if place.is_file() or (place.is_dir() and any(place.iterdir())):
            raise Trouble(f"{place} is there: move it away, nothing is overwritten")
    if not snapshots.is_empty(settings.record_url):
        raise Trouble("the database has tables: make a new one (createdb), nothing is overwritten")
    if settings.redis_url is not None and (cell := asyncio.run(_held(settings))):
        raise Trouble(f"Redis holds cell {cell}: empty it (FLUSHALL), it does not fit what is restored")


async def _held(settings: Settings) -> str:
    """Return a cell that Redis holds anything of, "" if it holds none."""
    try:
        async with asyncio.timeout(_REDIS_WITHIN_S):
            lines = CellLines(await dial(await redis_address(settings)), settings)
            try:
                for name in cell_names(settings.cells):
                    if await (await lines.to(name)).call("EXISTS", Keys(name).cell):
                        return name
                return ""
            finally:
                lines.abort()
    except (Away, Refused, TimeoutError) as fault:
        raise Trouble(f"Redis cannot be asked whether it is empty: {fault}") from None


def _put_back(settings: Settings, folder: Path, note: Note, listed: list[Erased]) -> int:
    """Fill everything; return how many erasures wait. SQLite's files appear once they are whole."""
    if settings.files_directory is not None:
        backup_files.give(folder, settings.files_directory)
    if settings.database_url is not None:
        snapshots.put_back(folder, settings.config_url, settings.record_url)
        return _begin(settings, listed)
    draft = settings.model_copy(update={"data": settings.data / "restoring"})
    shutil.rmtree(draft.data, ignore_errors=True)
    draft.data.mkdir(mode=0o700)
    snapshots.put_back(folder, draft.config_url, draft.record_url)
    waiting = _begin(draft, listed)
    for name in note.sums:
        (draft.data / name).replace(settings.data / name)
    draft.data.rmdir()
    return waiting


def _begin(settings: Settings, listed: list[Erased]) -> int:
    """Bring the schema up to date, put cells above what is lost, and ask for erasures again."""
    at_ms = now_ms()
    migrate(settings.config_url, "config")
    migrate(settings.record_url, "record")
    record, config = DirectDatabase(settings.record_url), DirectDatabase(settings.config_url)
    try:
        record.run(partial(restoring.begin_anew, cells=cell_names(settings.cells), now_ms=at_ms))
        return config.run(partial(restoring.erase_again, listed=listed, now_ms=at_ms))
    finally:
        record.engine.dispose()
        config.engine.dispose()
