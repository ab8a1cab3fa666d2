"""How much one session may ask.

Invariant: memory and time spent on a peer are bounded, whatever it sends; times come from outside.
"""

from msgspec import Struct

from protocol.wire import limits, server


class SessionLimits(Struct, frozen=True):
    """What one session may send. Visitors' messages: product §11; frames of any kind: far above what a client needs."""

    messages_per_minute: int = limits.MESSAGES_PER_MINUTE
    message_burst: int = limits.MESSAGE_BURST
    agent_messages_per_minute: int = 600
    agent_message_burst: int = 100
    frames_per_minute: int = 1_200
    frame_burst: int = 600
    unreadable_per_minute: int = 10  # SPEC 2.2

    def stated(self, *, to_agent: bool) -> server.Limits:
        """Return the limits as `ready` states them (SPEC 2.5)."""
        return server.Limits(
            max_frame_bytes=limits.MAX_FRAME_BYTES,
            max_text=limits.MAX_TEXT_CHARS,
            max_unresolved=limits.MAX_UNRESOLVED,
            messages_per_minute=self.agent_messages_per_minute if to_agent else self.messages_per_minute,
            message_burst=self.agent_message_burst if to_agent else self.message_burst,
        )


class Bucket:
    """Lets `burst` through at once and `per_minute` in the long run."""

    __slots__ = ("_ms_each", "_next_ms", "_slack_ms")

    def __init__(self, per_minute: int, burst: int) -> None:
        self._ms_each = 60_000 / per_minute
        self._slack_ms = self._ms_each * (burst - 1)
        self._next_ms = 0.0

    def takes(self, count: int, at_ms: int) -> bool:
        """Take `count` if so many may pass at once; else take nothing."""
        next_ms = max(self._next_ms, at_ms) + self._ms_each * count
        if next_ms - self._ms_each - self._slack_ms > at_ms:
            return False
        self._next_ms = next_ms
        return True

    def wait_ms(self, at_ms: int) -> int:
        """Take one and return 0, or return after how long to ask again, which takes nothing."""
        early = self._next_ms - self._slack_ms - at_ms
        if early > 0:
            return int(early) + 1
        self._next_ms = max(self._next_ms, at_ms) + self._ms_each
        return 0
