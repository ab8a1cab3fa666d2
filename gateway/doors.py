"""What letting somebody in has in common for visitors and agents: from the first frame to a session, or turned away.

Invariant: whoever is turned away is told why before the line closes, and left nothing behind that counts as present.
"""

from msgspec import Struct

from gateway.core.reading import refused
from gateway.core.session import UNAVAILABLE_MS
from gateway.load import Load
from gateway.presence import PresenceLease
from protocol.ids import CellName, SessionId
from protocol.wire import client
from protocol.wire.codes import CloseCode, Code
from protocol.wire.limits import PROTOCOL_VERSION
from protocol.wire.server import Refused

OUTCOME_TIMEOUT_S = 10.0
_CLOSES = {
    Code.VERSION_UNSUPPORTED: CloseCode.VERSION_UNSUPPORTED,
    Code.TOKEN_EXPIRED: CloseCode.TOKEN_EXPIRED,
    Code.SEAT_REQUIRED: CloseCode.REVOKED,
}  # SPEC 3.1, 3.6


class Turned(Exception):
    """Not let in. `refusal` None: the close code says it all."""

    def __init__(self, code: Code | CloseCode, text: str = "", *, retry_after_ms: int = 0) -> None:
        super().__init__(code.name)
        self.refusal: Refused | None = None
        if isinstance(code, Code):
            self.refusal = refused(code, text, retry_after_ms=retry_after_ms)
            # What may go well another time, `parked` too, must not keep anybody away for good.
            otherwise = CloseCode.OVERLOADED if code.retryable else CloseCode.UNAUTHENTICATED
            self.close = _CLOSES.get(code, otherwise)
        else:
            self.close = code


class Arrival(Struct, frozen=True):
    """Somebody before the door: the session that this becomes, and the Origin header (None if absent).

    `until_ms`: when the preview token that lets them in ends; 0: they have none.
    """

    session: SessionId
    origin: str | None
    until_ms: int = 0


def check_version(hello: client.Hello | client.AgentHello) -> None:
    """Turn away who speaks another version."""
    if hello.v != PROTOCOL_VERSION:
        raise Turned(Code.VERSION_UNSUPPORTED)


def check_cell(cell: CellName, load: Load, lease: PresenceLease) -> None:
    """Turn away, for a while, who comes to a cell that cannot take them."""
    trouble = load.trouble(cell)
    if trouble is not None:
        raise Turned(trouble.code, retry_after_ms=trouble.retry_after_ms)
    if not lease.holds(cell):
        raise Turned(Code.UNAVAILABLE, retry_after_ms=UNAVAILABLE_MS)
