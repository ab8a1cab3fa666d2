"""Conversations as administrators find them: in pages, by what is known of them as a whole.

Invariant: always within one account; one that never came past its gate is as unknown as one that never was, and so is
one of which an erasure left nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, or_, select

from protocol.bus.records import Head, Snapshot
from protocol.ids import AccountId, AgentId, ConversationId, InboxId, VisitorId
from store.sql import tables

_SNAPSHOT = msgspec.msgpack.Decoder(Snapshot)
_UNSEEN = ("gated", "erased")


@dataclass(frozen=True, slots=True)
class Span:
    """From a time on, and before another; None: whenever. Milliseconds since 1970."""

    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which conversations are meant; None: whatever. `agents`: one of them has it, or had it last.

    `inboxes`: those whose conversations may be seen. `contact`: of every visitor who is known as it.
    """

    inboxes: Sequence[InboxId] | None = None
    status: str | None = None
    inbox: str | None = None
    chatflow: str | None = None
    environment: str | None = None
    agents: Sequence[AgentId] | None = None
    tag: str | None = None
    contact: str | None = None
    visitor: str | None = None
    opened: Span = field(default_factory=Span)
    closed: Span = field(default_factory=Span)


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation. `last_agent` has it, or had it last ("": nobody did)."""

    id: ConversationId
    head: Head
    environment: str
    opened_at_ms: int
    closed_at_ms: int | None
    changed_at_ms: int
    last_agent: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page goes on, and which way: after this one, or (None) from the end that comes first."""

    after: tuple[int, str] | None = None
    falls: bool = True


def page(connection: Connection, account: AccountId, sought: Sought, place: Place, limit: int) -> list[Found]:
    """Return up to `limit` conversations by when they were opened, those of one moment by id."""
    starts = tables.conversation_start.c
    found = _all(account).where(*_where(sought))
    if place.after is not None:
        at_ms, id_ = place.after
        later = starts.opened_at_ms < at_ms if place.falls else starts.opened_at_ms > at_ms
        rest = starts.conversation < id_ if place.falls else starts.conversation > id_
        found = found.where(or_(later, and_(starts.opened_at_ms == at_ms, rest)))
    order = (starts.opened_at_ms, starts.conversation)
    ordered = found.order_by(*(column.desc() if place.falls else column for column in order))
    return [_read(row) for row in connection.execute(ordered.limit(limit))]


def find(
    connection: Connection, account: AccountId, conversation: ConversationId, inboxes: Sequence[InboxId] | None
) -> Found | None:
    """Return a conversation, or None."""
    this = tables.conversation.c.id == conversation
    row = connection.execute(_all(account).where(this, *_where(Sought(inboxes)))).first()
    return None if row is None else _read(row)


def seen_in(inboxes: Sequence[InboxId] | None) -> list[ColumnElement[bool]]:
    """Return what makes a conversation one that may be seen by who sees `inboxes` (None: all)."""
    rows = tables.conversation.c
    return [rows.status.not_in(_UNSEEN), *([] if inboxes is None else [rows.inbox.in_(inboxes)])]


def _all(account: AccountId) -> Select[Any]:
    rows, starts, figures, last = (
        tables.conversation.c,
        tables.conversation_start.c,
        tables.conversation_figure.c,
        tables.event.c,
    )
    newest = select(last.at_ms).where(last.conversation == rows.id, last.seq == rows.seq).scalar_subquery()
    columns = (
        rows.id, rows.state, rows.closed_at_ms, starts.environment, starts.opened_at_ms,
        newest.label("changed_at_ms"), figures.agent,
    )  # fmt: skip
    joined = tables.conversation_start.join(tables.conversation, starts.conversation == rows.id).outerjoin(
        tables.conversation_figure, figures.conversation == rows.id
    )
    theirs = (starts.account == account, rows.account == account, starts.entered.is_(True))
    return select(*columns).select_from(joined).where(*theirs)


def _where(sought: Sought) -> list[ColumnElement[bool]]:
    rows, starts = tables.conversation.c, tables.conversation_start.c
    where = seen_in(sought.inboxes)
    for column, wanted in (
        (rows.status, sought.status),
        (rows.inbox, sought.inbox),
        (rows.visitor, sought.visitor),
        (starts.chatflow, sought.chatflow),
        (starts.environment, sought.environment),
    ):
        if wanted is not None:
            where.append(column == wanted)
    if sought.agents is not None:
        where.append(tables.conversation_figure.c.agent.in_(sought.agents))
    if sought.tag is not None:
        tags = tables.conversation_tag.c
        where.append(exists().where(tags.conversation == rows.id, tags.tag == sought.tag))
    if sought.contact is not None:
        known = tables.contact_visitor.c
        where.append(rows.visitor.in_(select(known.visitor).where(known.contact == sought.contact)))
    return [*where, *_within(starts.opened_at_ms, sought.opened), *_within(rows.closed_at_ms, sought.closed)]


def _within(column: Any, span: Span) -> list[ColumnElement[bool]]:
    since = [] if span.from_ms is None else [column >= span.from_ms]
    return since if span.to_ms is None else [*since, column < span.to_ms]


def _read(row: Row[Any]) -> Found:
    head = _SNAPSHOT.decode(row.state).head
    changed_at_ms = row.opened_at_ms if row.changed_at_ms is None else row.changed_at_ms
    return Found(
        row.id, head, row.environment, row.opened_at_ms, row.closed_at_ms, changed_at_ms, row.agent or ""
    )  # fmt: skip


def tags(connection: Connection, of: Sequence[ConversationId]) -> dict[ConversationId, list[str]]:
    """Return the tags of each of the conversations, in their alphabetical order."""
    rows = tables.conversation_tag.c
    found = select(rows.conversation, rows.tag).where(rows.conversation.in_(of)).order_by(rows.conversation, rows.tag)
    told: dict[ConversationId, list[str]] = {each: [] for each in of}
    for conversation, tag in connection.execute(found):
        told[ConversationId(conversation)].append(tag)
    return told


def contacts(connection: Connection, account: AccountId, of: Sequence[VisitorId]) -> dict[VisitorId, str]:
    """Return whom each of the visitors is known as; whoever the company vouches for comes first."""
    rows = tables.contact_visitor.c
    found = select(rows.visitor, rows.contact).where(rows.account == account, rows.visitor.in_(of))
    told: dict[VisitorId, str] = {}
    for visitor, contact in connection.execute(found.order_by(rows.verified.desc(), rows.at_ms, rows.contact)):
        told.setdefault(VisitorId(visitor), contact)
    return told
