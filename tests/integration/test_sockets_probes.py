"""What a gateway says of itself over HTTP."""

import httpx2
import pytest
from websockets.asyncio.client import connect

from protocol.wire.limits import SUBPROTOCOL_MSGPACK
from tests.kit.echo import shell


async def test_a_living_gateway_says_so() -> None:
    """`/healthz` is 200 even when Redis is away."""
    async with shell() as gateway, httpx2.AsyncClient(base_url=f"http://{gateway.authority}", timeout=60) as http:
        gateway.sessions.ready = False
        assert (await http.get("/healthz")).json() == {"alive": True}


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
async def test_a_gateway_is_ready_when_its_sessions_are(ready: bool, status: int) -> None:
    """`/readyz` tells load balancers whether a hello would be served."""
    async with shell() as gateway, httpx2.AsyncClient(base_url=f"http://{gateway.authority}", timeout=60) as http:
        gateway.sessions.ready = ready
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (status, ready)


async def test_the_metrics_count_what_happened() -> None:
    """Prometheus' text has the open sockets, the frames and the handshakes by result."""
    async with shell() as gateway, httpx2.AsyncClient(base_url=f"http://{gateway.authority}", timeout=60) as http:
        async with connect(gateway.mobile, subprotocols=[SUBPROTOCOL_MSGPACK]) as client:
            await client.send(b"hello")
            await client.recv()
            lines = (await http.get("/metrics")).text.splitlines()
        assert "samtale_sockets_open 1.0" in lines
        assert "samtale_frames_received_total 1.0" in lines
        assert 'samtale_handshakes_total{result="101"} 1.0' in lines


async def test_metrics_are_not_for_those_behind_a_proxy() -> None:
    """What came from outside is answered as if there were none."""
    async with shell() as gateway, httpx2.AsyncClient(base_url=f"http://{gateway.authority}", timeout=60) as http:
        assert (await http.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})).status_code == 404


async def test_a_person_with_a_browser_learns_what_this_is() -> None:
    """The root names the product; other paths do not exist."""
    async with shell() as gateway, httpx2.AsyncClient(base_url=f"http://{gateway.authority}", timeout=60) as http:
        assert "Samtale" in (await http.get("/")).text
        assert (await http.get("/admin")).status_code == 404
