"""One seed: people talk while parts die, lines break, Redis restarts and SQL goes away; then the verdict.

Invariant: the same seed gives the same history, fact by fact; after the last fault everybody gets their outcome.
"""

import asyncio
import hashlib
import random
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.workspace import Means, apply
from loadtests.chaos import traffic, workspace
from loadtests.chaos.evidence import NotQuiet, gather, until_stored
from loadtests.chaos.journal import Notebook
from loadtests.checker.history import Acked, History, Refused, Sent, Violation, Waited
from loadtests.checker.verdict import violations
from protocol.bus.config import AccountConfig
from store.sql import tables
from store.sql.database import DirectDatabase
from store.sql.queries import accounts
from tests.simulation.loop import SimulatedLoop, simulate
from tests.simulation.network import Weather, redis_clock
from tests.simulation.world import CELLS, World

TEAMS = [
    workspace.Team("nord", 2, 1, 3, "explicit"),
    workspace.Team("trang", 1, 1, 2, "legitimate_interest"),
]
PARTS = ("engine-1", "engine-2", "worker-1", "worker-2", "gateway-1", "gateway-2")
SETTLE_S = 120.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one seed showed. `fingerprint` is of the whole history."""

    seed: int
    violations: list[Violation]
    bugs: list[str]
    faults: Counter[str]
    sends: int
    steps: int
    fingerprint: str

    @property
    def is_good(self) -> bool:
        return not self.violations and not self.bugs


@cache
def configs() -> list[AccountConfig]:
    """Return the accounts' configurations; made once, since hashing passwords is slow on purpose."""
    database = DirectDatabase("sqlite://")
    with database.engine.begin() as connection:
        tables.CONFIG.create_all(connection)
    apply(workspace.text(TEAMS), database, Means(CELLS, random.Random(0).randbytes, lambda: 0))
    with database.engine.begin() as connection:
        return [found for team in TEAMS if (found := accounts.config(connection, team.account)) is not None]  # type: ignore[arg-type]


def run(seed: int, seconds: float = 8.0) -> Verdict:
    """Simulate `seconds` of faults under `seed`, then calm, and judge."""
    loop = SimulatedLoop(seed)
    with redis_clock(loop):
        return simulate(seed, _Run(loop, seed, seconds).main(), loop)


class _Run:
    def __init__(self, loop: SimulatedLoop, seed: int, seconds: float) -> None:
        self._loop, self._seed, self._seconds = loop, seed, seconds
        self._world = World(loop, configs())
        self._notebook = Notebook()
        ways = traffic.Ways(self._world.connect, self._world.connect_agent, self._world.login, loop.entropy, loop.time)
        self._people = traffic.World(ways, loop.chance, self._notebook, pace_s=1.0)
        self._faults: Counter[str] = Counter()
        self._remembered: Any = None

    async def main(self) -> Verdict:
        world, people = self._world, self._people
        world.prepare()
        for part in PARTS:
            world.start(part)
        await asyncio.sleep(2.0)
        clients = [
            asyncio.ensure_future(role(people, team, number))
            for team in TEAMS
            for role, count in ((traffic.serve, team.agents), (traffic.visit, team.visitors))
            for number in range(1, count + 1)
        ]
        await asyncio.sleep(1.0)
        await self._be_cruel()
        await asyncio.sleep(3.0)
        people.stop.set()
        _, late = await asyncio.wait(clients, timeout=SETTLE_S)
        history = History(facts=list(self._notebook.facts))
        await self._collect(history, late=bool(late))
        broken = [f"{type(c.exception()).__name__}: {c.exception()}" for c in clients if c.done() and c.exception()]
        bugs = [f"{type(bug).__name__}: {bug}" for bug in world.bugs] + broken
        print_ = hashlib.sha256(repr((history.facts, history.entries)).encode()).hexdigest()
        sends = sum(isinstance(fact, Sent) for fact in history.facts)
        return Verdict(self._seed, violations(history), bugs, self._faults, sends, self._loop.steps, print_)

    async def _be_cruel(self) -> None:
        end = self._loop.time() + self._seconds
        chance = self._loop.chance
        self._world.network.weather = Weather(cut=chance.choice([0, 0.001, 0.005]), stall=chance.choice([0, 0.002]))
        self._world.line_cut = chance.choice([0, 0.005, 0.02])
        faults = [self._kill, self._kill, self._isolate, self._restart_redis, self._lose_data, self._stop_sql]
        async with asyncio.TaskGroup() as tasks:
            while self._loop.time() < end:
                self._remember()
                await asyncio.sleep(chance.uniform(0.1, 1.0))
                tasks.create_task(chance.choice(faults)())
        self._world.network.weather = Weather()
        self._world.line_cut = 0.0

    async def _kill(self) -> None:
        name = self._loop.chance.choice(PARTS)
        self._count("kill " + name.split("-")[0])
        self._world.kill(name)
        await asyncio.sleep(self._loop.chance.uniform(0.05, 3.0))
        if name not in self._world.parts:
            self._world.start(name)

    async def _isolate(self) -> None:
        """The network between one part and Redis goes away for longer than any lease; the part goes on unaware."""
        name = self._loop.chance.choice(PARTS)
        self._count("isolate " + name.split("-")[0])
        self._world.stop_lines(name)
        await asyncio.sleep(self._loop.chance.uniform(0.5, 4.5))
        self._world.restore_lines(name)

    async def _restart_redis(self) -> None:
        self._count("restart Redis")
        self._world.network.restart()

    async def _lose_data(self) -> None:
        if self._remembered is not None:
            self._count("Redis loses data")
            self._world.network.restart(self._remembered)
            self._remembered = None

    async def _stop_sql(self) -> None:
        self._count("stop SQL")
        self._world.set_sql_away(True)
        await asyncio.sleep(self._loop.chance.uniform(0.5, 3.0))
        self._world.set_sql_away(False)

    def _remember(self) -> None:
        if self._loop.chance.random() < 0.3:
            self._remembered = self._world.network.remember()

    def _count(self, fault: str) -> None:
        self._faults[fault] += 1

    async def _collect(self, history: History, *, late: bool) -> None:
        connection = await self._world.dial_for_checker()
        try:
            await until_stored(self._world.databases, connection, CELLS)
            await gather(self._world.databases, connection, history)
        except NotQuiet as fault:
            history.facts.append(Waited(self._loop.time(), "scribe", "", str(fault), "SQL", SETTLE_S))
        if late:
            done = {fact.id for fact in history.facts if isinstance(fact, Acked | Refused)}
            history.facts += [
                Waited(fact.t, fact.client, fact.account, fact.conversation, fact.id, SETTLE_S)
                for fact in history.facts
                if isinstance(fact, Sent) and fact.id not in done
            ]
