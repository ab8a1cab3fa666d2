"""Changing one chatflow of the stored configuration: rolled back, switched on or off.

Invariant: goes the way of `samtale apply`: written only over what was seen, with a job that tells the cell.
"""

import time
from collections.abc import Callable
from functools import partial

from admin.workspace.apply import Applied, deeds
from admin.workspace.versions import CannotPublish
from protocol.bus.config import AccountConfig
from store.sql.database import DirectDatabase
from store.sql.queries import accounts, changes, publications


def account_of(config_url: str, chatflow: str, account: str | None) -> AccountConfig:
    """Return the configuration that `chatflow` is in; raises CannotPublish if it is in none, or in several."""
    found = [one for one in accounts_of(config_url, account) if chatflow in {flow.id for flow in one.chatflows}]
    if not found:
        raise CannotPublish(f"there is no chatflow {chatflow}")
    if len(found) > 1:
        raise CannotPublish(f"{chatflow} is in {', '.join(one.account for one in found)}: say which with --account")
    return found[0]


def accounts_of(config_url: str, account: str | None) -> list[AccountConfig]:
    """Return the present configuration of `account`, or of all; raises CannotPublish if there is no such account."""
    database = DirectDatabase(config_url)
    try:
        found = database.run(accounts.all_of_them)
    finally:
        database.engine.dispose()
    if account is not None and account not in {one.account for one in found}:
        raise CannotPublish(f"there is no account {account}")
    return [one for one in found if account in (None, one.account)]


def edit(config_url: str, present: AccountConfig, change: Callable[[AccountConfig], AccountConfig]) -> Applied:
    """Publish what `change` makes of the account's configuration; raises CannotPublish, or StoreAway."""
    database = DirectDatabase(config_url)
    try:
        while True:
            survey = database.run(partial(publications.survey, named=[present.account], cells=1))
            before = survey.present[present.account]
            after = change(before)
            applied = Applied(before, after)
            made = deeds([applied], "chatflow.changed", time.time_ns() // 1_000_000)
            if database.run(partial(changes.publish_all, on=survey, made=made)):
                return applied
    finally:
        database.engine.dispose()
