"""How long people wait for an outcome, and how much of that they spend without a line.

Invariant: a wait counts from when something was asked to its first outcome; what is offered again after a data loss
waits no second time. Times are seconds of the one clock that all clients share.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wait:
    """`offline_s`: the part of `all_s` in which its client was not let in anywhere."""

    all_s: float = 0.0
    offline_s: float = 0.0

    @property
    def online_s(self) -> float:
        """The part in which a gateway could have told the outcome."""
        return self.all_s - self.offline_s


class Waits:
    """`longest`: the longest wait of all. `longest_online_s`: the longest that anybody waited with a line."""

    def __init__(self) -> None:
        self.longest = Wait()
        self.longest_online_s = 0.0
        self._asked: dict[str, tuple[str, float, float]] = {}  # id → who asked, when, and how long they were offline
        self._offline_s: dict[str, float] = {}
        self._lost_at: dict[str, float] = {}

    def asked(self, client: str, id_: str, t: float) -> None:
        """Take that `client` asked for something: it has no line before it is let in for the first time."""
        if client not in self._offline_s:
            self._offline_s[client], self._lost_at[client] = 0.0, t
        self._asked[id_] = (client, t, self._offline(client, t))

    def let_in(self, client: str, t: float) -> None:
        """Take that `client` has a line."""
        self._offline_s[client] = self._offline(client, t)
        self._lost_at.pop(client, None)

    def lost(self, client: str, t: float) -> None:
        """Take that `client` has none, be it that it was not let in."""
        self._lost_at.setdefault(client, t)

    def settled(self, id_: str, t: float) -> None:
        """Take an outcome."""
        if id_ not in self._asked:
            return
        client, asked_at, offline_s = self._asked.pop(id_)
        wait = Wait(t - asked_at, self._offline(client, t) - offline_s)
        self.longest = max(self.longest, wait, key=lambda each: each.all_s)
        self.longest_online_s = max(self.longest_online_s, wait.online_s)

    def _offline(self, client: str, t: float) -> float:
        since = self._lost_at.get(client, t)
        return self._offline_s.get(client, 0.0) + t - since
