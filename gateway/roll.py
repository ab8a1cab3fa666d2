"""Who is in: the admitted sessions of this gateway, by device and by account.

Invariant: at most one session per device; whoever comes again replaces the one before (SPEC 11: 4005).
"""

from collections.abc import Iterator
from typing import Protocol

from gateway.core.gate import Rows
from gateway.core.session import Identity
from gateway.ports import Line
from protocol.bus.config import AccountConfig
from protocol.ids import AccountId, CellName, ConversationId, DeviceId, VisitorId
from protocol.wire.codes import CloseCode


class Present(Protocol):
    """An admitted session, as the whole gateway deals with it."""

    line: Line
    cell: CellName

    @property
    def identity(self) -> Identity: ...

    @property
    def visitor(self) -> VisitorId | None:
        """Whose record the session lives by; None: nobody's."""

    def record_at(self, commit_no: int) -> None:
        """Take the number of the commit that wrote that record last; 0: Redis has none."""

    @property
    def conversations(self) -> list[ConversationId]: ...

    def checked(self, conversation: ConversationId, seq: int, epoch: int) -> None: ...

    def look_around(self) -> None: ...

    def configured(self, config: AccountConfig) -> None: ...

    def staffed(self, rows: Rows) -> None:
        """Take who is ready now, rule by rule."""


class Roll:
    """The sessions that were let in and are not lost."""

    def __init__(self) -> None:
        self._by_account: dict[AccountId, dict[DeviceId, Present]] = {}

    def __len__(self) -> int:
        return sum(len(devices) for devices in self._by_account.values())

    def __iter__(self) -> Iterator[Present]:
        return iter([each for devices in self._by_account.values() for each in devices.values()])

    def of_account(self, account: AccountId) -> list[Present]:
        return list(self._by_account.get(account, {}).values())

    def enter(self, session: Present) -> None:
        """Let a session count; the one before on the same device is sent away."""
        devices = self._by_account.setdefault(session.identity.account, {})
        before = devices.get(session.identity.device)
        devices[session.identity.device] = session
        if before is not None:
            before.line.close(CloseCode.REPLACED, "the same device connected again")

    def leave(self, session: Present) -> None:
        """Count a session no more."""
        account, device = session.identity.account, session.identity.device
        devices = self._by_account.get(account, {})
        if devices.get(device) is session:
            del devices[device]
            if not devices:
                del self._by_account[account]
