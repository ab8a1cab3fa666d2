"""What every command is, who asked it, and what a message brings along.

Invariant: what is `Asked` has an outcome, and `origin` says where it goes.
"""

import msgspec

from protocol.ids import AccountId, ConversationId, DeviceId, Incarnation, SessionId
from protocol.wire.kinds import File


class Origin(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Whose frame it was, and where its outcome goes. n 0 for what gateways ask by themselves: no ledger."""

    gateway: Incarnation
    session: SessionId
    device: DeviceId
    n: int
    id: str


class Command(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something asked of the cell."""

    account: AccountId


class Asked(Command, frozen=True):
    """A command with somebody waiting for its outcome."""

    origin: Origin


class Uploaded(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file that is there, as the gateway's receipt has it: for which conversation, by whom, and since when."""

    conversation: ConversationId
    sender: str
    at_ms: int
    file: File
