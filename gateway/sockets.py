"""All sockets of this process, and what they share.

Invariant: a connection is in `open` from its first byte to its last.
"""

import asyncio
from http import HTTPStatus
from time import monotonic_ns
from typing import Protocol

from websockets.http11 import Request
from websockets.server import ServerProtocol

from gateway.addresses import client_address
from gateway.counts import Counts
from gateway.handshake import Admission, Doorway, Rejection
from gateway.messages import SocketProtocol
from gateway.opening import Opening
from gateway.ports import Peer
from gateway.pulse import Pulse
from gateway.rules import SocketRules
from gateway.writer import Tick
from protocol.wire.codes import CloseCode


class Closable(Protocol):
    """A socket, as whoever drains sees it."""

    def reconnect(self, after_ms: int) -> None:
        """Tell the client to come again elsewhere (SPEC 2.8)."""

    def close(self, code: CloseCode, reason: str = "") -> None:
        """End with a close frame."""

    def abort(self, cause: str) -> None:
        """End at once."""


class Sockets:
    """`on_last` is called when the last one has ended."""

    def __init__(self, rules: SocketRules, doorway: Doorway, trusted_proxies: frozenset[str] = frozenset()) -> None:
        self.rules, self.doorway, self.trusted_proxies = rules, doorway, trusted_proxies
        self.open: set[Closable] = set()
        self.pulse = Pulse(rules)
        self.tick = Tick()
        self.counts = Counts(lambda: len(self.open))
        self.are_gone = asyncio.Event()  # set while none is open
        self.are_gone.set()

    def add(self, socket: Closable) -> None:
        self.open.add(socket)
        self.are_gone.clear()

    def ended(self, socket: Closable, cause: str) -> None:
        """Note that `socket` is gone, and why: a close code of ours, "peer", or what it was aborted for."""
        self.open.discard(socket)
        self.counts.ends[cause] += 1
        if not self.open:
            self.are_gone.set()

    def address_of(self, address: str, forwarded_for: list[str]) -> str:
        """Return the address that allowances count, of somebody who came from `address` with these headers."""
        return client_address(address, ",".join(forwarded_for), self.trusted_proxies)

    def now_ms(self) -> int:
        """Return a time that does not go back, for allowances."""
        return monotonic_ns() // 1_000_000

    def answer(self, protocol: ServerProtocol, request: Request, address: str) -> Admission | None:
        """Answer a handshake that came from `address`; returns how to go on if there is a socket now."""
        headers = request.headers
        verdict = self._judge(request.path, headers.get("Origin"), address, headers.get_all("X-Forwarded-For"))
        if not isinstance(verdict, Admission):
            self._reject(protocol, verdict)
            return None
        response = protocol.accept(request)
        self.counts.handshakes[str(response.status_code)] += 1
        protocol.send_response(response)
        return verdict if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS else None

    def answer_plain(self, protocol: SocketProtocol, asked: Opening, address: str) -> Admission | None:
        """The same for a handshake that was read in one step."""
        verdict = self._judge(asked.path, asked.origin, address, asked.forwarded_for)
        if not isinstance(verdict, Admission):
            self._reject(protocol, verdict)
            return None
        self.counts.handshakes["101"] += 1
        protocol.open(asked)
        return verdict

    def _judge(self, path: str, origin: str | None, address: str, forwarded_for: list[str]) -> Admission | Rejection:
        peer = Peer(self.address_of(address, forwarded_for), origin)
        return self.doorway.judge(path, peer, len(self.open), self.now_ms())

    def _reject(self, protocol: ServerProtocol, rejection: Rejection) -> None:
        response = protocol.reject(rejection.status, rejection.text + "\n")
        if rejection.retry_after_s:
            response.headers["Retry-After"] = str(rejection.retry_after_s)
        self.counts.handshakes[str(response.status_code)] += 1
        protocol.send_response(response)
