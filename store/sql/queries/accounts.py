"""Accounts' configurations, version by version, and the names that must be unique across the installation.

Invariant: a configuration is replaced only by a higher version, and the same transaction writes the job to publish it.
"""

import msgspec
from sqlalchemy import Connection, delete, func, select

from protocol.bus.config import CONFIG_DECODER, CONFIG_ENCODER, AccountConfig
from protocol.bus.records import JobRow
from protocol.ids import AccountId, CellName
from store.sql import tables
from store.sql.bulk import write
from store.sql.queries import jobs


class Withdrawn(msgspec.Struct, frozen=True, array_like=True):
    """The payload of a `publish` job: app keys and logins that were the account's before this version."""

    app_keys: list[str]
    logins: list[str]


PUBLISH = "publish"
WITHDRAWN_ENCODER = msgspec.msgpack.Encoder()
WITHDRAWN_DECODER = msgspec.msgpack.Decoder(Withdrawn)


def config(connection: Connection, account: AccountId) -> AccountConfig | None:
    """Return the account's present configuration, or None."""
    found = connection.scalar(select(tables.account.c.config).where(tables.account.c.id == account))
    return None if found is None else CONFIG_DECODER.decode(found)


def in_cell(connection: Connection, cell: CellName) -> list[AccountConfig]:
    """Return the present configurations of all accounts of a cell."""
    rows = tables.account.c
    found = connection.scalars(select(rows.config).where(rows.cell == cell).order_by(rows.id))
    return [CONFIG_DECODER.decode(config) for config in found]


def count(connection: Connection) -> int:
    """Return how many accounts the installation has."""
    return connection.scalar(select(func.count()).select_from(tables.account)) or 0


def cells_in_use(connection: Connection) -> dict[CellName, int]:
    """Return how many accounts live in each cell that has any."""
    counts: dict[CellName, int] = {}
    for cell in connection.scalars(select(tables.account.c.cell)):
        counts[CellName(cell)] = counts.get(CellName(cell), 0) + 1
    return counts


def owners(connection: Connection) -> tuple[dict[str, AccountId], dict[str, AccountId]]:
    """Return which account holds each app key, and each login (e-mail in lower case)."""
    keys = connection.execute(select(tables.app_key.c.key, tables.app_key.c.account))
    logins = connection.execute(select(tables.login.c.email, tables.login.c.account))
    return {row.key: row.account for row in keys}, {row.email: row.account for row in logins}


def publish(connection: Connection, config: AccountConfig, now_ms: int) -> None:
    """Make `config` the account's present version and write the job that tells the cell.

    Raises IntegrityError if an app key or a login is another account's.
    """
    keys: set[str] = {app.key for app in config.apps}
    logins = {agent.email.lower(): agent.id for agent in config.agents}
    gone = _withdraw(connection, config.account, keys, set(logins))
    row = {"id": config.account, "name": config.name, "cell": config.cell, "version": config.version}
    write(connection, tables.account, [{**row, "config": CONFIG_ENCODER.encode(config)}], "replace")
    write(connection, tables.app_key, [{"key": key, "account": config.account} for key in sorted(keys)])
    named = [{"email": email, "account": config.account, "agent": agent} for email, agent in sorted(logins.items())]
    write(connection, tables.login, named)
    job = JobRow(f"publish:{config.account}:{config.version}", config.account, PUBLISH, WITHDRAWN_ENCODER.encode(gone))
    jobs.add(connection, "config", job, now_ms)


def setting(connection: Connection, name: str, first_value: str) -> str:
    """Return the installation's setting `name`, which is `first_value` for ever if it has none yet."""
    rows = tables.installation
    write(connection, rows, [{"name": name, "value": first_value}], "keep")
    value: str = connection.execute(select(rows.c.value).where(rows.c.name == name)).scalar_one()
    return value


def _withdraw(connection: Connection, account: AccountId, keys: set[str], logins: set[str]) -> Withdrawn:
    had_keys, had_logins = owners(connection)
    mine_keys = {key for key, owner in had_keys.items() if owner == account}
    mine_logins = {email for email, owner in had_logins.items() if owner == account}
    connection.execute(delete(tables.app_key).where(tables.app_key.c.account == account))
    connection.execute(delete(tables.login).where(tables.login.c.account == account))
    return Withdrawn(sorted(mine_keys - keys), sorted(mine_logins - logins))
