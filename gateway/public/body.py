"""The body of a request, as much of it as is allowed.

Invariant: no more is ever held than the bound, and nobody who sends slowly is waited for beyond the deadline.
"""

import asyncio

from starlette.requests import Request

DEADLINE_S = 5.0


class TooLong(Exception):
    """There is more of it than allowed."""


async def body_of(request: Request, max_bytes: int) -> bytes:
    """Return the body. Raises TooLong, TimeoutError or starlette's ClientDisconnect."""
    body = bytearray()
    async with asyncio.timeout(DEADLINE_S):
        async for part in request.stream():
            body += part
            if len(body) > max_bytes:
                raise TooLong
    return bytes(body)


def is_json(request: Request) -> bool:
    """Whether the request says that it brings JSON, which no browser does across origins without asking first."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip() == "application/json"
