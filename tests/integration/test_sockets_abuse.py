"""Peers that flood, never read or never answer: cut, and cheap until then."""

import asyncio
import contextlib
import time

import pytest

from gateway.rules import SocketRules
from tests.kit.echo import shell
from tests.kit.raw_socket import RawSocket, masked

SMALL_BUFFER = 4_096  # of the client's kernel, so that few bytes show what many would


async def test_a_flood_of_frames_is_cut() -> None:
    """Beyond its allowance a socket is closed with 4429."""
    async with shell(SocketRules(frames_per_minute=1, frames_burst=10)) as gateway:
        client = await RawSocket.open(gateway.authority)
        for _ in range(12):
            client.send(2, b"again")
        assert await client.close_code() == 4429
        assert len(gateway.sessions.opened[0].heard) == 10
        await client.close()


async def test_empty_fragments_count_as_frames() -> None:
    """A message of endless nothing is a flood too."""
    async with shell(SocketRules(frames_burst=10)) as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"", fin=False)
        client.writer.write(masked(0, b"", fin=False) * 20)
        assert await client.close_code() == 4429
        await client.close()


@pytest.mark.parametrize("opcode", [9, 10])
async def test_a_flood_of_pings_or_pongs_is_cut(opcode: int) -> None:
    """Control frames have an allowance of their own: 4429."""
    async with shell(SocketRules(pings_burst=5)) as gateway:
        client = await RawSocket.open(gateway.authority)
        client.writer.write(masked(opcode, b"x" * 125) * 1_000)
        assert await client.close_code() == 4429
        await client.close()


async def test_a_peer_that_floods_pings_and_never_reads_holds_no_memory() -> None:
    """Other servers grew by 270 MB in 12 s; here no more pongs are written than the allowance and one piece's worth."""
    async with shell(SocketRules(close_timeout_s=0.1)) as gateway:
        client = await RawSocket.open(gateway.authority, receive_buffer=SMALL_BUFFER)
        flood = masked(9, b"x" * 125) * 500
        while not client.writer.is_closing():
            client.writer.write(flood)
            with contextlib.suppress(ConnectionError):
                await client.writer.drain()
        await gateway.lost()
        assert gateway.sockets.counts.bytes_out < 16_384 + 4_096
        assert gateway.sockets.counts.ends["4429"] == 1


@pytest.mark.parametrize("queue", [{"queue_frames": 256}, {"queue_frames": 10**9}])
async def test_a_peer_that_never_reads_is_cut_when_its_queue_is_full(queue: dict[str, int]) -> None:
    """The queue is bounded in frames and in bytes, and what waited is dropped with it."""
    async with shell(SocketRules(close_timeout_s=0.1, **queue)) as gateway:
        client = await RawSocket.open(gateway.authority, receive_buffer=SMALL_BUFFER)
        client.send(2, b"flood")
        await gateway.lost()
        assert gateway.sockets.counts.ends["4001"] == 1
        await client.close()


async def test_a_peer_that_never_reads_is_cut_at_the_send_deadline() -> None:
    """Bytes that wait longer than the deadline end the socket, however few they are."""
    rules = SocketRules(
        send_deadline_s=0.1, watch_every_s=0.02, queue_frames=10**9, queue_bytes=10**9, abort_bytes=10**9
    )
    async with shell(rules) as gateway:
        client = await RawSocket.open(gateway.authority, receive_buffer=SMALL_BUFFER)
        client.send(2, b"flood")
        await gateway.lost()
        assert gateway.sockets.counts.ends["send_deadline"] == 1
        await client.close()


async def test_a_write_buffer_over_its_bound_twice_in_a_row_is_cut() -> None:
    """The watchdog does not wait for any deadline."""
    rules = SocketRules(watch_every_s=0.02, queue_frames=10**9, queue_bytes=10**9, high_water_bytes=10**9)
    async with shell(rules) as gateway:
        client = await RawSocket.open(gateway.authority, receive_buffer=SMALL_BUFFER)
        client.send(2, b"flood")
        await gateway.lost()
        assert gateway.sockets.counts.ends["write_buffer"] == 1
        await client.close()


async def test_a_reader_that_lags_and_catches_up_loses_nothing() -> None:
    """Lagging is no fault while every byte leaves in time."""
    async with shell(SocketRules(watch_every_s=0.01, high_water_bytes=1_024)) as gateway:
        client = await RawSocket.open(gateway.authority, receive_buffer=SMALL_BUFFER)
        client.send(2, b"hello")
        await client.frame()
        for number in range(40):
            client.send(2, b"%04d" % number + bytes(5_000))
        came = [(await client.frame())[1][:4] for _ in range(40)]
        assert came == [b"%04d" % number for number in range(40)]
        await client.close()


async def test_a_peer_that_answers_no_heartbeat_is_closed() -> None:
    """Two silent beats: 4004."""
    async with shell(SocketRules(heartbeat_s=0.1)) as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"hello")
        assert await client.close_code() == 4004
        await client.close()


async def test_a_peer_that_sends_half_a_frame_for_ever_is_closed() -> None:
    """Bytes are no sign of life, frames are."""
    async with shell(SocketRules(heartbeat_s=0.1)) as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"hello")
        client.writer.write(masked(2, bytes(1_000))[:-1])
        assert await client.close_code() == 4004
        await client.close()


async def test_a_peer_that_answers_heartbeats_stays() -> None:
    """An idle phone keeps its line."""
    async with shell(SocketRules(heartbeat_s=0.3)) as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"hello")
        await client.frame()
        for _ in range(5):
            assert await client.frame() == (9, b"")
            client.send(10, b"")
        await client.close()


async def test_a_gateway_that_was_held_up_asks_everybody_once() -> None:
    """However many beats it missed: who was not asked has not been silent."""
    async with shell(SocketRules(heartbeat_s=0.5)) as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"hello")
        await client.frame()
        time.sleep(2.0)  # the gateway is in this thread
        for _ in range(3):
            assert await client.frame() == (9, b"")
            client.send(10, b"")
        await client.close()


async def test_many_sockets_share_the_beats() -> None:
    """Sockets opened at different moments are asked at different moments, each once a heartbeat."""
    async with shell(SocketRules(heartbeat_s=1.0)) as gateway:
        clients = [await RawSocket.open(gateway.authority) for _ in range(5)]
        for client in clients:
            client.send(2, b"hello")
            await client.frame()
        assert await asyncio.gather(*(client.frame() for client in clients)) == [(9, b"")] * 5
        for client in clients:
            await client.close()
