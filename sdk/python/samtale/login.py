"""An agent's way in: password against a one-time ticket, over HTTP (SPEC 3.6).

Invariant: the password leaves this module only in the body of that one request.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import orjson

from samtale.line import LineLost

LOGIN_TIMEOUT_S = 20.0
MAX_ANSWER_BYTES = 65_536
_RATE_LIMITED, _BUSY, _WRONG = 4429, 4003, 4501  # the close codes that answers amount to (SPEC 11)


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
        async with asyncio.timeout(LOGIN_TIMEOUT_S):
            status, answer = await _post(urlsplit(address), {"email": email, "password": password})
    except (OSError, TimeoutError, ValueError) as error:
        raise LineLost(1006, f"login: {error}") from None
    ticket, socket = answer.get("ticket"), answer.get("socket")
    if status == 200 and isinstance(ticket, str) and isinstance(socket, str):
        return Ticket(ticket, to_socket(urljoin(address, socket)))
    raise LineLost(_close_code(status), f"login: {answer.get('code', status)}")


def _close_code(status: int) -> int:
    """Return what an answer amounts to: what was asked wrongly stays wrong, whoever is away comes back."""
    if status == 429:
        return _RATE_LIMITED
    return _WRONG if 400 <= status < 500 else _BUSY


def to_socket(url: str) -> str:
    """Return `url` with the scheme of a WebSocket."""
    return url.replace("http", "ws", 1) if url.startswith("http") else url


def to_http(url: str) -> str:
    """Return `url` with the scheme of HTTP."""
    return url.replace("ws", "http", 1) if url.startswith("ws") else url


async def _post(url: SplitResult, content: dict[str, str]) -> tuple[int, dict[str, Any]]:
    body = orjson.dumps(content)
    # HTTP/1.0, so that the answer is neither chunked nor kept waiting: it ends where the connection does.
    head = (
        f"POST {url.path} HTTP/1.0\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    tls = ssl.create_default_context() if url.scheme == "https" else None
    reader, writer = await asyncio.open_connection(url.hostname, url.port or (443 if tls else 80), ssl=tls)
    try:
        writer.write(head.encode() + body)
        await writer.drain()
        answer = await _read(reader)
    finally:
        writer.close()
    start, _, rest = answer.partition(b"\r\n\r\n")
    version, _, rest_of_line = start.partition(b" ")
    status = int(rest_of_line[:3]) if version.startswith(b"HTTP/") else 0
    parsed = orjson.loads(rest) if rest else {}
    return status, parsed if isinstance(parsed, dict) else {}


async def _read(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < MAX_ANSWER_BYTES and (more := await reader.read(MAX_ANSWER_BYTES)):
        answer += more
    return answer
