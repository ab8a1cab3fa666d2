"""What SQL alone keeps of people and conversations: the consent ledger, contacts, subscriptions, surveys, tickets.

Invariant: written in commit order within the scribe's transaction, so that first means first: a contact that exists
is found and not made again, and nothing that a visitor typed overwrites what is known of it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, and_, or_, update

from protocol.bus import facts
from protocol.bus.facts import AnyFact
from protocol.bus.figures import AnyFigure, Figure
from protocol.bus.records import Commit
from protocol.ids import CellName
from store.sql import tables
from store.sql.bulk import Row, write
from store.sql.queries import attachments, erasing, figures, logging_in
from store.sql.queries.merging import survivor


def keep(connection: Connection, cell: CellName, commits: Iterable[Commit]) -> None:
    """Write the facts of `commits`; the log entries that they speak of have been written."""
    counted: list[AnyFigure] = []
    for commit in commits:
        for fact in commit.facts:
            if isinstance(fact, Figure):
                counted.append(fact)
            else:
                _WRITERS[type(fact)](connection, cell, fact)
    figures.keep(connection, counted)


def _row(cell: CellName, fact: AnyFact) -> Row:
    return {**asdict(fact), "cell": cell}


def _consent(connection: Connection, cell: CellName, fact: facts.ConsentGiven) -> None:
    write(connection, tables.consent_entry, [_row(cell, fact)], "keep")


def _contact(connection: Connection, cell: CellName, fact: facts.ContactKnown) -> None:
    at_ms, rows = fact.at_ms, tables.contact
    fact = replace(fact, id=survivor(connection, fact.account, fact.id))
    times = {"created_at_ms": at_ms, "changed_at_ms": at_ms}
    write(connection, rows, [{**_row(cell, fact), **times, "email_verified": fact.verified}], "keep")
    this = rows.c.id == fact.id
    if fact.verified:
        told = {"email": fact.email, "subject": fact.subject, "name": fact.name, "owner": fact.owner}
        known: Row = {name: value for name, value in told.items() if value}
        if fact.email:
            known["email_verified"] = True
        connection.execute(update(rows).where(this).values(**known, changed_at_ms=at_ms))
    elif fact.email:
        connection.execute(update(rows).where(this, rows.c.email == "").values(email=fact.email, changed_at_ms=at_ms))
    link = {"contact": fact.id, "visitor": fact.visitor, "account": fact.account}
    write(connection, tables.contact_visitor, [{**link, "verified": fact.verified, "at_ms": at_ms}], "keep")


def _subscribed(connection: Connection, _: CellName, fact: facts.Subscribed) -> None:
    rows = tables.subscription
    fact = replace(fact, contact=survivor(connection, fact.account, fact.contact))
    write(connection, rows, [asdict(fact)], "keep")
    write(connection, tables.subscription_change, [{**asdict(fact), "source": "visitor"}], "keep")
    this = and_(rows.c.contact == fact.contact, rows.c.subscription == fact.subscription, rows.c.at_ms <= fact.at_ms)
    # Whoever types an address cannot undo what its owner said no to.
    allowed = this if fact.verified or not fact.wants else and_(this, or_(rows.c.wants, rows.c.verified.is_(False)))
    answer = {"wants": fact.wants, "verified": fact.verified, "at_ms": fact.at_ms}
    connection.execute(update(rows).where(allowed).values(**answer))


def _survey(connection: Connection, cell: CellName, fact: facts.SurveyChanged) -> None:
    rows = tables.survey_ask
    write(connection, rows, [_row(cell, fact)], "keep")
    told = {
        "seen_at_ms": fact.seen_at_ms,
        "score": fact.score,
        "answered_at_ms": fact.answered_at_ms,
        "comment": fact.comment,
        "dismissed": fact.dismissed or None,
        "expired": fact.expired or None,
    }
    changed: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    if changed:
        this = and_(rows.c.conversation == fact.conversation, rows.c.ask == fact.ask)
        connection.execute(update(rows).where(this).values(**changed))


def _ticket(connection: Connection, cell: CellName, fact: facts.TicketKept) -> None:
    write(connection, tables.ticket, [_row(cell, fact)], "replace")


def _attached(connection: Connection, _: CellName, fact: facts.AttachmentsUsed) -> None:
    attachments.use(connection, fact.ids, fact.conversation, fact.seq)


def _erased(connection: Connection, _: CellName, fact: facts.Erased) -> None:
    rows = tables.event
    named = attachments.of_message(connection, fact.conversation, fact.seq)
    attachments.remove_soon(connection, fact.account, named, f"{fact.conversation}:{fact.seq}")
    this = and_(rows.c.conversation == fact.conversation, rows.c.seq == fact.seq)
    connection.execute(update(rows).where(this).values(frame=fact.frame, visitor_frame=fact.visitor_frame))


_WRITERS: dict[type[Any], Callable[[Connection, CellName, Any], None]] = {
    facts.ConsentGiven: _consent,
    facts.ContactKnown: _contact,
    facts.Subscribed: _subscribed,
    facts.SurveyChanged: _survey,
    facts.TicketKept: _ticket,
    facts.AttachmentsUsed: _attached,
    facts.Erased: _erased,
    facts.ConversationErased: erasing.conversation_erased,
    facts.PersonErased: erasing.person_erased,
    facts.VisitorMerged: logging_in.visitor_merged,
}
