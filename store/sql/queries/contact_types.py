"""Which properties an account's contacts may have, and of what type. Of the configuration's side.

Invariant: a property is known by its name within one account; values that are kept have the form of its type.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, select

from protocol.ids import AccountId
from store.sql import tables
from store.sql.bulk import write

Type = Literal["string", "number", "bool", "date", "choice"]
_CHOICES = msgspec.json.Decoder(list[str])


@dataclass(frozen=True, slots=True)
class Definition:
    """One property. `choices`: what a choice may be."""

    name: str
    label: str
    type: Type
    choices: Sequence[str] = ()


def all_of(connection: Connection, account: AccountId) -> list[Definition]:
    """Return the account's properties, by name."""
    rows = tables.contact_property.c
    found = select(rows.name, rows.label, rows.type, rows.choices).where(rows.account == account).order_by(rows.name)
    return [
        Definition(row.name, row.label, row.type, _CHOICES.decode(row.choices)) for row in connection.execute(found)
    ]


def put(connection: Connection, account: AccountId, property_: Definition) -> None:
    """Write a property, new or in place of the one of that name."""
    told = {"name": property_.name, "label": property_.label, "type": property_.type}
    choices = msgspec.json.encode(list(property_.choices)).decode()
    write(connection, tables.contact_property, [{**told, "account": account, "choices": choices}], "replace")


def remove(connection: Connection, account: AccountId, name: str) -> bool:
    """Remove a property; False if there is none of that name. Values that contacts have are shown no more."""
    rows = tables.contact_property
    return connection.execute(delete(rows).where(rows.c.account == account, rows.c.name == name)).rowcount == 1
