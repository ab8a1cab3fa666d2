"""How long a preview lasts for a session that its token let in (SPEC 3.1).

Invariant: once the token has ended or was taken back, the session is told so and ends; it never outlives its preview.
"""

from gateway.core.actions import Action, End, Say, Wake
from gateway.core.reading import refused
from protocol.bus.config import AccountConfig
from protocol.wire.codes import CloseCode, Code


class Trial:
    """The time of one session in a preview; who came otherwise has none."""

    def __init__(self) -> None:
        self._shows, self._until_ms = "", 0

    def holds(self, shows: str, until_ms: int) -> list[Action]:
        """Take the preview's chatflow, by its tag, and until when its token is good; 0: nothing is tried out."""
        self._shows, self._until_ms = shows, until_ms
        return [Wake(until_ms)] if until_ms else []

    def woke(self, at_ms: int) -> list[Action]:
        """Take the time that a Wake asked for."""
        return self._over() if self._until_ms and at_ms >= self._until_ms else []

    def configured(self, config: AccountConfig) -> list[Action]:
        """Take a newer configuration: what was taken back is switched off there."""
        goes_on = any(flow.enabled and self._shows in flow.tags for flow in config.chatflows)
        return [] if goes_on or not self._until_ms else self._over()

    @staticmethod
    def _over() -> list[Action]:
        return [Say(refused(Code.TOKEN_INVALID)), End(CloseCode.UNAUTHENTICATED, "the preview has ended")]
