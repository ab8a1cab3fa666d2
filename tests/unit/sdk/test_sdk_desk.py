"""What an agent does at the desk goes on the line as the vectors show it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import samtale

import protocol
from tests.unit.sdk.memory_line import MemoryLine, Network, agent_ready

Do = Callable[[samtale.AgentClient], object]
FRAMES = Path(protocol.__file__).parent / "vectors" / "frames.json"
VECTORS = {v["name"]: v["json"] for v in json.loads(FRAMES.read_text(encoding="utf-8"))["vectors"]}
C = "cnv_1"
YES, NO = samtale.Option("yes", "Ja, takk"), samtale.Option("no", "Nei", "n")
GOLD, BLUE = (samtale.Button(name, "Velg") for name in ("gold", "blue"))
FIELDS = [
    samtale.FormField("name", "Navn", required=True),
    samtale.FormField("count", "Antall", "number"),
    samtale.FormField(
        "size", "Størrelse", "choice", options=[samtale.Option("s", "Liten"), samtale.Option("l", "Stor")]
    ),
]
CARD = samtale.Card("Gullkort", "Uten årsgebyr", "https://example.com/gull.png", [GOLD])
CARDS = [samtale.Card("Gullkort", buttons=[GOLD]), samtale.Card("Blåkort", buttons=[BLUE])]
LINKS = [samtale.Button("call", "Ring meg"), samtale.Button("map", "Kart", "https://example.com/kart")]
ARTICLE = samtale.ArticleLink("Sperre kort", "https://example.com/hjelp/sperre", "Slik gjør du …")

DEEDS: dict[str, Do] = {
    "send, a ready reply": lambda agent: agent.send(C, canned="greeting"),
    "send, quick replies": lambda agent: agent.send(C, content=samtale.QuickReplies([YES, NO])),
    "send, buttons": lambda agent: agent.send(C, content=samtale.Buttons(LINKS)),
    "send, a card": lambda agent: agent.send(C, content=CARD),
    "send, a carousel": lambda agent: agent.send(C, content=samtale.Carousel(CARDS)),
    "send, a form": lambda agent: agent.send(C, content=samtale.Form("Om deg", FIELDS)),
    "send, an article": lambda agent: agent.send(C, content=ARTICLE),
    "close": lambda agent: agent.close(C),
    "close as spam": lambda agent: agent.close(C, spam=True),
    "close with the ticket": lambda agent: agent.close(C, close_ticket=True),
    "set_state": lambda agent: agent.set_state("away"),
    "set_state of another": lambda agent: agent.set_state("offline", agent="agt_ola"),
    "claim": lambda agent: agent.claim(C),
    "claim by force": lambda agent: agent.claim(C, force=True),
    "transfer": lambda agent: agent.transfer(C, "agt_ola", "Kan du ta denne?"),
    "transfer to a team": lambda agent: agent.transfer(C, team="tea_cards", note="Kort"),
    "note": lambda agent: agent.note(C, "@Ola: ser du på denne?", mentions=["agt_ola"]),
    "whisper": lambda agent: agent.whisper(C, "Tilby gebyret tilbake."),
    "tag": lambda agent: agent.tag(C, ["kort", "haster"], ["ny"]),
    "set_fields": lambda agent: agent.set_fields(C, {"case": "4711", "branch": ""}),
    "set_priority": lambda agent: agent.set_priority(C, "urgent"),
    "snooze": lambda agent: agent.snooze(C, 1767229200000),
    "snooze, awake": lambda agent: agent.wake(C),
    "redact": lambda agent: agent.redact(C, 4),
    "block": lambda agent: agent.block(C),
    "block no more": lambda agent: agent.block(C, on=False),
    "set_ticket": lambda agent: agent.set_ticket(C, "closed"),
}


@pytest.fixture
async def desk(network: Network) -> AsyncIterator[tuple[samtale.AgentClient, MemoryLine]]:
    async def login(url: str, email: str, password: str) -> samtale.Ticket:
        return samtale.Ticket("ticket", "ws://h:1/v1/agent")

    world = samtale.Surroundings(connect=network.connect, login=login)
    async with samtale.AgentClient("http://h:1", email="kari@x.no", password="p", surroundings=world) as agent:
        line = await network.line()
        await line.hear("hello")
        line.say("ready", **agent_ready(teams=[{"id": "t", "name": "T", "members": []}], supervisor=True))
        yield agent, line


def shown(frame: dict[str, Any]) -> dict[str, Any]:
    """Return what a frame says, leaving out what it says by default, and which number it has."""
    said = {name: value for name, value in frame.items() if name not in ("n", "id")}
    return {name: bare(value) for name, value in said.items() if value not in ("", [], None)}


def bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: bare(each) for name, each in value.items() if each not in ("", [], False) or name == "branch"}
    return [bare(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", DEEDS)
async def test_each_deed_has_its_frame(name: str, desk: tuple[samtale.AgentClient, MemoryLine]) -> None:
    """The client says what the vector of that name says, in its series."""
    agent, line = desk
    DEEDS[name](agent)
    said = await line.hear()
    assert shown(said) == shown(VECTORS[name])
    assert said["n"] == 1


async def test_who_would_be_next_is_answered(desk: tuple[samtale.AgentClient, MemoryLine]) -> None:
    """With the candidates and the counts; nothing is numbered by it."""
    agent, line = desk
    await connected(agent)
    asking = asyncio.create_task(agent.who_next("rul_1"))
    asked = await line.hear("who_next")
    line.say("who_next", ref=asked["ref"], rule="rul_1", agent=None, candidates=[{"agent": "a", "reason": "away"}],
             counts={"away": 1})  # fmt: skip
    assert await asking == samtale.NextAgent("rul_1", None, [samtale.Candidate("a", "away")], {"away": 1})


async def test_the_desk_knows_its_teams(desk: tuple[samtale.AgentClient, MemoryLine]) -> None:
    """Connected has teams, ready replies, and whether this is a supervisor."""
    agent, _ = desk
    event = await connected(agent)
    assert (event.teams, event.canned, event.supervisor) == ([samtale.Team("t", "T", [])], [], True)


async def test_what_is_known_of_a_visitor_comes_typed(desk: tuple[samtale.AgentClient, MemoryLine]) -> None:
    """Context and looking are events."""
    agent, line = desk
    for name in ("context", "looking"):
        line.say(**{("kind" if key == "t" else key): value for key, value in VECTORS[name].items()})
    async with asyncio.timeout(60):
        heard = [event async for event in first(agent, 3)]
    assert isinstance(heard[1], samtale.Context)
    assert (heard[1].name, heard[1].breadcrumbs[0].text) == ("Mia", "Trykket Sperr kort")
    assert heard[2] == samtale.Looking("cnv_1", "agt_ola", "Ola", True)


async def first(agent: samtale.AgentClient, count: int) -> AsyncIterator[samtale.Event]:
    async for event in agent.events():
        yield event
        count -= 1
        if not count:
            return


async def connected(agent: samtale.AgentClient) -> samtale.Connected:
    async with asyncio.timeout(60):
        (event,) = [event async for event in first(agent, 1)]
    assert isinstance(event, samtale.Connected)
    return event
