"""Who may open which socket: everything that is known before the first frame.

Invariant: a request is judged by its path, its Origin, its subprotocols and its address alone; no query string is
accepted, so that no credential can ever stand in a URL.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from gateway.ports import Driver, Line, Peer, Sessions
from gateway.rules import SocketRules
from gateway.throttle import Buckets

MOBILE_PATH = "/v1/mobile"
AGENT_PATH = "/v1/agent"

Open = Callable[[Line, str, Peer], Driver]


@dataclass(frozen=True, slots=True)
class Admission:
    """Let in: `open` makes the session."""

    open: Open
    peer: Peer


@dataclass(frozen=True, slots=True)
class Rejection:
    """Answered in HTTP: no socket."""

    status: HTTPStatus
    text: str
    retry_after_s: int = 0


class Doorway:
    """The judge of all handshakes of this process."""

    def __init__(self, sessions: Sessions, agent_origins: frozenset[str], rules: SocketRules) -> None:
        self._sessions, self._agent_origins, self._rules = sessions, agent_origins, rules
        self._handshakes = Buckets(rules.handshakes_per_minute, rules.handshakes_burst)
        self.is_draining = False

    def judge(self, path: str, peer: Peer, open_now: int, at_ms: int) -> Admission | Rejection:
        """Return what becomes of whoever asks for `path`, the `open_now`-th at this moment."""
        if self.is_draining or open_now > self._rules.max_connections:
            return Rejection(HTTPStatus.SERVICE_UNAVAILABLE, "This gateway takes no more sockets: try another.", 1)
        wait_ms = self._handshakes.wait_ms(peer.address, at_ms)
        if wait_ms:
            return Rejection(HTTPStatus.TOO_MANY_REQUESTS, "Too many handshakes.", math.ceil(wait_ms / 1000))
        if path == MOBILE_PATH:
            return Admission(self._sessions.open_mobile, peer)
        if path == AGENT_PATH:
            if not self.is_allowed(peer.origin):
                return Rejection(HTTPStatus.FORBIDDEN, "No agents' console is served from this origin.")
            return Admission(self._sessions.open_agent, peer)
        return Rejection(HTTPStatus.NOT_FOUND, f"Sockets are at {MOBILE_PATH} and {AGENT_PATH}, without a query.")

    def is_allowed(self, origin: str | None) -> bool:
        """Whether an agents' console may come from `origin` (SPEC 3.6); None: it is no browser."""
        return origin is None or origin in self._agent_origins
