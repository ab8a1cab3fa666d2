"""Publishing configurations: all that a workspace file changes, in one transaction with the jobs that tell the cells.

Invariant: written only over what was surveyed; names are given up before others take them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, delete

from protocol.bus.config import CONFIG_ENCODER, AccountConfig
from protocol.bus.records import JobRow
from protocol.ids import AccountId, CellName
from store.sql import tables
from store.sql.bulk import write
from store.sql.queries import access, accounts, jobs

PUBLISH = "publish"


class Withdrawn(msgspec.Struct, frozen=True, array_like=True):
    """The payload of a `publish` job: app keys and logins that were the account's before this version."""

    app_keys: list[str]
    logins: list[str]


WITHDRAWN_ENCODER = msgspec.msgpack.Encoder()
WITHDRAWN_DECODER = msgspec.msgpack.Decoder(Withdrawn)


@dataclass(frozen=True, slots=True)
class Survey:
    """What is there before a file is applied: of the accounts it names, and of names that others hold."""

    named: list[AccountId]
    present: dict[AccountId, AccountConfig]
    app_keys: dict[str, AccountId]
    logins: dict[str, AccountId]
    in_use: dict[CellName, int]
    cells: int


def survey(connection: Connection, named: Sequence[AccountId], cells: int) -> Survey:
    """Look at the accounts `named`; an installation that has none yet gets `cells` cells."""
    found = {account: accounts.config(connection, account) for account in named}
    app_keys, logins = accounts.owners(connection)
    return Survey(
        named=list(named),
        present={account: config for account, config in found.items() if config is not None},
        app_keys=app_keys,
        logins=logins,
        in_use=accounts.cells_in_use(connection),
        cells=int(accounts.setting(connection, "cells", str(cells))),
    )


def publish_all(connection: Connection, configs: Sequence[AccountConfig], on: Survey, now_ms: int) -> bool:
    """Make `configs` present if everything is as `on` says; else change nothing and return False."""
    if survey(connection, on.named, on.cells) != on:
        return False
    publish(connection, configs, now_ms)
    return True


def publish(connection: Connection, configs: Sequence[AccountConfig], now_ms: int) -> None:
    """Make `configs` the present versions of their accounts, with a job each."""
    withdrawn = [_withdraw(connection, config) for config in configs]
    for config in configs:
        _log_out(connection, config)
    for config, gone in zip(configs, withdrawn, strict=True):
        row = {"id": config.account, "name": config.name, "cell": config.cell, "version": config.version}
        write(connection, tables.account, [{**row, "config": CONFIG_ENCODER.encode(config)}], "replace")
        write(connection, tables.app_key, [{"key": app.key, "account": config.account} for app in config.apps])
        write(connection, tables.login, [_login(config.account, agent.email, agent.id) for agent in config.agents])
        job_id = f"publish:{config.account}:{config.version}"
        jobs.add(connection, "config", JobRow(job_id, config.account, PUBLISH, WITHDRAWN_ENCODER.encode(gone)), now_ms)


def _login(account: AccountId, email: str, agent: str) -> dict[str, str]:
    return {"email": email.lower(), "account": account, "agent": agent}


def _withdraw(connection: Connection, config: AccountConfig) -> Withdrawn:
    had_keys, had_logins = accounts.owners(connection)
    keys = {key for key, owner in had_keys.items() if owner == config.account}
    logins = {email for email, owner in had_logins.items() if owner == config.account}
    connection.execute(delete(tables.app_key).where(tables.app_key.c.account == config.account))
    connection.execute(delete(tables.login).where(tables.login.c.account == config.account))
    kept_keys = {app.key for app in config.apps}
    kept_logins = {agent.email.lower() for agent in config.agents}
    return Withdrawn(sorted(keys - kept_keys), sorted(logins - kept_logins))


def _log_out(connection: Connection, config: AccountConfig) -> None:
    """End the browser sessions of whoever is removed, or gets another password: whoever knew the old one is out."""
    present = accounts.config(connection, config.account)
    if present is not None:
        passwords = {agent.id: agent.password for agent in config.agents}
        gone = [agent.id for agent in present.agents if passwords.get(agent.id) != agent.password]
        access.end_sessions(connection, config.account, gone)
