"""The installation's settings, its accounts' present configurations, and who holds which name.

Invariant: an app key and an agent's e-mail belong to one account of the installation.
"""

from sqlalchemy import Connection, select

from protocol.bus.config import CONFIG_DECODER, AccountConfig, Agent
from protocol.ids import AccountId, CellName, is_preview
from store.sql import tables
from store.sql.bulk import write


def config(connection: Connection, account: AccountId) -> AccountConfig | None:
    """Return the account's present configuration, or None."""
    found = connection.scalar(select(tables.account.c.config).where(tables.account.c.id == account))
    return None if found is None else CONFIG_DECODER.decode(found)


def in_cell(connection: Connection, cell: CellName) -> list[AccountConfig]:
    """Return the present configurations of all accounts of a cell."""
    rows = tables.account.c
    found = connection.scalars(select(rows.config).where(rows.cell == cell).order_by(rows.id))
    return [CONFIG_DECODER.decode(config) for config in found]


def all_of_them(connection: Connection) -> list[AccountConfig]:
    """Return the present configurations of all accounts; those in which drafts are tried out are none."""
    return [config for config in with_previews(connection) if not is_preview(config.account)]


def with_previews(connection: Connection) -> list[AccountConfig]:
    """Return the present configurations of all accounts and of their previews."""
    found = connection.scalars(select(tables.account.c.config).order_by(tables.account.c.id))
    return [CONFIG_DECODER.decode(config) for config in found]


def count(connection: Connection) -> int:
    """Return how many accounts the installation has."""
    return sum(not is_preview(account) for account in connection.scalars(select(tables.account.c.id)))


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


def has_app_key(connection: Connection, key: str) -> bool:
    """Whether some account's app has this key."""
    return connection.scalar(select(tables.app_key.c.key).where(tables.app_key.c.key == key)) is not None


def has_login(connection: Connection, email: str) -> bool:
    """Whether some account's agent logs in with this e-mail, in whatever case."""
    return connection.scalar(select(tables.login.c.email).where(tables.login.c.email == email.lower())) is not None


def of_login(connection: Connection, email: str) -> tuple[AccountConfig, Agent] | None:
    """Return the agent who logs in with this e-mail, in whatever case, and the account; or None."""
    rows = tables.login.c
    row = connection.execute(select(rows.account, rows.agent).where(rows.email == email.lower())).one_or_none()
    found = config(connection, row.account) if row is not None else None
    agent = next((each for each in found.agents if each.id == row.agent), None) if found and row else None
    return (found, agent) if found and agent else None


def setting(connection: Connection, name: str, first_value: str) -> str:
    """Return the installation's setting `name`, which is `first_value` for ever if it has none yet."""
    rows = tables.installation
    write(connection, rows, [{"name": name, "value": first_value}], "keep")
    value: str = connection.execute(select(rows.c.value).where(rows.c.name == name)).scalar_one()
    return value
