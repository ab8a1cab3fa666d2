"""A company's server begins a conversation, over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import samtale


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[samtale.Server, list[bytes]]]:
    """Yield a company's server that asks somebody who always gives `answer`, and what was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"}"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield samtale.Server(url, "key-of-the-company"), asked


async def test_a_company_says_something_first() -> None:
    """Who, under which tag and in whose name; the answer says where it stands."""
    body = b'{"conversation":"c1","visitor":"v1","seq":2,"event":"1.2.0"}'
    async with answering(b"HTTP/1.1 201 Created\r\n\r\n" + body) as (company, asked):
        begun = await company.start_conversation("mia-7", "Your card is here.", tag="support", name="Nordvik")
    head, _, content = asked[0].partition(b"\r\n\r\n")
    assert begun == samtale.Begun("c1", "v1", 2, "1.2.0")
    assert head.startswith(b"POST /v1/server/conversations HTTP/1.0\r\n")
    assert b"\r\nAuthorization: Bearer key-of-the-company" in head
    assert json.loads(content) == {
        "subject": "mia-7", "text": "Your card is here.", "tag": "support", "name": "Nordvik", "locale": "",
    }  # fmt: skip


@pytest.mark.parametrize(("status", "code", "again"), [(401, "unauthenticated", False), (503, "overloaded", True)])
async def test_a_refusal_has_its_code(status: int, code: str, again: bool) -> None:
    """Raised with what the server said, and whether asking anew may help."""
    body = json.dumps({"code": code, "text": "No."}).encode()
    async with answering(b"HTTP/1.1 %d No\r\n\r\n" % status + body) as (company, _):
        with pytest.raises(samtale.RefusedError, match=f"{code}: No") as refused:
            await company.start_conversation("mia-7", "Hei", tag="support")
    assert refused.value.refused.retryable is again


async def test_no_answer_is_no_refusal() -> None:
    """It may have been said, and whoever asked is told so by another name."""
    async with answering(b"") as (company, _):
        with pytest.raises(samtale.LineLost):
            await company.start_conversation("mia-7", "Hei", tag="support")


@pytest.mark.parametrize("secret", ["key-of-the-company"])
async def test_the_key_is_in_no_error(secret: str) -> None:
    """Nothing that is raised holds it."""
    async with answering(b'HTTP/1.1 401 No\r\n\r\n{"code":"x"}') as (company, _):
        with pytest.raises(samtale.RefusedError) as refused:
            await company.start_conversation("mia-7", "Hei", tag="support")
    assert secret not in repr(refused.value) + repr(company)
