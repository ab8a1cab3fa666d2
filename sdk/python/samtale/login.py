"""An agent's way in: password against a one-time ticket, over HTTP (SPEC 3.6).

Invariant: the password leaves this module only in the body of that one request.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from samtale.http import post, to_socket
from samtale.line import LineLost

_LOST, _RATE_LIMITED, _BUSY, _WRONG = 1006, 4429, 4003, 4501  # the close codes that answers amount to (SPEC 11)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Lets one agent in, once, within 30 s, at the address `socket`."""

    ticket: str
    socket: str


Login = Callable[[str, str, str], Awaitable[Ticket]]


async def over_http(url: str, email: str, password: str) -> Ticket:
    """Log in at `url` (http or https). Raises LineLost with the close code that the refusal amounts to."""
    address = urljoin(url, "/v1/agent/login")
    try:
        status, answer = await post(address, {"email": email, "password": password})
    except (OSError, TimeoutError, ValueError) as error:
        raise LineLost(1006, f"login: {error}") from None
    ticket, socket = answer.get("ticket"), answer.get("socket")
    if status == 200 and isinstance(ticket, str) and isinstance(socket, str):
        return Ticket(ticket, to_socket(urljoin(address, socket)))
    raise LineLost(_close_code(status), f"login: {answer.get('code', status)}")


def _close_code(status: int) -> int:
    """Return what an answer amounts to: what was asked wrongly stays wrong, whoever is away comes back.

    Status 0, no answer, is a connection that just ended: another server may answer at once.
    """
    if status == 0:
        return _LOST
    if status == 429:
        return _RATE_LIMITED
    return _WRONG if 400 <= status < 500 else _BUSY
