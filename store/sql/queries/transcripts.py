"""What stands in logs: in pages for who reads one, and looked through for words.

Invariant: reads only what is there now, so that nothing that was redacted or erased is shown or found: no index keeps
it elsewhere. The caller has made sure that the conversations may be seen.
"""

import unicodedata
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, select

from protocol.ids import ConversationId, event_id
from store.sql import tables
from store.sql.queries.audit import StoredEvent
from store.sql.queries.history import Audience

_MANY = 500  # rows at once


class _Body(msgspec.Struct, frozen=True, gc=False):
    text: str = ""


class _Said(msgspec.Struct, frozen=True, gc=False):
    """The little of an event's frame that is looked through."""

    body: _Body


_SAID = msgspec.msgpack.Decoder(_Said)
_KINDS: dict[Audience, tuple[str, ...]] = {"visitor": ("message",), "staff": ("message", "note")}


def page(
    connection: Connection, conversation: ConversationId, audience: Audience, after_seq: int, limit: int
) -> list[StoredEvent]:
    """Return up to `limit` entries that `audience` may see, those after `after_seq`, ascending."""
    rows = tables.event.c
    query = select(
        rows.seq, rows.epoch, rows.commit_no, rows.idx, rows.kind, rows.frame, rows.visitor_frame,
        rows.device, rows.n, rows.send_id,
    ).where(rows.conversation == conversation, rows.seq > after_seq)  # fmt: skip
    if audience == "visitor":
        query = query.where(rows.visitor_frame.is_(None) | (rows.visitor_frame != b""))
    return [
        StoredEvent(
            row.seq, event_id(row.epoch, row.commit_no, row.idx), row.kind, row.frame, row.visitor_frame,
            row.device, row.n, row.send_id,
        )
        for row in connection.execute(query.order_by(rows.seq).limit(limit))
    ]  # fmt: skip


def settings(connection: Connection, conversation: ConversationId) -> list[bytes]:
    """Return the entries of a log that set something of the conversation itself, ascending."""
    rows = tables.event.c
    kinds = ("started", "fields", "priority", "snoozed", "woken")
    found = select(rows.frame).where(rows.conversation == conversation, rows.kind.in_(kinds))
    return list(connection.scalars(found.order_by(rows.seq)))


def words_of(text: str) -> list[str]:
    """Return what is looked for: the words of `text`, in any case."""
    return _folded(text).split()


def holding(
    connection: Connection, conversations: Sequence[ConversationId], words: Sequence[str], audience: Audience
) -> dict[ConversationId, list[int]]:
    """Return the seqs of the entries in which each of `words` occurs, as a word or a part of one."""
    found: dict[ConversationId, list[int]] = {}
    for conversation, seq, frame in _said(connection, conversations, audience):
        text = _folded(_SAID.decode(frame).body.text)
        if all(word in text for word in words):
            found.setdefault(conversation, []).append(seq)
    return found


def _said(
    connection: Connection, conversations: Sequence[ConversationId], audience: Audience
) -> Iterator[tuple[ConversationId, int, bytes]]:
    rows = tables.event.c
    query = select(rows.conversation, rows.seq, rows.frame).where(
        rows.conversation.in_(conversations), rows.kind.in_(_KINDS[audience])
    )
    for row in connection.execute(query.order_by(rows.conversation, rows.seq)).yield_per(_MANY):
        yield row.conversation, row.seq, row.frame


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
