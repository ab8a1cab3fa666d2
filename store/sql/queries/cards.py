"""A contact with all that hangs on it: one consistent view of the record.

Invariant: reads only, always within one account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from protocol.ids import AccountId, ContactId, VisitorId
from store.sql.queries import companies, contacts, reports
from store.sql.queries.contacts import Contact


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a contact. `values`: of its properties, as they are kept; `visitors`: and who is vouched for."""

    contact: Contact
    company: str | None
    segments: Sequence[str]
    values: Mapping[str, str]
    subscriptions: Mapping[str, bool]
    visitors: Sequence[tuple[VisitorId, bool]]


def of_contact(connection: Connection, account: AccountId, contact: ContactId) -> Known | None:
    """Return what is known of a contact, None if there is none."""
    found = contacts.find(connection, account, contact)
    return None if found is None else _known(connection, account, found)


def of_all(connection: Connection, account: AccountId, found: Sequence[Contact]) -> list[Known]:
    """Return what is known of contacts that were found."""
    return [_known(connection, account, each) for each in found]


def _known(connection: Connection, account: AccountId, found: Contact) -> Known:
    id_ = found.id
    return Known(
        found,
        companies.company_of(connection, account, id_),
        companies.segments_of(connection, account, id_),
        contacts.values(connection, account, id_),
        reports.subscriptions(connection, account, id_),
        contacts.visitors(connection, account, id_),
    )
