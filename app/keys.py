"""API keys from the terminal's side: the first of an account, and of the installation.

Invariant: what is made or revoked here is in the audit log as the terminal's.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import click

from admin.access.scopes import INSTALLATION, SCOPES
from admin.access.secrets import KEY_PREFIX, hash_of, new_secret
from app.apply import no_installation
from app.settings import settings_from
from app.stores import now_ms
from app.trouble import Trouble
from protocol.ids import AccountId
from store.sql.database import DirectDatabase, StoreAway
from store.sql.queries import access, accounts, changes
from store.sql.queries.access import Key
from store.sql.queries.audit_log import TERMINAL, Deed

DAY_MS = 86_400_000


def create_key(name: str, account: str | None, installation: bool, scopes: tuple[str, ...], days: int) -> None:
    """Make a key and print it: the secret alone on standard output, so that a script can take it."""
    may = sorted(INSTALLATION if installation else set(SCOPES) - INSTALLATION)
    if strange := sorted(set(scopes) - set(may)):
        raise Trouble(f"{strange[0]} is no scope of such a key; there are: {', '.join(may)}")
    with _stored() as stored:
        whose = _whose(stored, account, installation)
        made, secret = add_key(stored, whose, name, scopes or tuple(may), days)
    life = f"for {days} days" if days else "until it is revoked"
    click.echo(f"{made.id} of {whose or 'the installation'}, {life}", err=True)
    click.echo(secret)


def add_key(
    stored: DirectDatabase, account: AccountId, name: str, scopes: tuple[str, ...], days: int
) -> tuple[Key, str]:
    """Make a key that lets in for `days`, 0: until it is revoked; return it and its secret, of which a hash is kept."""
    at_ms, secret = now_ms(), new_secret(KEY_PREFIX, os.urandom)
    ends_ms = at_ms + days * DAY_MS if days else None
    made = Key(f"key_{os.urandom(8).hex()}", account, name, scopes, at_ms, TERMINAL, ends_ms, None)
    deed = Deed(at_ms, TERMINAL, "key.created", f"keys/{made.id}", (f"scopes: {' '.join(scopes)}",))
    stored.run(partial(changes.add_key, key=made, hashed=hash_of(secret), deed=deed))
    return made, secret


def list_keys(account: str | None, installation: bool) -> None:
    """Print a line for each key."""
    with _stored() as stored:
        found = stored.run(partial(access.keys, account=_whose(stored, account, installation)))
    for one in found:
        ended = one.expires_at_ms is not None and one.expires_at_ms <= now_ms()
        state = "revoked" if one.revoked_at_ms is not None else "expired" if ended else "good"
        click.echo(f"{one.id}  {state:<8} {one.name:<24} {' '.join(one.scopes)}")


def revoke_key(key_id: str, account: str | None, installation: bool) -> None:
    """Let nobody in with a key any more."""
    with _stored() as stored:
        whose = _whose(stored, account, installation)
        deed = Deed(now_ms(), TERMINAL, "key.revoked", f"keys/{key_id}")
        if not stored.run(partial(changes.revoke_key, account=whose, key=key_id, deed=deed)):
            raise Trouble(f"{whose or 'the installation'} has no key {key_id} that lets anybody in")
    click.echo(f"{key_id} is revoked")


def _whose(stored: DirectDatabase, named: str | None, installation: bool) -> AccountId:
    if installation:
        return AccountId("")
    there_are = [config.account for config in stored.run(accounts.all_of_them)]
    meant = [account for account in there_are if named in (None, account)]
    if len(meant) != 1:
        known = ", ".join(there_are)
        raise Trouble(f"there is no account {named}; there are: {known}" if named else f"say whose: --account {known}")
    return meant[0]


@contextmanager
def _stored() -> Iterator[DirectDatabase]:
    """Open the stored configuration; what cannot be done with it is said in one line."""
    settings = settings_from()
    if why := no_installation(settings):
        raise Trouble(why)
    database = DirectDatabase(settings.config_url)
    try:
        yield database
    except StoreAway as away:
        raise Trouble(f"SQL cannot be used: {away.reason}") from None
    finally:
        database.engine.dispose()
