"""A contact as administrators see it: the record, and all that hangs on it.

Invariant: one consistent view of each side of SQL; nothing of another account.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from admin.people import values
from protocol.ids import AccountId, ContactId, SubscriptionId, VisitorId
from store.sql.database import Databases
from store.sql.queries import cards, contact_types
from store.sql.queries.cards import Known
from store.sql.queries.contact_types import Definition
from store.sql.queries.contacts import Contact


class KnownVisitor(Struct, frozen=True):
    """A visitor who is known as the contact; `verified`: their company vouches for it."""

    id: VisitorId
    verified: bool


class Card(Struct, frozen=True):
    """A person known by e-mail or by the company's own id (`subject`). "" where nothing is known."""

    id: ContactId
    email: str
    email_verified: bool
    subject: str
    name: str
    owner: str
    marketing: bool
    created_at_ms: int
    changed_at_ms: int
    company: str | None
    segments: list[str]
    properties: dict[str, str | bool | int | float]
    subscriptions: dict[SubscriptionId, bool]
    visitors: list[KnownVisitor]


async def card_of(stores: Databases, account: AccountId, contact: ContactId) -> Card | None:
    """Return a contact's card, or None."""
    known = await stores.record.read(partial(cards.of_contact, account=account, contact=contact))
    return None if known is None else _card(known, await definitions(stores, account))


async def cards_of(stores: Databases, account: AccountId, found: Sequence[Contact]) -> list[Card]:
    """Return the cards of contacts that were found."""
    known = await stores.record.read(partial(cards.of_all, account=account, found=found))
    of = await definitions(stores, account)
    return [_card(each, of) for each in known]


async def definitions(stores: Databases, account: AccountId) -> list[Definition]:
    """Return which properties the account's contacts may have."""
    return await stores.config.read(partial(contact_types.all_of, account=account))


def _card(known: Known, of: Sequence[Definition]) -> Card:
    told: dict[str, Any] = {name: getattr(known.contact, name) for name in Contact.__slots__}
    return Card(
        **told,
        company=known.company,
        segments=list(known.segments),
        properties=values.shown(of, known.values),
        subscriptions={SubscriptionId(name): wants for name, wants in known.subscriptions.items()},
        visitors=[KnownVisitor(*each) for each in known.visitors],
    )
