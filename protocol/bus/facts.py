"""Facts of a commit: what SQL alone keeps of people, surveys, tickets and files.

Invariant: a fact is whole; keeping it needs no state but the rows that earlier facts left.
"""

import msgspec

from protocol.bus.figures import AnyFigure
from protocol.ids import (
    AccountId,
    AppKey,
    AttachmentId,
    ContactId,
    ConversationId,
    ErasureId,
    InboxId,
    VisitorId,
)


class Fact(msgspec.Struct, frozen=True, array_like=True, gc=False, tag_field="f"):
    """Something of a person or a conversation that SQL keeps in a table of its own."""

    account: AccountId


class ConsentGiven(Fact, frozen=True, tag="consent"):
    """One line of the consent ledger: never changed, never removed but with the person.

    `id` is the event's, or unique otherwise. `subscription` of purpose communicate.
    """

    id: str
    visitor: VisitorId
    app: AppKey
    chatflow: str
    conversation: str
    purpose: str
    answer: str
    text_hash: str
    version: int
    locale: str
    app_version: str
    at_ms: int
    subscription: str = ""
    contact: str = ""


class ContactKnown(Fact, frozen=True, tag="contact"):
    """A visitor is a contact: found, or created now. `marketing` marks only one that is created by this.

    `verified`: the company vouches for the address; an address that a visitor typed overwrites nothing.
    """

    id: ContactId
    visitor: VisitorId
    email: str
    subject: str
    name: str
    verified: bool
    marketing: bool
    owner: str
    at_ms: int


class Subscribed(Fact, frozen=True, tag="subscribed"):
    """A contact's answer about a subscription. Unverified, it never overrides an opt-out."""

    contact: ContactId
    subscription: str
    wants: bool
    verified: bool
    at_ms: int


class SurveyChanged(Fact, frozen=True, tag="survey"):
    """How far the survey `ask` of a conversation has come; what is None stays as it was. `agent`: who had it last."""

    conversation: ConversationId
    ask: int
    survey: str
    version: int
    chatflow: str
    scale: str
    environment: str
    platform: str
    app_version: str
    asked_at_ms: int
    seen_at_ms: int | None = None
    dismissed: bool = False
    score: int | None = None
    answered_at_ms: int | None = None
    comment: str | None = None
    expired: bool = False
    inbox: str = ""
    agent: str = ""


class TicketKept(Fact, frozen=True, tag="ticket"):
    """A ticket as it now is."""

    conversation: ConversationId
    inbox: InboxId
    number: int
    status: str
    priority: str
    opened_at_ms: int
    changed_at_ms: int


class AttachmentsUsed(Fact, frozen=True, tag="attached"):
    """The message at `seq` names these attachments."""

    conversation: ConversationId
    seq: int
    ids: list[AttachmentId]


class Erased(Fact, frozen=True, tag="erased"):
    """The entry `seq` of a conversation is replaced by its tombstone, for staff and for visitors (None: the same)."""

    conversation: ConversationId
    seq: int
    frame: bytes
    visitor_frame: bytes | None


class ConversationErased(Fact, frozen=True, tag="conversation_erased"):
    """Every entry of a conversation before `seq` is replaced by its tombstone."""

    conversation: ConversationId
    seq: int


class PersonErased(Fact, frozen=True, tag="person_erased"):
    """Nothing is kept of a visitor but tombstones; nothing of `contact` either, unless others are known as it."""

    visitor: VisitorId
    erasure: ErasureId
    contact: ContactId | None = None


class VisitorMerged(Fact, frozen=True, tag="visitor_merged"):
    """`visitor` logged in and is `into` now: whatever is kept under the one name is kept under the other.

    `contact`: whom `into` is known as; "": nobody.
    """

    visitor: VisitorId
    into: VisitorId
    contact: str
    at_ms: int


AnyFact = (
    ConsentGiven
    | ContactKnown
    | Subscribed
    | SurveyChanged
    | TicketKept
    | AttachmentsUsed
    | Erased
    | ConversationErased
    | PersonErased
    | VisitorMerged
    | AnyFigure
)
