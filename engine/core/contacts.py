"""Whom a visitor is known as: the contact, by the company's own id of them or by an address they typed (product §1).

Invariant: a contact is created or found, never changed by what a visitor types. A consent to communicate waits on the
visitor's record until there is a contact to write to.
"""

from msgspec.structs import replace

from engine.core.changed import Became, Changed
from protocol.bus.commands import Admit
from protocol.bus.config import AccountConfig, flow_at
from protocol.bus.decisions import Already
from protocol.bus.effects import Effect, Keep, NoteEmail
from protocol.bus.facts import ContactKnown, Subscribed
from protocol.bus.records import ContactRef, Profile, VisitorRecord
from protocol.bus.steps import address_of, subscription_of
from protocol.ids import ChatflowId, ContactId, contact_by_subject


def introduced(record: VisitorRecord, command: Admit, at_ms: int, config: AccountConfig) -> Became:
    """Return the record with what the company's token says of the visitor, who is thereby a contact."""
    profile = command.profile
    assert profile is not None, "nobody is introduced without a word"
    told = replace(record, profile=profile)
    if profile == record.profile or not profile.subject:
        return Changed(told)
    address = profile.email or address_of(record)
    contact = ContactRef(contact_by_subject(config.id_key, profile.subject), address, verified=bool(profile.email))
    flow = flow_at(config, command.chatflow, command.version)
    marketing = flow is not None and flow.marketing
    known = _known(told, contact.id, profile.email, marketing=marketing, at_ms=at_ms)
    return _linked(told, contact, replace(known, verified=True))


def note_email(record: VisitorRecord, note: NoteEmail, at_ms: int, config: AccountConfig | None) -> Became:
    """Return the record with the contact that an address names; an address that is known stays."""
    if address_of(record):
        return Already()
    flow = flow_at(config, ChatflowId(note.chatflow), note.version) if config is not None else None
    marketing = flow is not None and flow.marketing
    known = _known(record, note.contact, note.email, marketing=marketing, at_ms=at_ms)
    return _linked(record, ContactRef(note.contact, note.email), known)


def subscribed(record: VisitorRecord, purpose: str) -> list[Effect]:
    """Return the fact of the visitor's answer for `purpose`, if it is about a subscription and there is a contact.

    A box that was left unticked says nothing of what the contact wants; taking a yes back does.
    """
    subscription, answer, contact = subscription_of(purpose), record.consents[purpose], record.contact
    if subscription is None or contact is None or answer.answer == "declined":
        return []
    # Whoever the company vouches for speaks for the contact; whoever typed an address may not.
    says = (answer.answer == "granted", record.identified)
    return [Keep(Subscribed(record.account, contact.id, subscription, *says, answer.at_ms))]


def _linked(record: VisitorRecord, contact: ContactRef, known: ContactKnown) -> Changed:
    linked = replace(record, contact=contact)
    waiting = [effect for purpose in linked.consents for effect in subscribed(linked, purpose)]
    return Changed(linked, [Keep(known), *waiting])


def _known(record: VisitorRecord, contact: ContactId, email: str, *, marketing: bool, at_ms: int) -> ContactKnown:
    profile = record.profile or Profile()
    return ContactKnown(
        account=record.account,
        id=contact,
        visitor=record.id,
        email=email,
        subject=profile.subject,
        name=profile.name,
        verified=False,
        marketing=marketing,
        owner=profile.owner or "",
        at_ms=at_ms,
    )
