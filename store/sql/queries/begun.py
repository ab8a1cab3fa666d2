"""What was begun on a phone, as the record has it: for its user, who logs in there.

Invariant: reads only; of conversations that are over, the others being the cell's.
"""

from sqlalchemy import Connection, select

from protocol.bus.commands import Kept
from protocol.ids import AccountId, ConversationId, DeviceId, VisitorId
from store.sql import tables
from store.sql.queries import ledgers


def over(connection: Connection, account: AccountId, visitor: VisitorId, device: DeviceId) -> list[Kept]:
    """Return the visitor's conversations that are over, and what became of the device's frames in them."""
    rows = tables.conversation.c
    theirs = select(rows.id, rows.state).where(rows.account == account, rows.visitor == visitor)
    found = connection.execute(theirs.where(rows.status.in_(("closed", "erased", "parked"))).order_by(rows.id)).all()
    outcomes: dict[str, list[bytes]] = {row.id: [] for row in found}
    for remembered in ledgers.of(connection, [ConversationId(row.id) for row in found], device):
        outcomes[remembered.owner].append(remembered.outcome)
    return [Kept(ConversationId(row.id), row.state, outcomes[row.id]) for row in found]
