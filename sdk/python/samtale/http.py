"""One JSON request over HTTP.

Invariant: what is asked goes out once; whoever gets no answer is told so and decides for themselves.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson

TIMEOUT_S = 20.0
MAX_ANSWER_BYTES = 65_536


def to_socket(url: str) -> str:
    """Return `url` with the scheme of a WebSocket."""
    return url.replace("http", "ws", 1) if url.startswith("http") else url


def to_http(url: str) -> str:
    """Return `url` with the scheme of HTTP."""
    return url.replace("ws", "http", 1) if url.startswith("ws") else url


async def post(
    url: str, content: dict[str, Any], headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON object that `url` answers. Raises OSError, TimeoutError or ValueError."""
    async with asyncio.timeout(TIMEOUT_S):
        return _parsed(await _exchange(urlsplit(url), orjson.dumps(content), headers or {}))


async def _exchange(url: SplitResult, body: bytes, headers: Mapping[str, str]) -> bytes:
    # HTTP/1.0, so that the answer is neither chunked nor kept waiting: it ends where the connection does.
    lines = [
        f"POST {url.path} HTTP/1.0",
        f"Host: {url.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    tls = ssl.create_default_context() if url.scheme == "https" else None
    reader, writer = await asyncio.open_connection(url.hostname, url.port or (443 if tls else 80), ssl=tls)
    try:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        return await _read(reader)
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < MAX_ANSWER_BYTES and (more := await reader.read(MAX_ANSWER_BYTES)):
        answer += more
    return answer


def _parsed(answer: bytes) -> tuple[int, dict[str, Any]]:
    start, _, rest = answer.partition(b"\r\n\r\n")
    version, _, rest_of_line = start.partition(b" ")
    status = int(rest_of_line[:3]) if version.startswith(b"HTTP/") else 0
    parsed = orjson.loads(rest) if rest else {}
    return status, parsed if isinstance(parsed, dict) else {}
