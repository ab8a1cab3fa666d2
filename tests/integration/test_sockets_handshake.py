"""Who gets a socket, over real TCP."""

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.rules import SocketRules
from protocol.wire.limits import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK
from tests.kit.echo import ORIGIN, shell


@pytest.mark.parametrize(("name", "hello"), [(SUBPROTOCOL_MSGPACK, b"hello"), (SUBPROTOCOL_JSON, "hallå")])
async def test_a_message_comes_back_in_either_subprotocol(name: str, hello: bytes | str) -> None:
    """Msgpack goes as binary messages, JSON as text ones."""
    async with shell() as gateway, connect(gateway.mobile, subprotocols=[name]) as client:
        await client.send(hello)
        assert await client.recv() == hello
        assert gateway.sessions.opened[0].subprotocol == name


@pytest.mark.parametrize("offered", [None, ["mqtt"]])
async def test_a_client_that_speaks_no_subprotocol_of_ours_gets_no_socket(offered: list[str] | None) -> None:
    """Offering none, or only others, is refused with 400."""
    async with shell() as gateway:
        with pytest.raises(InvalidStatus) as refused:
            await connect(gateway.mobile, subprotocols=offered)
        assert refused.value.response.status_code == 400
        assert gateway.sessions.opened == []


async def test_our_preference_decides_between_both() -> None:
    """Who offers both gets msgpack."""
    offered = [SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK]
    async with shell() as gateway, connect(gateway.mobile, subprotocols=offered) as client:
        assert client.subprotocol == SUBPROTOCOL_MSGPACK


@pytest.mark.parametrize("path", ["/v1/other", "/v1/mobile?token=secret", "/"])
async def test_only_the_two_paths_without_a_query_are_sockets(path: str) -> None:
    """So no credential can be sent in a URL."""
    async with shell() as gateway:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{gateway.authority}{path}", subprotocols=[SUBPROTOCOL_JSON])
        assert refused.value.response.status_code == 404


async def test_compression_is_declined() -> None:
    """A client that offers permessage-deflate is served without it."""
    ours = {"subprotocols": [SUBPROTOCOL_JSON]}
    async with shell() as gateway, connect(gateway.mobile, compression="deflate", **ours) as client:
        assert client.protocol.extensions == []


@pytest.mark.parametrize("origin", ["https://evil.example", ORIGIN + ":8443", ORIGIN.upper(), "null", ""])
async def test_an_agent_socket_is_not_for_pages_of_other_origins(origin: str) -> None:
    """An origin that is not exactly on the list is refused with 403."""
    async with shell() as gateway:
        with pytest.raises(InvalidStatus) as refused:
            await connect(gateway.agent, subprotocols=[SUBPROTOCOL_JSON], additional_headers={"Origin": origin})
        assert refused.value.response.status_code == 403
        assert gateway.sessions.opened == []


@pytest.mark.parametrize("origin", [None, ORIGIN])
async def test_an_agent_socket_opens_for_an_allowed_origin_or_none(origin: str | None) -> None:
    """The list is for browsers, which always say where they come from."""
    async with shell() as gateway, connect(gateway.agent, subprotocols=[SUBPROTOCOL_JSON], origin=origin) as client:
        await client.send("hello")
        assert await client.recv() == "hello"


@pytest.mark.parametrize("origin", [None, "https://shop.example"])
async def test_a_mobile_session_is_told_the_origin(origin: str | None) -> None:
    """Which origins an app allows is known only at its hello."""
    async with shell() as gateway, connect(gateway.mobile, subprotocols=[SUBPROTOCOL_JSON], origin=origin):
        assert gateway.sessions.opened[0].peer.origin == origin
        assert gateway.sessions.opened[0].peer.address == "127.0.0.1"


async def test_too_many_handshakes_of_one_address_wait() -> None:
    """The third of two allowed is answered 429 with Retry-After."""
    async with shell(SocketRules(handshakes_per_minute=1, handshakes_burst=2)) as gateway:
        for _ in range(2):
            await (await connect(gateway.mobile, subprotocols=[SUBPROTOCOL_JSON])).close()
        with pytest.raises(InvalidStatus) as refused:
            await connect(gateway.mobile, subprotocols=[SUBPROTOCOL_JSON])
        assert refused.value.response.status_code == 429
        assert 0 < int(refused.value.response.headers["Retry-After"]) <= 60


async def test_a_full_gateway_sends_clients_elsewhere() -> None:
    """Beyond its bound of sockets it answers 503."""
    async with shell(SocketRules(max_connections=1)) as gateway:
        first = await connect(gateway.mobile, subprotocols=[SUBPROTOCOL_JSON])
        with pytest.raises(InvalidStatus) as refused:
            await connect(gateway.mobile, subprotocols=[SUBPROTOCOL_JSON])
        assert refused.value.response.status_code == 503
        await first.close()


@pytest.mark.parametrize(
    ("proxies", "counted"), [(frozenset({"127.0.0.1"}), "203.0.113.9"), (frozenset(), "127.0.0.1")]
)
async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(proxies: frozenset[str], counted: str) -> None:
    """Anybody may write X-Forwarded-For; the last hop that no trusted proxy is decides."""
    wanted = {"subprotocols": [SUBPROTOCOL_JSON], "additional_headers": {"X-Forwarded-For": "10.9.8.7, 203.0.113.9"}}
    async with shell(proxies=proxies) as gateway, connect(gateway.mobile, **wanted):
        assert gateway.sessions.opened[0].peer.address == counted
