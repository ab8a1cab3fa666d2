"""What is remembered of senders' numbered frames: outcomes with rows of their own, and visitors' words, whose entries
in the log say what became of them.

Invariant: of a sender, slot by slot, the highest n; hence the last 32. Of words it is not known which session asked;
those that were erased are known by a digest of their id, however long ago it was.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select

from protocol.bus.records import LedgerRow, Outcome
from protocol.ids import ConversationId, DeviceId, SessionId, event_id
from protocol.wire.content import Role
from protocol.wire.limits import REMEMBERED_OUTCOMES
from store.sql import tables

_PACK = msgspec.msgpack.Encoder()
_DIGEST_CHARS = 32


def of(
    connection: Connection, conversations: Sequence[ConversationId], device: DeviceId | None = None
) -> list[LedgerRow]:
    """Return what is remembered of the senders in these conversations, or of one of them, by sender and n."""
    rows, words = tables.ledger.c, tables.event.c
    kept = select(rows.owner, rows.device, rows.n, rows.outcome).where(rows.owner.in_(conversations))
    said = _words(conversations)
    if device is not None:
        kept, said = kept.where(rows.device == device), said.where(words.device == device)
    last: dict[tuple[str, DeviceId, int], LedgerRow] = {}
    found = _told(connection, said) + [LedgerRow(*row) for row in connection.execute(kept)]  # of the same n: the last
    for row in sorted(found, key=lambda row: (row.owner, row.device, row.n)):
        last[row.owner, row.device, row.n % REMEMBERED_OUTCOMES] = row
    return sorted(last.values(), key=lambda row: (row.owner, row.device, row.n))


def erased_id(conversation: ConversationId, send_id: str) -> str:
    """Return what an erased entry keeps of the id that it was sent under: it can be known again, and not be read."""
    return hashlib.sha256(f"{conversation} {send_id}".encode()).hexdigest()[:_DIGEST_CHARS]


def of_erased(connection: Connection, conversation: ConversationId, device: DeviceId, send_id: str) -> Outcome | None:
    """Return what became of a visitor's frame whose entry was erased since, None if there is none."""
    rows = tables.event.c
    sent = (rows.conversation == conversation, rows.send_id == erased_id(conversation, send_id))
    row = connection.execute(select(rows.n, rows.seq, rows.epoch, rows.commit_no, rows.idx).where(*sent)).first()
    if row is None:
        return None
    event = event_id(row.epoch, row.commit_no, row.idx)
    return Outcome(SessionId(""), device, row.n, send_id, "", conversation, row.seq, event)


def _words(conversations: Sequence[ConversationId]) -> Select[Any]:
    rows = tables.event.c
    newest = func.row_number().over(partition_by=(rows.conversation, rows.device), order_by=rows.n.desc())
    about = (rows.conversation, rows.device, rows.n, rows.send_id, rows.seq, rows.epoch, rows.commit_no, rows.idx)
    said = select(*about, newest.label("age"))
    return said.where(rows.conversation.in_(conversations), rows.role == Role.VISITOR, rows.n > 0)


def _told(connection: Connection, said: Select[Any]) -> list[LedgerRow]:
    rows = said.subquery()
    found: list[LedgerRow] = []
    for row in connection.execute(select(rows).where(rows.c.age <= REMEMBERED_OUTCOMES)):
        event = event_id(row.epoch, row.commit_no, row.idx)
        outcome = Outcome(SessionId(""), row.device, row.n, row.send_id, "", row.conversation, row.seq, event)
        found.append(LedgerRow(row.conversation, row.device, row.n, _PACK.encode(outcome)))
    return found
