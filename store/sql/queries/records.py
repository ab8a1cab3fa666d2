"""Single records by id, always within one account: what a gateway reads of somebody whom Redis no longer holds.

Invariant: an id of another account is as unknown as one that never was (guarantee G11).
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Select, func, select

from protocol.bus.records import Outcome, Snapshot, VisitorRecord
from protocol.ids import AccountId, ConversationId, DeviceId, InboxId, VisitorId
from store.sql import tables
from store.sql.queries import ledgers

_VISITOR = msgspec.msgpack.Decoder(VisitorRecord)
_SNAPSHOT = msgspec.msgpack.Decoder(Snapshot)
_OUTCOME = msgspec.msgpack.Decoder(Outcome)


def visitor(connection: Connection, account: AccountId, visitor_id: VisitorId) -> VisitorRecord | None:
    """Return the visitor's record, or None."""
    rows = tables.visitor.c
    state = connection.scalar(select(rows.state).where(rows.id == visitor_id, rows.account == account))
    return None if state is None else _VISITOR.decode(state)


def conversation(connection: Connection, account: AccountId, conversation_id: ConversationId) -> Snapshot | None:
    """Return the conversation's last snapshot, or None."""
    rows = tables.conversation.c
    state = connection.scalar(_snapshots(account).where(rows.id == conversation_id))
    return None if state is None else _SNAPSHOT.decode(state)


def conversations_of(
    connection: Connection, account: AccountId, visitor_id: VisitorId
) -> dict[ConversationId, Snapshot]:
    """Return the last snapshots of all conversations of a visitor."""
    rows = tables.conversation.c
    found = select(rows.id, rows.state).where(rows.visitor == visitor_id, rows.account == account).order_by(rows.id)
    return {ConversationId(row.id): _SNAPSHOT.decode(row.state) for row in connection.execute(found)}


def visitors(
    connection: Connection, account: AccountId, visitor_ids: Sequence[VisitorId]
) -> dict[VisitorId, VisitorRecord]:
    """Return the records of those visitors who are known."""
    rows = tables.visitor.c
    found = select(rows.id, rows.state).where(rows.id.in_(visitor_ids), rows.account == account)
    return {VisitorId(row.id): _VISITOR.decode(row.state) for row in connection.execute(found)}


def past(
    connection: Connection,
    account: AccountId,
    visitor_ids: Sequence[VisitorId],
    inboxes: Sequence[InboxId],
    limit: int,
) -> dict[VisitorId, list[ConversationId]]:
    """Return each visitor's conversations in `inboxes` that passed the gate, newest first; `limit` of one visitor."""
    rows = tables.conversation.c
    theirs = (
        rows.account == account,
        rows.visitor.in_(visitor_ids),
        rows.inbox.in_(inboxes),
        rows.status.not_in(("gated", "erased")),
    )
    place = func.row_number().over(partition_by=rows.visitor, order_by=(rows.commit_no.desc(), rows.id)).label("place")
    ranked = select(rows.visitor, rows.id, place).where(*theirs).subquery().c
    found = select(ranked.visitor, ranked.id).where(ranked.place <= limit).order_by(ranked.visitor, ranked.place)
    pasts: dict[VisitorId, list[ConversationId]] = {each: [] for each in visitor_ids}
    for visitor_id, conversation_id in connection.execute(found):
        pasts[VisitorId(visitor_id)].append(ConversationId(conversation_id))
    return pasts


def outcomes(
    connection: Connection, account: AccountId, conversation_id: ConversationId, device: DeviceId
) -> list[Outcome]:
    """Return what is remembered of a device's frames in a conversation, ascending n."""
    if conversation(connection, account, conversation_id) is None:
        return []
    return [_OUTCOME.decode(row.outcome) for row in ledgers.of(connection, [conversation_id], device)]


def outcome(
    connection: Connection, account: AccountId, conversation_id: ConversationId, device: DeviceId, send_id: str
) -> Outcome | None:
    """Return what became of a device's frame in a conversation, be it that its words were erased; None: it is new."""
    found = outcomes(connection, account, conversation_id, device)
    known = next((each for each in found if each.id == send_id), None)
    if known is not None or conversation(connection, account, conversation_id) is None:
        return known
    return ledgers.of_erased(connection, conversation_id, device, send_id)


def _snapshots(account: AccountId) -> Select[bytes]:
    return select(tables.conversation.c.state).where(tables.conversation.c.account == account)
