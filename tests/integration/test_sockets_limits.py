"""What one frame, and one unauthenticated socket, may cost."""

import asyncio
import gc
import socket

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.connection import Connection
from gateway.messages import SocketProtocol
from gateway.rules import SocketRules
from gateway.server import listen
from protocol.wire.limits import MAX_FRAME_BYTES, MAX_HELLO_BYTES, SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK
from tests.kit.echo import shell
from tests.kit.raw_socket import RawSocket

SOON = SocketRules(hello_timeout_s=0.5)  # long enough for a busy machine to say what is said at once


async def closed_with(client: ClientConnection) -> int | None:
    await client.wait_closed()
    return client.close_code


async def test_a_socket_without_hello_is_closed_in_time() -> None:
    """Nothing said within the deadline: 4408."""
    async with shell(SOON) as gateway, connect(gateway.mobile, subprotocols=[SUBPROTOCOL_JSON]) as client:
        assert await closed_with(client) == 4408
        await gateway.lost()


async def test_a_hello_that_is_never_answered_ends_the_socket() -> None:
    """A valid hello may wait while a cell changes hands, not for ever: 4408."""
    rules = SocketRules(hello_timeout_s=0.5, admission_timeout_s=0.1)
    async with shell(rules) as gateway, connect(gateway.mobile, subprotocols=[SUBPROTOCOL_MSGPACK]) as client:
        await client.send(b"wait")
        assert await client.recv() == b"wait"
        assert await closed_with(client) == 4408


async def test_frames_before_the_answer_do_not_add_up_beyond_the_bound() -> None:
    """8 KiB are for everything before `ready`: 4509."""
    async with shell() as gateway, connect(gateway.mobile, subprotocols=[SUBPROTOCOL_MSGPACK]) as client:
        for _ in range(2):
            await client.send(b"wait" + bytes(5_000))
        assert await closed_with(client) == 4509
        assert len(gateway.sessions.opened[0].heard) == 1


async def test_a_hello_in_pieces_does_not_stretch_the_deadline() -> None:
    """A client that sends a byte now and then is closed as one that sends none."""
    async with shell(SOON) as gateway:
        client = await RawSocket.open(gateway.authority)
        client.writer.write(b"\x82\xfe\x10\x00mask" + b"x")  # the first of 4,096 bytes
        assert await client.close_code() == 4408
        await client.close()


async def test_an_admitted_socket_outlives_the_hello_deadline() -> None:
    """The deadline is for the hello only."""
    async with shell(SocketRules(hello_timeout_s=0.5, heartbeat_s=1.0)) as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"hello")
        assert await client.frame() == (2, b"hello")
        assert await client.frame() == (9, b"")  # the heartbeat comes long after the deadline
        await client.close()


@pytest.mark.parametrize("head", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"GET /v1/mobile HTTP/1.1\r\nX: "])
async def test_a_connection_that_never_finishes_its_request_is_cut(head: bytes) -> None:
    """uvicorn alone would wait for ever."""
    async with shell(SOON) as gateway:
        client = await RawSocket.connect(gateway.authority)
        client.writer.write(head)
        assert await client.ended() == b""
        await client.close()


async def test_a_second_request_on_the_same_connection_has_a_deadline_too() -> None:
    """Each head has its own."""
    async with shell(SOON) as gateway:
        client = await RawSocket.connect(gateway.authority)
        client.writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await client.reader.readuntil(b"}")
        client.writer.write(b"GET /healthz HTTP/1.1\r\n")
        assert await client.ended() == b""
        await client.close()


async def test_the_kernel_drops_peers_that_acknowledge_nothing() -> None:
    """Accepted sockets inherit TCP_USER_TIMEOUT: a phone that vanished does not hold its line for a quarter of an hour."""
    with listen("127.0.0.1", 0, 10.0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000


async def test_an_endless_request_head_is_cut() -> None:
    """No more than 16 KiB of a head are taken, however fast they come."""
    async with shell() as gateway:
        client = await RawSocket.connect(gateway.authority)
        client.writer.write(b"GET / HTTP/1.1\r\n" + b"X-Filler: 0123456789\r\n" * 1_000)
        assert await client.ended() == b""
        await client.close()


async def test_a_hello_over_its_bound_is_too_large() -> None:
    """Before it is admitted a socket may send 8 KiB: 4509."""
    async with shell() as gateway, connect(gateway.mobile, subprotocols=[SUBPROTOCOL_MSGPACK]) as client:
        await client.send(bytes(MAX_HELLO_BYTES + 1))
        assert await closed_with(client) == 4509
        assert gateway.sessions.opened[0].heard == []


async def test_a_frame_at_the_bound_passes_and_one_byte_more_does_not() -> None:
    """After admission the bound is 64 KiB: 4509 beyond."""
    async with shell() as gateway, connect(gateway.mobile, subprotocols=[SUBPROTOCOL_MSGPACK]) as client:
        await client.send(b"hello")
        await client.recv()
        await client.send(bytes(MAX_FRAME_BYTES))
        assert len(await client.recv()) == MAX_FRAME_BYTES
        await client.send(bytes(MAX_FRAME_BYTES + 1))
        assert await closed_with(client) == 4509


async def test_fragments_are_one_message() -> None:
    """A message in pieces, a ping between them, reaches the session whole."""
    async with shell() as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"hel", fin=False)
        client.send(9, b"now")
        client.send(0, b"lo", fin=True)
        assert await client.frame() == (10, b"now")
        assert await client.frame() == (2, b"hello")
        await client.close()


async def test_fragments_do_not_add_up_beyond_the_bound() -> None:
    """The bound is the message's: 4509, whatever the pieces."""
    async with shell() as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, bytes(5_000), fin=False)
        client.send(0, bytes(5_000), fin=False)
        assert await client.close_code() == 4509
        await client.close()


@pytest.mark.parametrize("broken", [b"\xff\xfe", "håndtak".encode()[:2], b"\xed\xa0\x80"])
async def test_text_that_is_no_utf8_ends_the_socket(broken: bytes) -> None:
    """RFC 6455 asks for an end; 4500 says that it is the client's bug."""
    async with shell() as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(1, broken)
        assert await client.close_code() == 4500
        assert gateway.sessions.opened[0].heard == []
        await client.close()


@pytest.mark.parametrize(
    "garbage", [b"\x82\x05hello", b"\x83\x80mask", b"\xc2\x80mask", b"\x80\x80mask", b"\x09\x80mask"]
)
async def test_bytes_that_are_no_websocket_frame_end_the_socket(garbage: bytes) -> None:
    """Unmasked, reserved opcode, reserved bit, stray continuation, fragmented ping: 4500."""
    async with shell() as gateway:
        client = await RawSocket.open(gateway.authority)
        client.writer.write(garbage)
        assert await client.close_code() == 4500
        await client.close()


async def test_what_the_session_closes_with_reaches_the_client() -> None:
    """Code and reason are the session's; nothing more reaches it after that."""
    async with shell() as gateway, connect(gateway.mobile, subprotocols=[SUBPROTOCOL_MSGPACK]) as client:
        await client.send(b"leave")
        await client.send(b"too late")
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4504, "as asked")
        await gateway.lost()
        assert gateway.sessions.opened[0].heard == [b"leave"]


async def test_a_client_that_answers_no_close_frame_is_cut() -> None:
    """The closing has a deadline too."""
    async with shell(SocketRules(close_timeout_s=0.05)) as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"leave")
        assert await client.close_code() == 4504
        assert await client.ended() == b""
        await client.close()


async def test_a_client_that_goes_away_is_lost_once() -> None:
    """The session hears it, whether the client said goodbye or vanished."""
    async with shell() as gateway:
        async with connect(gateway.mobile, subprotocols=[SUBPROTOCOL_MSGPACK]):
            pass
        await gateway.lost(0)
        client = await RawSocket.open(gateway.authority)
        await client.close()
        await gateway.lost(1)
        assert gateway.sockets.counts.ends["peer"] == 2


async def test_a_bug_in_a_session_ends_that_socket_only() -> None:
    """Another socket of the same process goes on, and the bug is reported."""
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: reported.append(what["exception"]))
    async with shell() as gateway, connect(gateway.mobile, subprotocols=[SUBPROTOCOL_MSGPACK]) as other:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"break")
        await client.ended()
        await other.send(b"still here")
        assert await other.recv() == b"still here"
        assert [type(bug) for bug in reported] == [ArithmeticError]
        await client.close()


async def test_a_socket_that_is_gone_needs_no_garbage_collector() -> None:
    """Thousands that leave together leave nothing behind for it to look through."""
    async with shell() as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"hello")
        await client.frame()
        gc.collect()
        gc.disable()
        try:
            await client.close()
            await gateway.lost()
            gateway.sessions.opened.clear()
            async with asyncio.timeout(60):
                while any(isinstance(each, Connection | SocketProtocol) for each in gc.get_objects()):
                    await asyncio.sleep(0)  # the loop lets go of what is closed in a turn of its own
        finally:
            gc.enable()
