"""Visitors and agents of a chaos run: the SDK, as apps use it, with lines that are cut.

Invariant: nobody waits for a fault to be over: everybody goes on as people do, and whatever is asked is asked once.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import samtale
from samtale.line import Connect
from samtale.login import Login, over_http

from loadtests.chaos.acts import AMONG_COLLEAGUES, Visiting, act, tell_or_take_back
from loadtests.chaos.identity import user_of
from loadtests.chaos.journal import Notebook
from loadtests.chaos.wire import Tell, WatchedLine, Wire, redirected
from loadtests.chaos.workspace import BEHIND_ALIAS, PASSWORD, Team

CANARY = "never-stored-before-consent"
SERVER = "http://samtale.invalid"  # the ways know where to
_LINE_CUT = 0.03
_CLOSE = 0.02
_PATIENCE = 15  # messages that wait: nobody types more into an app that sends nothing, and 30 a minute may pass
_LOGS_IN = 0.1  # each time, until they have
_USERS = 2  # of an account: some are one user on several phones
_ERASED = 4504  # how a phone's line ends whose user was erased: it does not come back (SPEC 11)
_HASTY = 0.25  # the share who write before they have consented


@dataclass(frozen=True, slots=True)
class Ways:
    """How clients reach gateways, and where their ids and times come from.

    `hurry`: the share of the waits of SPEC 2.7 that they take between two attempts to connect.
    """

    visitors: Connect
    agents: Connect
    login: Login
    entropy: Callable[[int], bytes] = os.urandom
    clock: Callable[[], float] = time.monotonic
    now_s: Callable[[], float] = time.time  # since 1970, for tokens
    hurry: float = 1.0


def over_network(gateways: list[str], chance: random.Random) -> Ways:
    """Return the ways over real sockets, each time to one of the gateways, as behind a load balancer."""
    open_line = samtale.network()

    async def connect(url: str) -> samtale.Line:
        return await open_line(redirected(url, chance.choice(gateways)))

    async def login(url: str, email: str, password: str) -> samtale.Ticket:
        return await over_http(redirected(url, chance.choice(gateways)), email, password)

    return Ways(connect, connect, login, hurry=0.1)


@dataclass(slots=True)
class World:
    """What all clients share."""

    ways: Ways
    chance: random.Random
    notebook: Notebook
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    pace_s: float = 2.5
    refused: dict[str, int] = field(default_factory=dict)
    clients: dict[str, "samtale.VisitorClient | samtale.AgentClient"] = field(default_factory=dict)
    said: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # by visitors: as whom, and what
    gone: set[str] = field(default_factory=set)  # phones whose user was erased: nobody waits there any more

    def surroundings(self, client: str, account: str, lines: "Lines") -> samtale.Surroundings:
        """Return the surroundings of one client."""
        return samtale.Surroundings(
            connect=lines.connect, login=self.ways.login, chance=lambda: self.chance.random() * self.ways.hurry,
            entropy=self.ways.entropy,
            clock=self.ways.clock,
            journal=self.notebook.for_client(client, account),
        )  # fmt: skip

    def pause_s(self) -> float:
        """Return how long a person takes until the next thing."""
        return self.chance.expovariate(1 / self.pace_s)

    async def rest(self) -> bool:
        """Wait as a person does; False when the run is over."""
        try:
            async with asyncio.timeout(self.pause_s()):
                await self.stop.wait()
        except TimeoutError:
            return True
        return False


class Lines:
    """A client's present line, to be cut; `forbidden` words must never come over it."""

    def __init__(self, connect: Connect, tell: Tell, forbidden: Sequence[str] = ()) -> None:
        self._connect, self._tell, self._forbidden = connect, tell, forbidden
        self._line: samtale.Line | None = None

    async def connect(self, url: str) -> samtale.Line:
        """Open a line to one of the gateways."""
        self._line = WatchedLine(await self._connect(url), Wire(self._tell), self._forbidden)
        return self._line

    async def cut(self) -> None:
        """End the line as a tunnel does: in the middle of whatever is under way."""
        if self._line is not None:
            await self._line.close(1000)


async def visit(world: World, team: Team, number: int) -> None:
    """Be a visitor until the run stops, then wait until all outcomes are there; whoever is erased begins anew."""
    name, lives = f"{team.account}-visitor-{number}", 1
    while await _live(world, team, name if lives == 1 else f"{name}-{lives}"):
        lives += 1


async def _live(world: World, team: Team, name: str) -> bool:
    """Be a visitor with a phone that knows nothing yet; True if they were erased before the run stopped."""
    forbidden = [AMONG_COLLEAGUES, *([BEHIND_ALIAS] if team.is_aliased else [])]
    lines = Lines(world.ways.visitors, partial(world.notebook.broke, name), forbidden)
    client = samtale.VisitorClient(
        SERVER, app_key=team.app_key, tag="chat",
        surroundings=world.surroundings(name, team.account, lines),
    )  # fmt: skip
    world.clients[name] = client
    world.notebook.visitors.add(name)
    async with client:
        reading = asyncio.create_task(_read(world, client, Visiting(world.chance, client)))
        talking = asyncio.create_task(_talk(world, team, client, lines, name))
        try:
            await asyncio.wait({reading, talking}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and world.notebook.last_code.get(name) == _ERASED:
                world.gone.add(name)
                return not world.stop.is_set()
            await talking
        finally:
            reading.cancel()
            talking.cancel()
    return False


async def _talk(world: World, team: Team, client: samtale.VisitorClient, lines: Lines, name: str) -> None:
    if team.consent == "explicit":
        if world.chance.random() < _HASTY:
            client.send(f"{CANARY} {name}")
            await world.rest()
        client.answer_consent(True)
    count = 0
    while await world.rest():
        if len(client.asking.outbox.waiting()) >= _PATIENCE:
            continue
        count += 1
        text = f"{name} says {count}."
        world.said.setdefault(name, []).append((client.who, text))
        client.send(text)
        if world.chance.random() < _LINE_CUT:
            await lines.cut()
        if world.chance.random() < _CLOSE:
            client.close()
        tell_or_take_back(world.chance, client, team, count)
        may_log_in = not client.permission.is_identified and not _is_hasty_yet(client)
        if may_log_in and world.chance.random() < _LOGS_IN:
            subject = f"user-{world.chance.randrange(_USERS)}"
            client.log_in(user_of(team.account, team.app_key, subject, world.ways.now_s))
    await _settle(client)


def _is_hasty_yet(client: samtale.VisitorClient) -> bool:
    """Whether what was said before consent still waits: of a user who consented elsewhere it would be taken."""
    return any(CANARY in item.fields.get("text", "") for item in client.asking.outbox.waiting())


async def serve(world: World, team: Team, number: int) -> samtale.AgentClient:
    """Be an agent until the run stops, then wait until all outcomes are there."""
    name = f"{team.account}-agent-{number}"
    lines = Lines(world.ways.agents, partial(world.notebook.broke, name))
    client = samtale.AgentClient(
        SERVER, email=team.email(number), password=PASSWORD,
        surroundings=world.surroundings(name, team.account, lines),
    )  # fmt: skip
    world.clients[name] = client
    others = [f"agent{other}" for other in range(1, team.agents + 1) if other != number]
    async with client:
        reading = asyncio.create_task(_read(world, client))
        count, answered = 0, set[str]()
        while await world.rest():
            for offer in sorted(set(client.offers) - answered):
                answered.add(offer)
                (client.decline if world.chance.random() < 0.1 else client.accept)(offer)
            for conversation in list(client.conversations):
                count += 1
                act(world.chance, client, conversation, others, f"{name} answers {count}.")
            if world.chance.random() < _LINE_CUT:
                await lines.cut()
        await _settle(client)
        reading.cancel()
    return client


async def _read(
    world: World, client: samtale.VisitorClient | samtale.AgentClient, visiting: "Visiting | None" = None
) -> None:
    async for event in client.events():
        if isinstance(event, samtale.Refused):
            world.refused[event.code] = world.refused.get(event.code, 0) + 1
        elif visiting is not None and isinstance(event, samtale.LogEvent):
            visiting.saw(event)


async def _settle(client: samtale.VisitorClient | samtale.AgentClient) -> None:
    while client.asking.outbox.waiting():
        await asyncio.sleep(0.05)
