"""What erasures leave in the record: tombstones where something was said, and nothing where somebody was described.

Invariant: written in commit order within the scribe's transaction, so that nothing said before an erasure is missed
and nothing said after it is touched. Of a frame's id a digest stays: what is sent again is known, and not stored anew.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select, update

from protocol.bus import facts
from protocol.bus.tombstones import tombstone
from protocol.ids import AccountId, CellName, ContactId
from store.sql import tables
from store.sql.queries import attachments, ledgers, marks

_AT_ONCE = 500
_OF_CONTACT: tuple[Table, ...] = (
    tables.subscription,
    tables.subscription_change,
    tables.property_value,
    tables.company_contact,
    tables.segment_contact,
)


def conversation_erased(connection: Connection, _: CellName, fact: facts.ConversationErased) -> None:
    """Leave tombstones of every entry before `fact.seq`, and neither files nor tags nor a comment to a survey."""
    events = tables.event
    this = (events.c.conversation == bindparam("of"), events.c.seq == bindparam("at"))
    written: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("frame", "visitor_frame", "send_id")}
    for rows in _emptied(connection, fact):
        connection.execute(update(events).where(*this).values(**written), rows)
    sent = attachments.of_conversation(connection, fact.conversation)
    attachments.remove_soon(connection, fact.account, sent, f"{fact.conversation}:all")
    marks.forget_tags(connection, fact.conversation)
    asks = tables.survey_ask.c
    commented = (asks.conversation == fact.conversation, asks.comment.is_not(None))
    connection.execute(
        update(tables.survey_ask).where(*commented).values(comment="")
    )  # that there was one still counts


def _emptied(connection: Connection, fact: facts.ConversationErased) -> Iterator[list[dict[str, Any]]]:
    columns, seq = tables.event.c, 0
    while True:
        page = select(columns.seq, columns.send_id, columns.frame, columns.visitor_frame).where(
            columns.conversation == fact.conversation, columns.seq > seq, columns.seq < fact.seq
        )
        found = connection.execute(page.order_by(columns.seq).limit(_AT_ONCE)).all()
        if not found:
            return
        yield [
            {
                "of": fact.conversation,
                "at": row.seq,
                "new_frame": tombstone(row.frame),
                "new_visitor_frame": tombstone(row.visitor_frame) if row.visitor_frame else row.visitor_frame,
                "new_send_id": ledgers.erased_id(fact.conversation, row.send_id) if row.send_id else "",
            }
            for row in found
        ]
        seq = found[-1].seq


def person_erased(connection: Connection, _: CellName, fact: facts.PersonErased) -> None:
    """Remove the visitor's files and lines of the consent ledger, and the contact once nobody else is known as it."""
    theirs = attachments.of_visitor(connection, fact.account, fact.visitor)
    attachments.remove_soon(connection, fact.account, theirs, f"{fact.visitor}:{fact.erasure}")
    lines, links = tables.consent_entry, tables.contact_visitor
    connection.execute(delete(lines).where(lines.c.account == fact.account, lines.c.visitor == fact.visitor))
    connection.execute(delete(links).where(links.c.account == fact.account, links.c.visitor == fact.visitor))
    others = select(links.c.visitor).where(links.c.account == fact.account, links.c.contact == fact.contact).limit(1)
    if fact.contact is not None and connection.scalar(others) is None:
        forget_contact(connection, fact.account, fact.contact)


def forget_contact(connection: Connection, account: AccountId, contact: ContactId) -> None:
    """Remove a contact that no visitor is known as, and all that administrators kept of it."""
    for table in (*_OF_CONTACT, tables.contact_visitor):
        connection.execute(delete(table).where(table.c.account == account, table.c.contact == contact))
    merged = tables.contact_merged
    connection.execute(delete(merged).where(merged.c.account == account, merged.c.survivor == contact))
    connection.execute(
        delete(tables.contact).where(tables.contact.c.account == account, tables.contact.c.id == contact)
    )
