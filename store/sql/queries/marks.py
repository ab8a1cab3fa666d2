"""What a log says of its conversation as a whole: when and where it began, and its tags.

Invariant: written in the order of the log within the scribe's transaction; a plain message leaves nothing, and is not
looked at.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, update

from protocol.ids import ConversationId
from protocol.wire.content import Event, Started, TagsChanged
from store.sql import tables
from store.sql.bulk import Row, Values, write
from store.sql.queries.rows import EVENT

_EVENT = msgspec.msgpack.Decoder(Event)
_KIND, _FRAME, _CONVERSATION = map(EVENT.index, ("kind", "frame", "conversation"))
_TOLD = frozenset({"started", "tags"})
_ENTERS = frozenset({"queued", "unrouted"})


def keep(connection: Connection, conversations: Sequence[Row], events: Sequence[Values]) -> None:
    """Keep what `events`, rows of the log, say; `conversations`: the rows of those that they are in."""
    whose = {row["id"]: {"account": row["account"], "inbox": row["inbox"]} for row in conversations}
    told = [_EVENT.decode(event[_FRAME]) for event in events if event[_KIND] in _TOLD]
    _started(connection, whose, told)
    _entered(connection, sorted({event[_CONVERSATION] for event in events if event[_KIND] in _ENTERS}))
    for event in told:
        if isinstance(event.body, TagsChanged):
            _tagged(connection, whose[event.conversation], event.conversation, event.body)


def forget_tags(connection: Connection, conversation: ConversationId) -> None:
    """Remove the tags of a conversation."""
    connection.execute(delete(tables.conversation_tag).where(tables.conversation_tag.c.conversation == conversation))


def _started(connection: Connection, whose: dict[str, Row], told: Sequence[Event]) -> None:
    starts = [
        {
            "conversation": event.conversation,
            "account": whose[event.conversation]["account"],
            "environment": event.body.environment,
            "chatflow": event.body.chatflow,
            "opened_at_ms": event.at,
            "entered": False,
        }
        for event in told
        if isinstance(event.body, Started)
    ]
    write(connection, tables.conversation_start, starts, "keep")


def _entered(connection: Connection, conversations: Sequence[str]) -> None:
    rows = tables.conversation_start
    if conversations:
        this = (rows.c.conversation == bindparam("of"), rows.c.entered.is_(False))
        connection.execute(update(rows).where(*this).values(entered=True), [{"of": each} for each in conversations])


def _tagged(connection: Connection, whose: Row, conversation: ConversationId, body: TagsChanged) -> None:
    rows = tables.conversation_tag
    if body.removed:
        gone = delete(rows).where(rows.c.conversation == conversation, rows.c.tag.in_(body.removed))
        connection.execute(gone)
    fresh = [{"conversation": conversation, "tag": tag, **whose} for tag in body.added]
    write(connection, rows, fresh, "keep")
