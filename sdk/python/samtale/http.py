"""One request over HTTP: of JSON, or of a file.

Invariant: what is asked goes out once; whoever gets no answer is told so and decides for themselves.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson

TIMEOUT_S = 20.0
MAX_ANSWER_BYTES = 65_536
TRANSFER_TIMEOUT_S = 300.0
MAX_FILE_ANSWER_BYTES = 64 * 2**20  # an image that was written anew may have grown


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
        about = {"Content-Type": "application/json", **(headers or {})}
        return _parsed(await _exchange(urlsplit(url), "POST", orjson.dumps(content), about))


async def transfer(method: str, url: str, content: bytes) -> tuple[int, bytes]:
    """Return the status and the bytes that `url` answers to a file, or with one. Raises OSError, TimeoutError or
    ValueError."""
    async with asyncio.timeout(TRANSFER_TIMEOUT_S):
        answer = await _exchange(urlsplit(url), method, content, {}, MAX_FILE_ANSWER_BYTES)
    head, _, rest = answer.partition(b"\r\n\r\n")
    told = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
    if told is not None and int(told[1]) != len(rest):
        raise ConnectionError("the connection ended before the answer did")
    return _split(answer)


async def _exchange(
    url: SplitResult, method: str, body: bytes, headers: Mapping[str, str], most_bytes: int = MAX_ANSWER_BYTES
) -> bytes:
    # HTTP/1.0, so that the answer is neither chunked nor kept waiting: it ends where the connection does.
    lines = [
        f"{method} {url.path} HTTP/1.0",
        f"Host: {url.netloc}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    tls = ssl.create_default_context() if url.scheme == "https" else None
    reader, writer = await asyncio.open_connection(url.hostname, url.port or (443 if tls else 80), ssl=tls)
    try:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        try:
            await writer.drain()
        except ConnectionError:
            pass  # whoever refuses what we send has said why
        return await _read(reader, most_bytes)
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader, most_bytes: int) -> bytes:
    answer = bytearray()
    while len(answer) < most_bytes and (more := await reader.read(MAX_ANSWER_BYTES)):
        answer += more
    return bytes(answer)


def _split(answer: bytes) -> tuple[int, bytes]:
    start, _, rest = answer.partition(b"\r\n\r\n")
    version, _, rest_of_line = start.partition(b" ")
    return int(rest_of_line[:3]) if version.startswith(b"HTTP/") else 0, rest


def _parsed(answer: bytes) -> tuple[int, dict[str, Any]]:
    status, rest = _split(answer)
    parsed = orjson.loads(rest) if rest else {}
    return status, parsed if isinstance(parsed, dict) else {}
