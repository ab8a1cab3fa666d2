"""A consent taken back for a person by an administrator: the same command as over the socket, for each visitor.

Invariant: asking is one transaction of the configuration's side, with the job that puts the commands into the cell.
"""

from collections.abc import Callable, Sequence

from protocol.bus.config import AccountConfig
from protocol.bus.records import JobRow
from protocol.ids import VisitorId
from store.sql.queries.whom import WITHDRAW, WITHDRAWAL_ENCODER, Withdrawal

_ID_BYTES = 10


def withdrawal(
    config: AccountConfig, visitors: Sequence[VisitorId], purpose: str, entropy: Callable[[int], bytes]
) -> JobRow:
    """Return the job that has a consent of each of `visitors` withdrawn."""
    payload = WITHDRAWAL_ENCODER.encode(Withdrawal(config.cell, [*visitors], purpose))
    return JobRow(f"{WITHDRAW}:{entropy(_ID_BYTES).hex()}", config.account, WITHDRAW, payload)
