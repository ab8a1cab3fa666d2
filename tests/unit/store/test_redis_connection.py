"""The connection's bytes, over a transport that only remembers."""

import asyncio
from collections.abc import Callable

import pytest

from store.redis import connection as connection_module
from store.redis.connection import Away, Busy, Connection, Refused


class Remembering(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_cut = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def abort(self) -> None:
        self.is_cut = True


def connected() -> tuple[Connection, Remembering]:
    line, transport = Connection(), Remembering()
    line.connection_made(transport)
    return line, transport


async def turn() -> None:
    """Let the loop turn once."""
    turned = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(turned.set_result, None)
    await turned


async def test_the_commands_of_one_turn_leave_in_one_write() -> None:
    """Three commands sent in one turn of the loop are one write, in order."""
    line, transport = connected()
    for name in ("A", "B", "C"):
        line.send(name)
    await turn()
    assert transport.writes == [b"*1\r\n$1\r\nA\r\n*1\r\n$1\r\nB\r\n*1\r\n$1\r\nC\r\n"]


async def test_a_full_transport_is_not_written_to_until_it_resumes() -> None:
    """While writing is paused nothing leaves; on resuming everything does, in one write."""
    line, transport = connected()
    line.send("A")
    line.pause_writing()
    line.send("B")
    await turn()
    assert transport.writes == []
    line.resume_writing()
    assert transport.writes == [b"*1\r\n$1\r\nA\r\n*1\r\n$1\r\nB\r\n"]


async def test_a_reply_in_pieces_is_one_reply() -> None:
    """Bytes may be cut anywhere."""
    line, _ = connected()
    answer = line.send("GET", "k")
    for byte in b"$5\r\na\r\nbc\r\n":
        line.data_received(bytes([byte]))
    assert await answer == b"a\r\nbc"


async def test_replies_of_every_kind() -> None:
    """Simple strings, bulks, integers, nil, nested arrays and errors inside of arrays are told apart."""
    line, _ = connected()
    answers = [line.send("X") for _ in range(5)]
    line.data_received(b"+OK\r\n:7\r\n$-1\r\n*-1\r\n*2\r\n*1\r\n:1\r\n-WRONGTYPE no\r\n")
    ok, seven, nil, no_array, nested = [await answer for answer in answers]
    assert (ok, seven, nil, no_array, nested[0], nested[1].code) == (b"OK", 7, None, None, [1], "WRONGTYPE")


async def test_an_error_fails_its_command_only() -> None:
    """`Refused` goes to the command it answers, with its code."""
    line, _ = connected()
    first, second = line.send("A"), line.send("B")
    line.data_received(b"-OOM command not allowed\r\n:1\r\n")
    with pytest.raises(Refused, match="OOM command not allowed") as caught:
        await first
    assert (caught.value.code, await second) == ("OOM", 1)


async def test_a_cancelled_command_keeps_its_place() -> None:
    """The reply to a command nobody waits for any more is not given to the next."""
    line, _ = connected()
    first, second = line.send("A"), line.send("B")
    first.cancel()
    line.data_received(b":1\r\n:2\r\n")
    assert await second == 2


@pytest.mark.parametrize(
    "lose",
    [
        lambda line: line.connection_lost(None),
        lambda line: line.connection_lost(OSError("cable")),
        lambda line: line.abort("enough"),
        lambda line: line.data_received(b"HTTP/1.1 400 Bad Request\r\n"),
    ],
    ids=["closed", "broken", "aborted", "not-redis"],
)
async def test_a_lost_line_answers_every_pending_command(lose: Callable[[Connection], None]) -> None:
    """Whatever ends the line, each command under way is Away, and so is each after it."""
    line, _ = connected()
    answers = [line.send("A"), line.send("B")]
    lose(line)
    for answer in answers:
        with pytest.raises(Away):
            await answer
    with pytest.raises(Away):
        line.send("C")
    assert await line.lost()


async def test_an_answer_nobody_asked_for_ends_the_line() -> None:
    """A line that lost step would give wrong answers, so it is cut."""
    line, transport = connected()
    line.data_received(b":1\r\n")
    assert (transport.is_cut, line.is_open) == (True, False)


async def test_an_answer_that_does_not_matter_leaves_the_line_in_step() -> None:
    """It may be a refusal; the next command still gets its own."""
    line, _ = connected()
    line.tell("A")
    answer = line.send("B")
    line.data_received(b"-ERR no\r\n+mine\r\n")
    assert await answer == b"mine"
    line.tell("C")
    line.abort()
    with pytest.raises(Away):
        line.tell("D")


async def test_several_answers_are_waited_for_together() -> None:
    """In the order they were sent; if one is a refusal it is raised, once all have come."""
    line, _ = connected()
    answers = [line.send("A"), line.send("B")]
    line.data_received(b"+1\r\n+2\r\n")
    assert await line.within_all(answers, 60.0) == [b"1", b"2"]
    answers = [line.send("A"), line.send("B"), line.send("C")]
    line.data_received(b"+1\r\n-ERR first\r\n-ERR second\r\n")
    with pytest.raises(Refused, match="first"):
        await line.within_all(answers, 60.0)
    assert await line.within_all([], 60.0) == []


async def test_too_many_pending_commands_are_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound a command is not sent at all."""
    monkeypatch.setattr(connection_module, "MAX_PENDING", 2)
    line, transport = connected()
    line.send("A")
    line.send("B")
    with pytest.raises(Busy):
        line.send("C")
    await turn()
    assert b"C" not in transport.writes[0]


async def test_too_many_unsent_bytes_are_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes nothing makes us refuse, not grow."""
    monkeypatch.setattr(connection_module, "MAX_UNSENT_BYTES", 100)
    line, _ = connected()
    line.pause_writing()
    line.send("SET", "k", b"x" * 200)
    with pytest.raises(Busy):
        line.send("SET", "k", "y")
    assert line.pending == 1


async def test_a_listening_line_hears_everything() -> None:
    """After `listen`, what arrives goes to the listener in order, errors included."""
    line, transport = connected()
    heard: list[object] = []
    line.listen(heard.append)
    line.post("SSUBSCRIBE", "x")
    await turn()
    line.data_received(b"*3\r\n$10\r\nssubscribe\r\n$1\r\nx\r\n:1\r\n-MOVED 1 a:1\r\n")
    assert heard[0] == [b"ssubscribe", b"x", 1]
    assert isinstance(heard[1], Refused)
    assert transport.writes == [b"*2\r\n$10\r\nSSUBSCRIBE\r\n$1\r\nx\r\n"]
