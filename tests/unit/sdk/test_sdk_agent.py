"""An agent's client against a server played by the test."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import samtale
from samtale.login import over_http

from tests.unit.sdk.memory_line import Frame, MemoryLine, Network, agent_ready, message

OWN, INBOX = "agent:a:ag1", "inbox:a:in1"


@pytest.fixture
async def agent(network: Network) -> AsyncIterator[samtale.AgentClient]:
    async def login(url: str, email: str, password: str) -> samtale.Ticket:
        return samtale.Ticket(f"ticket-of-{email}-{len(network.urls)}", "ws://h:1/v1/agent")

    world = samtale.Surroundings(connect=network.connect, login=login, chance=lambda: 0.0)
    async with samtale.AgentClient("http://h:1", email="kari@x.no", password="p", surroundings=world) as entered:
        yield entered


async def opened(network: Network, **changes: Any) -> tuple[MemoryLine, Frame]:
    line = await network.line()
    hello = await line.hear("hello")
    line.say("ready", **agent_ready(**changes))
    return line, hello


async def until(agent: samtale.AgentClient, kind: type[samtale.Event]) -> Any:
    async with asyncio.timeout(60):
        async for event in agent.events():
            if isinstance(event, kind):
                return event
    raise AssertionError(f"no {kind.__name__}")


async def test_every_line_has_a_ticket_of_its_own(network: Network, agent: samtale.AgentClient) -> None:
    """A ticket lets in once, so each connection logs in."""
    line, first = await opened(network)
    line.cut()
    _, second = await opened(network)
    assert [first["ticket"], second["ticket"]] == ["ticket-of-kari@x.no-0", "ticket-of-kari@x.no-1"]
    assert first["device_key"] == second["device_key"]


async def test_a_feed_is_a_table_kept_current(network: Network, agent: samtale.AgentClient) -> None:
    """A snapshot replaces it, changes are applied, and an own conversation is followed at once."""
    line, _ = await opened(network)
    offer = {"offer": "o1", "conversation": "c1", "inbox": "in1", "deadline_ms": 5}
    line.say("feed_snapshot", feed=OWN, seq=4, id="1.4.0", rows=[{"key": "offer:o1", **offer}])
    await until(agent, samtale.FeedReset)
    assert agent.offers["o1"]["deadline_ms"] == 5
    row = {"conversation": "c1", "since_ms": 1}
    line.say("feed", feed=OWN, seq=5, id="1.5.0", what="withdrawn", key="offer:o1", row=None)
    line.say("feed", feed=OWN, seq=6, id="1.6.0", what="assigned", key="conversation:c1", row=row)
    resume = await line.hear("resume")
    assert resume["position"] == {"conversation": "c1", "seq": 0, "id": ""}
    assert (agent.offers, list(agent.conversations)) == ({}, ["c1"])


async def test_feeds_and_conversations_resume_where_they_were(network: Network, agent: samtale.AgentClient) -> None:
    """The next hello names the positions of both."""
    line, _ = await opened(network)
    row = {"key": "conversation:c1", "conversation": "c1", "since_ms": 1}
    line.say("feed_snapshot", feed=OWN, seq=4, id="1.4.0", rows=[row])
    await line.hear("resume")
    line.say("event", **message(1, "hei", role="visitor"))
    await until(agent, samtale.LogEvent)
    line.cut()
    _, hello = await opened(network)
    assert hello["feeds"] == [{"feed": OWN, "seq": 4, "id": "1.4.0"}]
    assert hello["positions"] == [{"conversation": "c1", "seq": 1, "id": "1.1.0"}]


async def test_a_gap_in_a_feed_brings_a_new_snapshot(network: Network, agent: samtale.AgentClient) -> None:
    """The client connects again without that feed's position."""
    line, _ = await opened(network)
    line.say("feed_snapshot", feed=OWN, seq=4, id="1.4.0", rows=[])
    line.say("feed_snapshot", feed=INBOX, seq=7, id="1.7.0", rows=[])
    line.say("feed", feed=OWN, seq=6, id="1.6.0", what="withdrawn", key="offer:o1")
    _, hello = await opened(network)
    assert hello["feeds"] == [{"feed": INBOX, "seq": 7, "id": "1.7.0"}]


async def test_frames_are_numbered_over_all_conversations(network: Network, agent: samtale.AgentClient) -> None:
    """One series per device, from the server's next_n."""
    line, _ = await opened(network, next_n=7)
    await until(agent, samtale.Connected)
    agent.claim("c1")
    agent.send("c2", "hei")
    agent.transfer("c1", "ag2", "please")
    frames = [await line.hear() for _ in range(3)]
    assert [(frame["t"], frame["n"]) for frame in frames] == [("claim", 7), ("send", 8), ("transfer", 9)]


async def _http_server(answer: bytes) -> tuple[asyncio.Server, str, list[bytes]]:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"}"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", asked


async def test_a_login_over_http_gives_a_ticket() -> None:
    """The socket's address is resolved against the login's own."""
    body = b'{"ticket":"t1","socket":"/v1/agent","agent":"ag1"}'
    server, url, asked = await _http_server(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)
    async with server:
        ticket = await over_http(url, "kari@x.no", "pass")
    assert ticket == samtale.Ticket("t1", url.replace("http", "ws") + "v1/agent")
    assert asked[0].startswith(b"POST /v1/agent/login HTTP/1.0")


@pytest.mark.parametrize(("status", "code"), [(400, 4501), (401, 4501), (403, 4501), (429, 4429), (503, 4003)])
async def test_a_refused_login_says_whether_to_come_back(status: int, code: int) -> None:
    """What was asked wrongly ends the client; too many attempts and an absent server do not."""
    server, url, _ = await _http_server(b'HTTP/1.1 %d No\r\n\r\n{"code":"x"}' % status)
    async with server:
        with pytest.raises(samtale.LineLost) as lost:
            await over_http(url, "kari@x.no", "wrong")
    assert lost.value.code == code


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1", b"HTTP/1.1 200 OK\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n\r\nhello", b"SSH-2.0"]
)
async def test_an_answer_that_is_none_is_tried_again(answer: bytes) -> None:
    """A proxy that is being restarted says all kinds of things; none of them ends the client."""
    server, url, _ = await _http_server(answer)
    async with server:
        with pytest.raises(samtale.LineLost) as lost:
            await over_http(url, "kari@x.no", "pass")
    assert samtale.backoff.comes_back(lost.value.code)


async def test_a_login_that_breaks_off_costs_no_wait_of_its_own() -> None:
    """A server that dies in the middle is a connection that ended, not one that asks for time."""
    server, url, _ = await _http_server(b"")
    async with server:
        with pytest.raises(samtale.LineLost) as lost:
            await over_http(url, "kari@x.no", "pass")
    assert samtale.backoff.delay_s(lost.value.code, 0, 0.0) == 0
