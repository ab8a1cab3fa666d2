"""One seed: people talk while parts die, freeze and lose each other, Redis forgets and SQL goes away; then the verdict.

Invariant: the same seed gives the same history, fact by fact; after the last fault everybody gets their outcome.
"""

import asyncio
import gc
import hashlib
import random
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import msgspec
from prometheus_client import REGISTRY

from admin.workspace import Means, apply
from loadtests.chaos import traffic, workspace
from loadtests.chaos.evidence import NotQuiet, gather, until_stored
from loadtests.chaos.journal import Notebook
from loadtests.checker.history import Acked, History, Leak, Refused, Resynced, Sent, Violation, Waited
from loadtests.checker.verdict import violations
from protocol.bus.config import AccountConfig
from store.sql import tables
from store.sql.database import DirectDatabase
from store.sql.queries import accounts
from tests.simulation.diary import Diary
from tests.simulation.erasures import DONE_S, Erasures
from tests.simulation.faults import PARTS, Faults
from tests.simulation.loop import SimulatedLoop, simulate
from tests.simulation.server import redis_clock
from tests.simulation.witness import Witness
from tests.simulation.world import CELLS, World

TEAMS = [
    workspace.Team("nord", 2, 1, 3, "explicit"),
    workspace.Team("trang", 1, 1, 2, "legitimate_interest"),
]
FAULTS_S = 4.0
SETTLE_S = 120.0
REOPEN_WINDOW_S = 2
GARBAGE_EVERY = 8  # seeds
POISONED = 0.2
"""The share of seeds in which some commands make the roster's decider raise."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one seed showed. `happened`: what the installation made of it. `fingerprint` is of the whole history."""

    seed: int
    violations: list[Violation]
    bugs: list[str]
    faults: Counter[str]
    happened: Counter[str]
    sends: int
    fingerprint: str

    @property
    def is_good(self) -> bool:
        return not self.violations and not self.bugs

    def __str__(self) -> str:
        wrong = [f"{v.rule} {v.where}: {v.why}" for v in self.violations] + [
            bug.strip().rpartition("\n")[2] for bug in self.bugs
        ]
        return f"seed {self.seed}: {'; '.join(wrong[:5])} -- again: python -m tests.simulation --seed {self.seed}"


@cache
def configs() -> list[AccountConfig]:
    """Return the accounts' configurations; made once, since hashing passwords is slow on purpose."""
    database = DirectDatabase("sqlite://")
    with database.engine.begin() as connection:
        tables.CONFIG.create_all(connection)
    apply(workspace.text(TEAMS), database, Means(CELLS, random.Random(0).randbytes, lambda: 0))
    with database.engine.begin() as connection:
        found = [accounts.config(connection, team.account) for team in TEAMS]  # type: ignore[arg-type]
    return [_short_lived(config) for config in found if config is not None]


def run(seed: int, tell: Callable[[str], None] | None = None) -> Verdict:
    """Simulate faults under `seed`, then calm, and judge; `tell` hears what happens, line by line."""
    configs()
    loop = SimulatedLoop(seed)
    if seed % GARBAGE_EVERY == 0:
        gc.collect()
    gc.disable()  # what lives as long as the seed is walked in vain: a fifth of the time
    try:
        with redis_clock(loop):
            return simulate(seed, _Run(loop, seed, tell).main(), loop)
    finally:
        gc.enable()


class _Run:
    def __init__(self, loop: SimulatedLoop, seed: int, tell: Callable[[str], None] | None) -> None:
        self._loop, self._seed = loop, seed
        self._diary = Diary(loop, tell)
        poisoned = loop.chance.random() < POISONED
        self._world = World(loop, configs(), self._diary.log, poisoned=poisoned)
        self._witness = Witness(self._world.stored)
        self._world.network.server.saw = self._witness.saw
        self._notebook = Notebook()
        ways = traffic.Ways(
            self._world.connect,
            self._world.connect_agent,
            self._world.login,
            loop.entropy,
            loop.time,
            lambda: loop.wall_ms() / 1000,
        )
        self._people = traffic.World(ways, loop.chance, self._notebook, pace_s=0.7)
        self._faults = Faults(self._world, loop.chance)
        self._erasures = Erasures(self._world, self._people, configs())
        self._counted = _counts()

    async def main(self) -> Verdict:
        world, people = self._world, self._people
        world.prepare()
        for part in PARTS:
            world.start(part)
        await asyncio.sleep(1.0)
        clients = [
            asyncio.ensure_future(role(people, team, number))
            for team in TEAMS
            for role, count in ((traffic.serve, team.agents), (traffic.visit, team.visitors))
            for number in range(1, count + 1)
        ]
        await asyncio.sleep(1.0)
        erasing = asyncio.ensure_future(self._erasures.run(FAULTS_S))
        await self._faults.run(FAULTS_S)
        await asyncio.sleep(1.0)
        people.stop.set()
        await erasing
        _, late = await asyncio.wait(clients, timeout=SETTLE_S)
        history = History(facts=list(self._notebook.facts), misserved=list(self._notebook.misserved))
        history.leaks += [
            Leak(traffic.CANARY, "what gateways sent to Redis") for _ in range(self._world.network.server.leaks)
        ]
        undone = await self._erasures.settle()
        history.remains += self._erasures.found
        await self._collect(history, late=bool(late))
        history.facts += [Waited(self._loop.time(), "eraser", "", "", person.erasure, DONE_S) for person in undone]
        failed = [client.exception() for client in clients if client.done() and client.exception()]
        broken = ["".join(traceback.format_exception(error)) for error in failed]
        self._faults.done["somebody erased"] = len(self._erasures.asked)
        return self._verdict(history, [*world.bugs, *self._diary.bugs, *broken])

    def _verdict(self, history: History, bugs: list[str]) -> Verdict:
        print_ = hashlib.sha256(repr((history.facts, history.entries)).encode()).hexdigest()
        sends = sum(isinstance(fact, Sent) for fact in history.facts)
        found = [*violations(history), *self._witness.found]
        return Verdict(self._seed, found, bugs, self._faults.done, self._happened(history), sends, print_)

    def _happened(self, history: History) -> Counter[str]:
        happened = _counts() - self._counted
        happened["resynced"] = sum(isinstance(fact, Resynced) for fact in history.facts)
        happened["acks lost with data"] = sum(
            isinstance(fact, Acked) and bool(fact.event) and history.went(fact) for fact in history.facts
        )
        happened["conversations of who logged in"] = sum(entry.kind == "merged" for entry in history.entries)
        happened["erased"] = sum(entry.kind == "erased" for entry in history.entries)
        happened["phones of the erased"] = len(self._people.gone)
        happened["resumed"], happened["lines lost"] = self._notebook.resumed, self._notebook.closed
        happened.update(f"refused {fact.code}" for fact in history.facts if isinstance(fact, Refused))
        return +happened

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
                if isinstance(fact, Sent) and fact.id not in done and fact.client not in self._people.gone
            ]


def _counts() -> Counter[str]:
    """Return what engines have counted so far in this process."""
    counted: Counter[str] = Counter()
    for metric in REGISTRY.collect():
        if metric.name.startswith("samtale_engine") and metric.type == "counter":
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    labels = [value for name, value in sample.labels.items() if name != "cell"]
                    counted[" ".join([metric.name.removeprefix("samtale_engine_"), *labels])] += int(sample.value)
    return counted


def _short_lived(config: AccountConfig) -> AccountConfig:
    """Return `config` with a reopen window that ends while a seed runs."""
    flows = [msgspec.structs.replace(flow, reopen_window_s=REOPEN_WINDOW_S) for flow in config.chatflows]
    return msgspec.structs.replace(config, chatflows=flows)
