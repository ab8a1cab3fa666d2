"""`samtale contact`: a person exported or erased from the command line.

Invariant: an account and a contact are named so that no other can be meant; what cannot be told apart is not touched.
"""

import asyncio
import os
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from app.settings import Settings, settings_from
from app.stores import databases, none_here, now_ms
from app.trouble import Trouble
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId, ContactId, VisitorId
from store.sql.database import Databases, StoreAway

T = TypeVar("T")

_ACCOUNT = click.option("--account", default="", help="Needed if there are several.")
_WAIT_S = 0.25


@click.group()
def contact() -> None:
    """Export a person, or erase them."""


@contact.command()
@click.argument("who")
@click.option("--visitor", is_flag=True, help="WHO is a visitor's id: erase that one only.")
@click.option("--no-wait", is_flag=True, help="Return once it is asked for; workers do it.")
@_ACCOUNT
def erase(who: str, visitor: bool, no_wait: bool, account: str) -> None:
    """Erase WHO, for good. A contact's id, address or the company's id of them; what was erased is said."""
    erasure = _run(lambda stores: _erase(stores, who, account, is_visitor=visitor, wait=not no_wait))
    counts = ", ".join(f"{getattr(erasure.counts, name)} {name}" for name in erasure.counts.__slots__)
    click.echo(f"{erasure.id}: " + (f"erased: {counts}" if erasure.done_at_ms is not None else "asked for"))


@contact.command()
@click.argument("who")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_ACCOUNT
def export(who: str, file: Path, account: str) -> None:
    """Write all that is kept of WHO to FILE, a zip. WHO: a contact's id, address or the company's id of them."""
    _run(lambda stores: _export(stores, who, account, file))
    click.echo(f"{file}: {file.stat().st_size} bytes")


async def _export(stores: Databases, who: str, account: str, file: Path) -> None:
    from admin.people.export import write_person
    from store.files.bucket import Bucket

    config = await _account(stores, account)
    found = await _contact(stores, config, who)
    with file.open("wb") as opened:
        await write_person(stores, Bucket(settings_from().bucket_url), config, found, opened)


async def _erase(stores: Databases, who: str, account: str, *, is_visitor: bool, wait: bool) -> Any:
    from admin.people import erasing
    from store.sql.queries import erasures

    config = await _account(stores, account)
    if is_visitor:
        asked = await erasing.erase_visitor(stores, config, VisitorId(who), os.urandom, now_ms())
    else:
        asked = await erasing.erase_contact(stores, config, await _contact(stores, config, who), os.urandom, now_ms())
    if asked is None:
        raise Trouble(f"{config.account} has no visitor {who}")
    while wait and asked is not None and asked.done_at_ms is None:
        await asyncio.sleep(_WAIT_S)
        asked = await stores.config.read(partial(erasures.of_id, erasure=asked.id))
    return asked


async def _contact(stores: Databases, config: AccountConfig, who: str) -> ContactId:
    from store.sql.queries import contacts

    found = await stores.record.read(partial(contacts.named, account=config.account, who=who))
    if len(found) != 1:
        which = "no contact" if not found else f"{len(found)} contacts, name one by its id: "
        raise Trouble(f"{config.account} has {which}{', '.join(each.id for each in found)}")
    return found[0].id


async def _account(stores: Databases, named: str) -> AccountConfig:
    from store.sql.queries import accounts

    configs = await stores.config.read(accounts.all_of_them)
    meant = [config for config in configs if named in ("", config.account)]
    if len(meant) != 1:
        known = ", ".join(AccountId(config.account) for config in configs)
        raise Trouble(f"there is no account {named}" if named else f"say which account: {known}")
    return meant[0]


def _run(work: Any) -> Any:
    settings = settings_from()
    if why := none_here(settings):
        raise Trouble(why)
    return asyncio.run(_within(settings, work))


async def _within(settings: Settings, work: Any) -> Any:
    stores = databases(settings)
    try:
        job: Coroutine[Any, Any, Any] = work(stores)
        return await job
    except StoreAway as away:
        raise Trouble(f"the record cannot be read: {away.reason}") from None
    finally:
        await stores.close()
