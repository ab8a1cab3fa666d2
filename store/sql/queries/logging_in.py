"""What is kept of an anonymous visitor, once they have logged in: it is kept of who they are (SPEC 3.9).

Invariant: lines of the consent ledger stay rows of their own, under the other name. A contact becomes a part of the
user's only if this visitor made it and nobody else is known as it: an address that was typed proves nothing.
"""

from typing import Any

from sqlalchemy import Connection, delete, select, update

from protocol.bus.facts import VisitorMerged
from protocol.ids import CellName, ContactId
from store.sql import tables
from store.sql.bulk import write
from store.sql.queries import merging


def visitor_merged(connection: Connection, _: CellName, fact: VisitorMerged) -> None:
    """Keep under `into` whatever is kept under `visitor`."""
    lines, files, links = tables.consent_entry, tables.attachment, tables.contact_visitor
    for table, column in ((lines, lines.c.visitor), (files, files.c.visitor), (files, files.c.sender)):
        theirs = update(table).where(table.c.account == fact.account, column == fact.visitor)
        connection.execute(theirs.values({column.name: fact.into}))
    known = select(links).where(links.c.account == fact.account, links.c.visitor == fact.visitor)
    for link in connection.execute(known.order_by(links.c.contact)).all():
        contact = merging.survivor(connection, fact.account, ContactId(fact.contact)) if fact.contact else link.contact
        if link.contact == contact:
            write(connection, links, [{**link._mapping, "visitor": fact.into}], "keep")
        elif _made(connection, fact, link):
            merging.merge(connection, fact.account, contact, link.contact, fact.at_ms)
    connection.execute(delete(links).where(links.c.account == fact.account, links.c.visitor == fact.visitor))


def _made(connection: Connection, fact: VisitorMerged, link: Any) -> bool:
    """Whether the contact came into being by this visitor, and is nobody else's."""
    rows, links = tables.contact.c, tables.contact_visitor.c
    own = (rows.subject == "", rows.email_verified.is_(False), rows.created_at_ms == link.at_ms)
    made = select(rows.id).where(rows.account == fact.account, rows.id == link.contact, *own)
    others = select(links.visitor).where(
        links.account == fact.account, links.contact == link.contact, links.visitor.not_in((fact.visitor, fact.into))
    )
    return connection.scalar(made) is not None and connection.scalar(others.limit(1)) is None
