"""Going away: clients are told when to come again elsewhere, and then closed."""

import asyncio

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.drain import drain
from gateway.rules import SocketRules
from protocol.wire.limits import SUBPROTOCOL_MSGPACK
from tests.kit.echo import Shell, shell
from tests.kit.raw_socket import RawSocket


async def told(gateway: Shell) -> tuple[int, int]:
    """Return what a client hears while the gateway drains: after how long to come again, and the close code."""
    async with connect(gateway.mobile, subprotocols=[SUBPROTOCOL_MSGPACK]) as client:
        await client.send(b"hello")
        await client.recv()
        after_ms = int(str(await client.recv(), "ascii").removeprefix("reconnect "))
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        return after_ms, closed.value.rcvd.code


async def admitted(gateway: Shell, number: int) -> None:
    async with asyncio.timeout(60):
        while sum(session.admitted for session in gateway.sessions.opened) < number:
            await asyncio.sleep(0)


async def test_clients_are_spread_over_the_while() -> None:
    """Ten clients are told ten different times within it, and each is closed with 4000."""
    async with shell() as gateway, asyncio.TaskGroup() as clients:
        heard = [clients.create_task(told(gateway)) for _ in range(10)]
        await admitted(gateway, 10)
        await drain(gateway.sockets, 0.4)
        answers = [await task for task in heard]
        assert sorted(after_ms for after_ms, _ in answers) == [step * 20 for step in range(10)]
        assert {code for _, code in answers} == {4000}
        assert gateway.sockets.open == set()


async def test_a_draining_gateway_takes_no_more_sockets_and_is_not_ready() -> None:
    """New handshakes and the readiness probe are answered 503."""
    async with shell() as gateway, asyncio.TaskGroup() as tasks, httpx2.AsyncClient(timeout=60) as http:
        tasks.create_task(told(gateway))
        await admitted(gateway, 1)
        draining = tasks.create_task(drain(gateway.sockets, 0.5))
        await asyncio.sleep(0)
        with pytest.raises(InvalidStatus) as refused:
            await connect(gateway.mobile, subprotocols=[SUBPROTOCOL_MSGPACK])
        assert refused.value.response.status_code == 503
        assert (await http.get(f"http://{gateway.authority}/readyz")).status_code == 503
        await draining


async def test_nobody_to_send_away_takes_no_time() -> None:
    """Draining an empty gateway returns at once."""
    async with shell(SocketRules(close_timeout_s=3_600)) as gateway, asyncio.timeout(60):
        await drain(gateway.sockets, 3_600)


async def test_a_client_that_will_not_go_is_cut() -> None:
    """Whoever answers no close frame is gone after the closing time."""
    async with shell(SocketRules(close_timeout_s=0.1)) as gateway:
        client = await RawSocket.open(gateway.authority)
        client.send(2, b"hello")
        await client.frame()
        await drain(gateway.sockets, 0.02)
        await client.ended()
        await client.close()
        await gateway.lost()
