"""A conversation's log as SQL has it: for readers who want what Redis no longer keeps.

Invariant: entries come in ascending seq without holes up to what the scribe has copied, under their final event ids.
"""

from typing import Literal

from sqlalchemy import Connection, Row, Select, select

from protocol.bus.topics import Hint
from protocol.ids import AccountId, ConversationId, event_id
from store.sql.tables import conversation as conversations
from store.sql.tables import event

Audience = Literal["visitor", "staff"]


def before(
    connection: Connection,
    account: AccountId,
    conversation: ConversationId,
    before_seq: int,
    limit: int,
    *,
    audience: Audience,
) -> list[Hint]:
    """Return the last `limit` entries below `before_seq`, ascending; frame b"" where hidden from `audience`."""
    found = _entries(account, conversation).where(event.c.seq < before_seq).order_by(event.c.seq.desc()).limit(limit)
    return [_as_read(row, audience) for row in reversed(connection.execute(found).all())]


def after(
    connection: Connection,
    account: AccountId,
    conversation: ConversationId,
    after_seq: int,
    limit: int,
    *,
    audience: Audience,
) -> list[Hint]:
    """Return the first `limit` entries above `after_seq`, ascending; frame b"" where hidden from `audience`."""
    found = _entries(account, conversation).where(event.c.seq > after_seq).order_by(event.c.seq).limit(limit)
    return [_as_read(row, audience) for row in connection.execute(found)]


def _entries(account: AccountId, conversation: ConversationId) -> Select[int, int, int, int, bytes, bytes | None]:
    columns = event.c
    entries = select(columns.seq, columns.epoch, columns.commit_no, columns.idx, columns.frame, columns.visitor_frame)
    owned = select(conversations.c.id).where(conversations.c.id == conversation, conversations.c.account == account)
    return entries.where(columns.conversation == conversation, owned.exists())


def _as_read(row: Row[int, int, int, int, bytes, bytes | None], audience: Audience) -> Hint:
    seq, epoch, commit_no, index, frame, visitor_frame = row
    shown = frame if audience == "staff" or visitor_frame is None else visitor_frame
    return Hint(seq, event_id(epoch, commit_no, index), shown)
