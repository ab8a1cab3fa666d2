"""What every operation on people has in common: both sides of SQL, the account's contacts, a line in the audit log.

Invariant: the audit log says who did what to which contact, and nothing of the contact.
"""

from functools import partial

import msgspec
from msgspec import Struct

from admin.http.operations import Call
from admin.http.problems import NOT_FOUND, Problem
from admin.office import Office
from admin.people.cards import card_of
from admin.workspace.document import Document
from protocol.ids import ContactId
from store.sql.database import Databases
from store.sql.queries import audit_log, contacts
from store.sql.queries.audit_log import Deed
from store.sql.queries.contacts import Contact


def stores_of(office: Office) -> Databases:
    """Return both sides of SQL."""
    return Databases(office.config, office.record)


async def contact_of(office: Office, call: Call) -> Contact:
    """Return the contact that the path names. Raises Problem, StoreAway."""
    named = partial(contacts.find, account=call.caller.account, contact=ContactId(call.path["contact"]))
    found = await office.record.read(named)
    if found is None:
        raise Problem(NOT_FOUND, "there is no such contact")
    return found


async def shown(office: Office, call: Call, contact: ContactId) -> Document:
    """Return a contact's card, as it is shown and guarded. Raises Problem, StoreAway."""
    card = await card_of(stores_of(office), call.caller.account, contact)
    if card is None:
        raise Problem(NOT_FOUND, "there is no such contact")
    return plain(card)


def plain(thing: Struct) -> Document:
    """Return a thing as it is shown: so that its ETag is the same wherever it is."""
    told: Document = msgspec.to_builtins(thing)
    return told


async def note(office: Office, call: Call, action: str, target: str, *changes: str) -> None:
    """Write a line of the audit log."""
    deed = Deed(office.now_ms(), call.caller.actor, action, target, changes)
    await office.config.transact(partial(audit_log.add, account=call.caller.account, deed=deed))
