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
from gateway.handshake import Admission, Doorway
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
        address = self.address_of(address, request.headers.get_all("X-Forwarded-For"))
        verdict = self.doorway.judge(request, address, len(self.open), self.now_ms())
        if isinstance(verdict, Admission):
            response = protocol.accept(request)
        else:
            response = protocol.reject(verdict.status, verdict.text + "\n")
            if verdict.retry_after_s:
                response.headers["Retry-After"] = str(verdict.retry_after_s)
        self.counts.handshakes[str(response.status_code)] += 1
        protocol.send_response(response)
        is_open = response.status_code == HTTPStatus.SWITCHING_PROTOCOLS
        return verdict if is_open and isinstance(verdict, Admission) else None
