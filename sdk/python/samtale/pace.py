"""How fast a device asks: as fast as the server's `ready` says it may, and no faster (SPEC 2.5).

What is asked too fast costs a frame to ask and another for each one behind it, all of which come back: whoever finds
out the limit by running into it has its line ended for flooding.

Invariant: pure; at most one below the stated burst goes at once, so that frames which arrive closer together than they
left are not too fast yet.
"""


class Pace:
    """Times are seconds of any clock that does not go back. Until `stated` there is no limit."""

    def __init__(self) -> None:
        self._each_s = self._slack_s = 0.0
        self._next_s = 0.0

    def stated(self, per_minute: int, burst: int) -> None:
        """Take what a `ready` states; 0 a minute: no limit."""
        self._each_s = 60 / per_minute if per_minute else 0.0
        self._slack_s = self._each_s * max(0, burst - 2)

    def wait_s(self, now_s: float) -> float:
        """Return in how many seconds the next one may go."""
        return max(0.0, self._next_s - self._slack_s - now_s)

    def take(self, now_s: float) -> None:
        """One goes now."""
        self._next_s = max(self._next_s, now_s) + self._each_s

    def refused(self, now_s: float, after_s: float) -> None:
        """The server has counted more: its allowance is used up, and it takes the next one `after_s` from now."""
        self._next_s = max(self._next_s, now_s + after_s + self._slack_s)
