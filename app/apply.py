"""`samtale apply`: a workspace file from the terminal's side.

Invariant: says every mistake with its line and changes nothing, or says what becomes of each account: what changes, and
what may not be meant.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import click

from admin.workspace import Applied, BadWorkspace, apply_text, read
from admin.workspace.cautions import cautions
from admin.workspace.changes import changes
from app.settings import Settings
from app.stores import none_here
from store.sql.database import DirectDatabase, StoreAway
from store.sql.migrate import is_current
from store.sql.queries import jobs

PUBLISH_DEADLINE_S = 30.0
_LOOK_AGAIN_S = 0.05


def apply_file(settings: Settings, file: Path, *, check_only: bool = False, dry: bool = False) -> int:
    """Apply `file`. Exit status: 0 done or valid, 2 the file is wrong or SQL cannot be reached."""
    try:
        text = file.read_text(encoding="utf-8")
        if check_only:
            read(text)
            click.echo(f"{file} is valid; nothing was changed")
            return 0
        if why := no_installation(settings):
            click.echo(f"samtale: {why}", err=True)
            return 2
        done = apply_text(settings.config_url, text, cells=settings.cells, dry=dry)
        for account in done:
            for line in _told(account):
                click.echo(line)
        if dry:
            click.echo("nothing was changed: this was a dry run")
        elif any(account.changed for account in done):
            wait_until_published(settings)
    except BadWorkspace as bad:
        count = len(bad.mistakes)
        click.echo(f"{file}: {count} mistake{'' if count == 1 else 's'}, nothing was changed", err=True)
        for mistake in bad.mistakes:
            click.echo(f"  {mistake}", err=True)
        return 2
    except UnicodeDecodeError as error:
        click.echo(f"{file} is not UTF-8: {error.reason} at byte {error.start}", err=True)
        return 2
    except StoreAway as away:
        click.echo(f"samtale: SQL cannot be used: {away.reason}", err=True)
        return 2
    return 0


def no_installation(settings: Settings) -> str:
    """Say why there is nothing to configure here; "" if there is."""
    if why := none_here(settings):
        return why
    if not is_current(settings.config_url, "config"):
        return "there is no installation here yet: samtale run begins one"
    return ""


def wait_until_published(settings: Settings) -> None:
    """Wait until what was kept is in effect, and say so; or that it will be."""
    database = DirectDatabase(settings.config_url)
    try:
        deadline = time.monotonic() + PUBLISH_DEADLINE_S
        while database.run(lambda connection: jobs.waiting(connection, "config")):
            if time.monotonic() > deadline:
                click.echo("kept, and in effect as soon as a worker and Redis run")
                return
            time.sleep(_LOOK_AGAIN_S)
        click.echo("in effect now")
    finally:
        database.engine.dispose()


def _told(account: Applied) -> Iterator[str]:
    before, after = account.before, account.after
    if not account.changed:
        yield f"{after.account}: version {after.version}, unchanged"
    elif before is None:
        yield f"{after.account}: version {after.version}"
    else:
        yield f"{after.account}: version {before.version} → {after.version}"
    yield from (f"  {line}" for line in changes(before, after))
    yield from (f"  note: {line}" for line in cautions(after))
