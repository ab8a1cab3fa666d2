"""How long a visitor's token is good, and the warning before its end (SPEC 3.5).

Invariant: one warning per token; a time that was asked for under an earlier token says nothing.
"""

from gateway.core.actions import Action, End, Say, Wake
from protocol.wire.codes import CloseCode
from protocol.wire.limits import TOKEN_WARNING_S
from protocol.wire.server import TokenExpiring


class TokenClock:
    """The time of one session's token; of an anonymous visitor's there is none."""

    def __init__(self) -> None:
        self._until_ms: int | None = None
        self._warned = False

    @property
    def runs(self) -> bool:
        """Whether there is a token."""
        return self._until_ms is not None

    def holds(self, until_ms: int) -> list[Action]:
        """Take the time until which the token is good."""
        self._until_ms, self._warned = until_ms, False
        return [Wake(until_ms - TOKEN_WARNING_S * 1000)]

    def woke(self, at_ms: int) -> list[Action]:
        """Take the time that a Wake asked for."""
        until_ms = self._until_ms
        if until_ms is None or at_ms < until_ms - TOKEN_WARNING_S * 1000:
            return []
        if at_ms >= until_ms:
            return [End(CloseCode.TOKEN_EXPIRED, "the token has expired")]
        if self._warned:
            return []
        self._warned = True
        return [Say(TokenExpiring(until_ms - at_ms)), Wake(until_ms)]
