"""The connection against real servers, and against ones that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from store.redis.address import Address
from store.redis.connection import Away, Connection, Refused, dial
from store.redis.server import EmbeddedValkey


@asynccontextmanager
async def server_that(answers: bytes, seen: list[bytes] | None = None) -> AsyncIterator[Address]:
    """A server that answers the first bytes of each connection with `answers`, and nothing more."""
    open_ends: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ends.append(writer)
        received = await reader.read(65536)
        if seen is not None:
            seen.append(received)
        writer.write(answers)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Address(port=server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in open_ends:
            writer.transport.abort()
        await server.wait_closed()


async def test_answers_come_in_the_order_asked(line: Connection) -> None:
    """Pipelined commands are answered in order."""
    answers = [line.send("ECHO", f"{n}") for n in range(1000)]
    assert [await answer for answer in answers] == [b"%d" % n for n in range(1000)]


async def test_large_values_pass_unchanged(line: Connection) -> None:
    """Megabytes of any bytes go there and back while the transport pauses and resumes."""
    values = [bytes([n, 0, 13, 10]) * 500_000 for n in range(4)]
    answers = [line.send("SET", f"{{a}}{n}", value) for n, value in enumerate(values)]
    assert [await answer for answer in answers] == [b"OK"] * 4
    assert [await line.call("GET", f"{{a}}{n}") for n in range(4)] == values


async def test_an_error_reply_is_refused(line: Connection) -> None:
    """A command of the wrong type is Refused with its code, and the line goes on."""
    await line.call("SET", "k", "v")
    with pytest.raises(Refused) as caught:
        await line.call("HGET", "k", "f")
    assert (caught.value.code, await line.call("GET", "k")) == ("WRONGTYPE", b"v")


async def test_a_killed_line_fails_what_is_pending(line: Connection, any_redis: EmbeddedValkey) -> None:
    """A line cut by the server makes a blocked read and everything behind it Away."""
    other = await dial(any_redis.address)
    number = await line.call("CLIENT", "ID")
    blocked = line.send("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
    behind = line.send("SET", "k", "v")
    await other.call("CLIENT", "KILL", "ID", number)
    for answer in (blocked, behind):
        with pytest.raises(Away):
            await answer
    assert await other.call("GET", "k") is None
    await other.close()


async def test_no_answer_in_time_is_away(line: Connection) -> None:
    """A command that is not answered within its deadline ends the line: its effect is unknown."""
    with pytest.raises(Away, match="no answer within"):
        await line.call("XREAD", "BLOCK", 0, "STREAMS", "s", "$", timeout_s=0.01)
    assert not line.is_open


async def test_each_life_of_a_server_has_its_own_run_id(valkey: EmbeddedValkey) -> None:
    """Two lines to one life see the same `run_id`; one to another server does not."""
    lines = [await dial(valkey.address) for _ in range(2)]
    assert lines[0].run_id == lines[1].run_id != ""
    assert (await lines[0].call("INFO", "server")).count(lines[0].run_id.encode()) == 1
    for line in lines:
        await line.close()


async def test_a_lost_answer_is_not_asked_for_again() -> None:
    """When the line falls after a write left, nothing is sent a second time."""
    seen: list[bytes] = []
    async with server_that(b"", seen) as address:
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(Connection, address.host, address.port)
        with pytest.raises(Away):
            await line.call("XADD", "inbox", "*", "p", "x", timeout_s=0.5)
    assert seen == [b"*5\r\n$4\r\nXADD\r\n$5\r\ninbox\r\n$1\r\n*\r\n$1\r\np\r\n$1\r\nx\r\n"]


@pytest.mark.parametrize(
    "answers", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-LOADING dataset\r\n"], ids=["silent", "http", "loading"]
)
async def test_what_cannot_serve_is_away(answers: bytes) -> None:
    """Dialling a server that is silent, is none or still loads is Away."""
    async with server_that(answers) as address:
        with pytest.raises(Away):
            await dial(address, timeout_s=0.2)


async def test_nobody_there_is_away(unused_tcp_port_factory: Callable[[], int]) -> None:
    """Dialling a port where nobody listens is Away."""
    with pytest.raises(Away, match="cannot be reached: nobody listens there"):
        await dial(Address(port=unused_tcp_port_factory()))


async def test_a_database_that_is_not_there_is_refused(valkey: EmbeddedValkey) -> None:
    """A server that answers but does not let us in is Refused, not Away."""
    with pytest.raises(Refused, match="DB index"):
        await dial(Address(port=valkey.address.port, db=99))
