"""Commands of who administers: this gateway puts them into a cell and waits for what becomes of each.

Invariant: nothing counts them, so only what is the same when it is asked twice may be asked here; a command whose
outcome did not come in time may yet take effect.
"""

from collections.abc import Callable

from gateway.doors import OUTCOME_TIMEOUT_S, check_cell
from gateway.presence import random_id
from gateway.services import Services
from protocol.bus.commands import Asked, Origin
from protocol.bus.records import Outcome
from protocol.ids import CellName, DeviceId, SessionId

_DEVICE, _FRAME = DeviceId("the office"), "the request"  # it has neither a phone nor numbers


async def command(services: Services, cell: CellName, make: Callable[[Origin], Asked]) -> Outcome:
    """Put what `make` makes into `cell` and return its outcome. Raises Turned, Away, Refused."""
    check_cell(cell, services.load, services.lease)
    session = SessionId(random_id("ses_", services.outside.entropy))
    origin = Origin(services.lease.incarnation, session, _DEVICE, 0, _FRAME)
    return await services.pending.answer(cell, make(origin), OUTCOME_TIMEOUT_S)
