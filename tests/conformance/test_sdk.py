"""The Python SDK against a running server: two people talk while their lines are cut."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import samtale
from samtale import journal
from samtale.line import Line, network

pytestmark = pytest.mark.xdist_group("conformance")  # one server, and Node's libraries installed once

PATIENCE_S = 120.0


class Cutter:
    """A network whose lines a test may cut."""

    def __init__(self, subprotocol: str) -> None:
        self._connect = network(subprotocol)
        self._line: Line | None = None

    async def connect(self, url: str) -> Line:
        self._line = await self._connect(url)
        return self._line

    def cut(self) -> None:
        """End the line as a tunnel does: at once, with nothing said."""
        assert self._line is not None
        self._line._socket.transport.abort()  # type: ignore[attr-defined]


async def until(client: Any, fits: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        async for event in client.events():
            if fits(event):
                return event
    raise AssertionError("the events ended")


def says(text: str) -> Callable[[Any], bool]:
    return lambda e: isinstance(e, samtale.LogEvent) and isinstance(e.body, samtale.Message) and e.body.text == text


@pytest.mark.parametrize("subprotocol", [samtale.MSGPACK, samtale.JSON])
async def test_two_people_talk_though_their_lines_are_cut(
    server_url: str, app_key: str, subprotocol: str, tmp_path: Path
) -> None:
    """Consent, claim, messages both ways in mid-cut, close and reopen: each message once, in order, for both."""
    phone, desk, facts = Cutter(subprotocol), Cutter(subprotocol), []
    world = samtale.Surroundings(connect=phone.connect, subprotocol=subprotocol, journal=facts.append)
    visitor = samtale.VisitorClient(
        server_url, app_key=app_key, tag="support", store=samtale.FileStore(tmp_path / "phone"), surroundings=world
    )
    agent = samtale.AgentClient(
        server_url,
        email="kari@nordvik.example",
        password="kari-kari",
        surroundings=samtale.Surroundings(connect=desk.connect, subprotocol=subprotocol),
    )
    async with asyncio.timeout(2 * PATIENCE_S), visitor, agent:
        with pytest.raises(samtale.RefusedError, match="consent_required"):
            await visitor.send("too early")
        await visitor.answer_consent(True)
        await visitor.send("one")
        await agent.claim(visitor.conversation)
        agent.follow(visitor.conversation)
        await until(agent, says("one"))
        for number in range(10):
            visitor.send(f"v{number}")
            agent.send(visitor.conversation, f"a{number}")
            if number % 4 == 1:
                phone.cut()
            if number % 4 == 3:
                desk.cut()
        await agent.send(visitor.conversation, "last")
        last = await visitor.send("thanks")
        await until(visitor, says("thanks"))
        await until(agent, says("thanks"))
        await agent.close(visitor.conversation)
        await until(visitor, lambda e: isinstance(e, samtale.LogEvent) and isinstance(e.body, samtale.Closed))
        await visitor.send("one more thing")
        await until(visitor, lambda e: isinstance(e, samtale.LogEvent) and isinstance(e.body, samtale.Reopened))
        page = await visitor.history(visitor.conversation, before=last.seq + 1, limit=100)
        await visitor.close()
    said = [event.body for event in page.events if isinstance(event.body, samtale.Message)]
    assert [m.text for m in said if m.by.role == "visitor"] == ["one", *(f"v{n}" for n in range(10)), "thanks"]
    assert [m.text for m in said if m.by.role == "agent"] == [*(f"a{number}" for number in range(10)), "last"]
    seqs = [fact.seq for fact in facts if isinstance(fact, journal.Seen)]
    assert seqs == list(range(1, len(seqs) + 1))


async def test_a_phone_that_was_off_says_what_it_had_to_say(server_url: str, app_key: str, tmp_path: Path) -> None:
    """What was asked without a connection is delivered by the next life of the app, once."""

    async def nowhere(url: str) -> Line:
        raise samtale.LineLost(1006, "no signal")

    store = samtale.FileStore(tmp_path / "phone")
    offline = samtale.Surroundings(connect=nowhere)
    async with samtale.VisitorClient(
        server_url, app_key=app_key, tag="plain", store=store, surroundings=offline
    ) as app:
        app.send("from the tunnel")
    async with samtale.VisitorClient(server_url, app_key=app_key, tag="plain", store=store) as app:
        heard = await until(app, says("from the tunnel"))
        await app.close()
    assert heard.seq == 2
