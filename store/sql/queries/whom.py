"""Whom an erasure concerns, as the record has it: visitors, their conversations, and how much is kept of them.

Invariant: reads only; what leaves here has been emptied, so that asking for an erasure stores nothing again.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, func, select

from protocol.bus.records import Context, VisitorRecord
from protocol.bus.tombstones import tombstone
from protocol.ids import AccountId, CellName, ContactId, ConversationId, ErasureId, VisitorId
from protocol.wire.content import Event, Started
from store.sql import tables
from store.sql.queries.erasures import Counts

WITHDRAW = "withdraw"  # the kind of job that takes consents back; its payload is a Withdrawal


class Withdrawal(msgspec.Struct, frozen=True, array_like=True):
    """Whose consent is taken back, in which cell, and for which purpose."""

    cell: CellName
    visitors: list[VisitorId]
    purpose: str


WITHDRAWAL_ENCODER = msgspec.msgpack.Encoder()
WITHDRAWAL_DECODER = msgspec.msgpack.Decoder(Withdrawal)
_VISITOR = msgspec.msgpack.Decoder(VisitorRecord)
_EVENT = msgspec.msgpack.Decoder(Event)


def known_as(connection: Connection, account: AccountId, contact: ContactId) -> list[VisitorId]:
    """Return the visitors who are known as `contact`, by themselves or by their company."""
    rows = tables.contact_visitor.c
    found = select(rows.visitor).where(rows.account == account, rows.contact == contact).order_by(rows.visitor)
    return [VisitorId(each) for each in connection.scalars(found)]


def began_as(connection: Connection, account: AccountId, visitors: Sequence[VisitorId]) -> list[VisitorId]:
    """Return who else began conversations of the visitors: as whom they talked before they logged in (SPEC 3.9)."""
    rows, events = tables.conversation.c, tables.event.c
    mine = select(rows.id).where(rows.account == account, rows.visitor.in_(visitors))
    first = select(events.frame).where(events.conversation.in_(mine), events.seq == 1)
    bodies = (_EVENT.decode(frame).body for frame in connection.scalars(first))
    began = {body.visitor for body in bodies if isinstance(body, Started)}
    return sorted(began.difference(visitors))


def merged_into(connection: Connection, account: AccountId, contact: ContactId) -> list[ContactId]:
    """Return the contacts that have become a part of `contact`."""
    rows = tables.contact_merged.c
    found = select(rows.contact).where(rows.account == account, rows.survivor == contact).order_by(rows.contact)
    return [ContactId(each) for each in connection.scalars(found)]


def met_before(connection: Connection, account: AccountId, before_ms: int) -> list[tuple[VisitorId, ContactId | None]]:
    """Return the visitors who did nothing since then, and the contact each is known as.

    Of who is erased nothing is left, nor of who logged in: they are somebody else.
    """
    rows, known = tables.visitor, tables.contact_visitor
    both = rows.outerjoin(known, known.c.visitor == rows.c.id)
    found = select(rows.c.id, known.c.contact, rows.c.state).select_from(both).order_by(rows.c.changed_at_ms, rows.c.id)
    met = connection.execute(found.where(rows.c.account == account, rows.c.changed_at_ms < before_ms))
    records = ((row, _VISITOR.decode(row.state)) for row in met)
    return [(row.id, row.contact) for row, record in records if not (record.erased or record.merged)]


def is_now(connection: Connection, account: AccountId, visitor: VisitorId) -> VisitorId:
    """Return who has what was the visitor's: themselves, or who they logged in as (SPEC 3.9).

    Their conversations say so, too: a record that was emptied as it stood before the login does not.
    """
    rows = tables.visitor.c
    state = connection.scalar(select(rows.state).where(rows.id == visitor, rows.account == account))
    if state is None:
        return visitor
    record = _VISITOR.decode(state)
    return record.merged or _owner(connection, record) or visitor


def _owner(connection: Connection, record: VisitorRecord) -> VisitorId | None:
    """Return who else has a conversation that the record calls the visitor's own, None if nobody."""
    rows, own = tables.conversation.c, [current.conversation for current in record.current.values()]
    others = (rows.id.in_(own), rows.account == record.account, rows.visitor != record.id)
    return connection.scalar(select(rows.visitor).where(*others).limit(1)) if own else None


def emptied(record: VisitorRecord) -> VisitorRecord:
    """Return a visitor's record without anything personal."""
    return replace(record, devices={}, consents={}, contact=None, profile=None, context=Context())


def is_erased(connection: Connection, visitor: VisitorId, erasure: ErasureId) -> bool:
    """Whether SQL has it that `erasure` left nothing of the visitor; so it is of one who never was."""
    state = connection.scalar(select(tables.visitor.c.state).where(tables.visitor.c.id == visitor))
    return state is None or _VISITOR.decode(state).erased == erasure


def conversations(connection: Connection, account: AccountId, visitor: VisitorId) -> list[ConversationId]:
    """Return the visitor's conversations that are not erased, and were begun before the last one that is."""
    rows, events = tables.conversation.c, tables.event.c
    mine = (rows.account == account, rows.visitor == visitor)
    erased = select(func.max(rows.commit_no)).where(*mine, rows.status == "erased").scalar_subquery()
    begun = select(events.commit_no).where(events.conversation == rows.id, events.seq == 1).scalar_subquery()
    found = select(rows.id).where(*mine, rows.status != "erased", begun <= func.coalesce(erased, begun))
    return [ConversationId(each) for each in connection.scalars(found.order_by(rows.id))]


def erased_conversations(connection: Connection, account: AccountId, visitor: VisitorId) -> list[ConversationId]:
    """Return the visitor's conversations that are erased."""
    rows = tables.conversation.c
    found = select(rows.id).where(rows.account == account, rows.visitor == visitor, rows.status == "erased")
    return [ConversationId(each) for each in connection.scalars(found)]


def emptied_log(connection: Connection, conversation: ConversationId) -> list[bytes]:
    """Return the tombstones of a whole log."""
    rows = tables.event.c
    found = select(rows.frame).where(rows.conversation == conversation).order_by(rows.seq)
    return [tombstone(frame) for frame in connection.scalars(found)]


def counts(connection: Connection, account: AccountId, visitors: Sequence[VisitorId]) -> Counts:
    """Return how much is kept of the visitors."""
    rows, lines = tables.conversation.c, tables.consent_entry.c
    mine = select(rows.id).where(rows.account == account, rows.visitor.in_(visitors))
    asks, events, files = tables.survey_ask.c, tables.event.c, tables.attachment.c
    return Counts(
        visitors=len(visitors),
        conversations=_number(connection, rows.account == account, rows.visitor.in_(visitors)),
        entries=_number(connection, events.conversation.in_(mine)),
        consents=_number(connection, lines.account == account, lines.visitor.in_(visitors)),
        comments=_number(connection, asks.conversation.in_(mine), asks.comment.is_not(None)),
        attachments=_number(connection, files.account == account, files.visitor.in_(visitors)),
    )


def counts_of(connection: Connection, of: Sequence[ConversationId]) -> Counts:
    """Return how much is kept of the conversations."""
    asks, events, files = tables.survey_ask.c, tables.event.c, tables.attachment.c
    return Counts(
        conversations=len(of),
        entries=_number(connection, events.conversation.in_(of)),
        comments=_number(connection, asks.conversation.in_(of), asks.comment.is_not(None)),
        attachments=_number(connection, files.conversation.in_(of)),
    )


def _number(connection: Connection, *where: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).where(*where)) or 0
