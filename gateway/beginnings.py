"""What was begun on a phone whose user logs in there: read for the cell, which takes it over (SPEC 3.9).

Invariant: nothing moves here; until the cell has decided, the user is who they were.
"""

from msgspec.structs import replace

from gateway.proving import Proven
from gateway.services import Services
from protocol.bus.commands import Begun
from protocol.bus.config import AccountConfig
from protocol.bus.merging import merged_consents, proves
from protocol.bus.records import VisitorRecord
from protocol.ids import AccountId, ChatflowId, ConversationId, DeviceId, VisitorId, conversation_id
from store.sql.queries import begun as rows
from store.sql.queries import records

MAX_ORDINALS = 64  # conversations under one chatflow that a phone may have begun and not be sure of


def to_take_over(proven: Proven, own: VisitorRecord | None) -> VisitorId | None:
    """Return as whom what `proven` names began something on this phone; None if nobody, or if it is theirs already."""
    phone = own.devices.get(proven.device) if own is not None else None
    return None if phone is not None and phone.began_as == proven.began_as else proven.began_as


async def read_begun(
    services: Services, account: AccountId, proven: Proven, known: VisitorRecord | None
) -> Begun | None:
    """Return what `proven` says was begun, None if nothing. `known`: Redis's record of whom it was begun as."""
    visitor, device = proven.began_as, proven.began_on
    if visitor is None or device is None:
        return None
    sql = services.outside.record
    cold = None if known is not None else await sql.read(lambda read: records.visitor(read, account, visitor))
    over = await sql.read(lambda read: rows.over(read, account, visitor, device))
    return Begun(visitor, device, cold, known=known is not None, conversations=over)


def believed(proven: Proven, mine: VisitorRecord, begun: VisitorRecord | None, at_ms: int) -> VisitorRecord:
    """Return the user's record as it will be judged by, once what was begun is theirs.

    By what it holds nothing is kept of whoever shows no good secret: it is not their consent.
    """
    device = proven.began_on
    if begun is None or device is None or begun.app != mine.app or not proves(begun, device, proven.presented):
        return mine
    return replace(mine, consents=merged_consents(mine.consents, begun.consents, at_ms))


def began_conversations(
    config: AccountConfig, record: VisitorRecord, device: DeviceId, served: ChatflowId | None
) -> dict[ConversationId, ChatflowId]:
    """Return what this phone may still speak of as before its user logged in: it may never have been begun."""
    phone = record.devices.get(device)
    if phone is None or not phone.began_as:
        return {}
    flows = [*record.current, *([served] if served is not None and served not in record.current else [])]
    names: dict[ConversationId, ChatflowId] = {}
    for flow in flows:
        last = record.current[flow].ordinal if flow in record.current else 0
        for ordinal in range(1, min(last, MAX_ORDINALS) + 2):
            names[conversation_id(config.id_key, VisitorId(phone.began_as), flow, ordinal)] = flow
    return names
