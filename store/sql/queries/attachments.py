"""Attachments: what is uploaded, which message names it, and what is to be removed.

Invariant: a row is there before the file is and goes after it, so that no file lies where nobody knows of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from protocol.ids import AccountId, AttachmentId, ConversationId, VisitorId
from protocol.wire.kinds import File
from store.sql import tables
from store.sql.bulk import write

GONE = "attachments_gone"  # the kind of job that removes attachments for good; its payload holds their ids
UNUSED = "attachments_unused"  # the same of those that no message names by then
UNUSED_FOR_MS = 24 * 3_600_000
_GIVEN_UP_MS = 0  # begun at this time: it may begin again
_rows = tables.attachment.c
_IDS = msgspec.msgpack.Decoder(list[AttachmentId])


@dataclass(frozen=True, slots=True)
class Place:
    """Whose an attachment is: in which conversation of which visitor, sent by the visitor or an agent."""

    account: AccountId
    visitor: VisitorId
    conversation: ConversationId
    sender: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An attachment that is there."""

    account: AccountId
    visitor: VisitorId
    file: File


def begin(connection: Connection, place: Place, file: File, at_ms: int) -> bool:
    """Note that an upload begins, as it was announced; False if it began before, and was not given up.

    A day later a job looks after it.
    """
    told = {"id": file.id, "name": file.name, "kind": file.kind, "type": file.type, "size_bytes": file.size}
    row = {**asdict(place), **told, "seq": None, "width": 0, "height": 0, "begun_at_ms": at_ms, "stored": False}
    insertion = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(tables.attachment)
    again = insertion.values(row).on_conflict_do_update(
        index_elements=[_rows.id], set_={"begun_at_ms": at_ms}, where=_rows.begun_at_ms == _GIVEN_UP_MS
    )
    if connection.scalar(again.returning(_rows.id)) is None:
        return False
    _ask(connection, UNUSED, file.id, place.account, [file.id], at_ms + UNUSED_FOR_MS)
    return True


def give_up(connection: Connection, id_: AttachmentId) -> None:
    """Note that an upload failed of which something may lie in the bucket."""
    failed = update(tables.attachment).where(_rows.id == id_, _rows.stored.is_(False))
    connection.execute(failed.values(begun_at_ms=_GIVEN_UP_MS))


def finish(connection: Connection, file: File) -> bool:
    """Note that the file is there, as it now is; False if it was removed meanwhile."""
    now = {"size_bytes": file.size, "width": file.width, "height": file.height, "stored": True}
    return connection.execute(update(tables.attachment).where(_rows.id == file.id).values(now)).rowcount == 1


def find(connection: Connection, id_: AttachmentId) -> Kept | None:
    """Return the attachment if it is there."""
    row = connection.execute(select(tables.attachment).where(_rows.id == id_, _rows.stored)).one_or_none()
    return None if row is None else _kept(row)


def sent_in(connection: Connection, conversation: ConversationId) -> list[Kept]:
    """Return those that the messages of a conversation name, in their order."""
    named = select(tables.attachment).where(_rows.conversation == conversation, _rows.seq.is_not(None), _rows.stored)
    return [_kept(row) for row in connection.execute(named.order_by(_rows.seq, _rows.id))]


def _kept(row: Row[Any]) -> Kept:
    file = File(row.id, row.kind, row.name, row.type, row.size_bytes, row.width, row.height)
    return Kept(row.account, row.visitor, file)


def count_unused(connection: Connection, account: AccountId, visitor: VisitorId) -> int:
    """Return how many of a visitor's no message names yet."""
    theirs = select(func.count()).where(_rows.account == account, _rows.visitor == visitor, _rows.seq.is_(None))
    return connection.scalar(theirs) or 0


def use(connection: Connection, ids: Sequence[AttachmentId], conversation: ConversationId, seq: int) -> None:
    """Note that the message at `seq` names them; they are whose the conversation is, put by whatever name before."""
    whose = select(tables.conversation.c.visitor).where(tables.conversation.c.id == conversation).scalar_subquery()
    named = update(tables.attachment).where(_rows.id.in_(ids))
    now = {"conversation": conversation, "seq": seq, "visitor": func.coalesce(whose, _rows.visitor)}
    connection.execute(named.values(now))


def of_message(connection: Connection, conversation: ConversationId, seq: int) -> list[AttachmentId]:
    """Return those that a message names."""
    found = select(_rows.id).where(_rows.conversation == conversation, _rows.seq == seq)
    return list(connection.scalars(found))


def of_conversation(connection: Connection, conversation: ConversationId) -> list[AttachmentId]:
    """Return those that the messages of a conversation name."""
    return list(connection.scalars(select(_rows.id).where(_rows.conversation == conversation, _rows.seq.is_not(None))))


def of_visitor(connection: Connection, account: AccountId, visitor: VisitorId) -> list[AttachmentId]:
    """Return all in a visitor's conversations, used or not, whole or not."""
    return list(connection.scalars(select(_rows.id).where(_rows.account == account, _rows.visitor == visitor)))


def unused(connection: Connection, ids: Sequence[AttachmentId]) -> list[AttachmentId]:
    """Return those of `ids` that no message names."""
    return list(connection.scalars(select(_rows.id).where(_rows.id.in_(ids), _rows.seq.is_(None))))


def remove_soon(connection: Connection, account: AccountId, ids: Sequence[AttachmentId], why: str) -> None:
    """Have workers remove them for good. `why` names the cause, and makes the job one for it."""
    if ids:
        _ask(connection, GONE, why, account, ids, 0)


def forget(connection: Connection, ids: Sequence[AttachmentId]) -> None:
    """Forget them: their files are gone."""
    connection.execute(delete(tables.attachment).where(_rows.id.in_(ids)))


def _ask(
    connection: Connection, kind: str, why: str, account: AccountId, ids: Sequence[AttachmentId], due_ms: int
) -> None:
    """Write the job, unless it is there."""
    job = {"id": f"{kind}:{why}", "kind": kind, "account": account, "payload": packed(ids), "due_ms": due_ms}
    write(connection, tables.job, [{**job, "attempts": 0, "done_ms": None, "error": ""}], "keep")


def packed(ids: Iterable[AttachmentId]) -> bytes:
    """Return the payload of a job about `ids`."""
    return msgspec.msgpack.encode(list(ids))


def unpacked(payload: bytes) -> list[AttachmentId]:
    """Return the ids that a job is about."""
    return _IDS.decode(payload)


def key_of(account: AccountId, id_: AttachmentId) -> str:
    """Return under which key the bucket has it."""
    return f"attachments/{account}/{id_}"
