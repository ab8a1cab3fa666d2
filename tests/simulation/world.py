"""A whole installation in one seeded loop: production's engines, workers and gateways, over a simulated network.

Invariant: everything but the transports is the product itself: its Redis connection, its scripts (in fakeredis), its SQL
(in SQLite), its deciders, its SDK. A part that is killed is frozen for ever, between any two of its steps: nothing of
it is cleaned up, as after kill -9.
"""

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any

import msgspec
import samtale

from engine.core.snapshot import frozen
from engine.runtime.engine import Engine
from engine.runtime.surroundings import EngineSettings, Surroundings
from gateway import tickets
from gateway.credentials import Proofs
from gateway.hub import Hub, HubSettings
from gateway.ports import Ticket
from gateway.services import Outside
from protocol.bus.config import AccountConfig
from protocol.ids import CellName
from routing.core.roster import RosterDecider
from store.redis import scripts
from store.redis.address import Address
from store.redis.connection import Connection, greet
from store.redis.faults import Away
from store.redis.faults import Refused as RedisRefused
from store.redis.keys import cell_names
from store.sql import tables
from store.sql.database import Databases, DirectDatabase, StoreAway
from store.sql.queries import publications
from tests.simulation.listed import InMemory
from tests.simulation.loop import PART, SimulatedLoop
from tests.simulation.network import Network
from tests.simulation.phones import PEER, SUBPROTOCOL, Line, Phone
from tests.simulation.poison import Poisoned
from workers.worker import Worker, WorkerSettings

CELLS = 2
LEASE_S = 2.0
GATEWAY_LEASE_S = 3.0
DIAL_S = 5.0
_STORED = "SELECT commit_no FROM cell WHERE cell = ?"
SQL_LATENCY_S = (0.000_1, 0.003)
SQL_SLOWLY_S = (0.5, 8.0)


class Sql(DirectDatabase):
    """SQLite in memory, some way off, that can be away; an answer may get lost on its way back."""

    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__("sqlite://")
        self._loop = loop
        self._session = self.engine.connect()
        self.is_away = False
        self.stuck: asyncio.Event | None = None  # transactions wait until it is set
        self.lost_answers = self.slow = 0.0  # the share of transactions

    async def transact(self, query: Any) -> Any:
        await self._travel()
        if self.stuck is not None:
            await self.stuck.wait()
        done = self.run(query)
        await self._travel()
        if self._loop.chance.random() < self.lost_answers:
            raise StoreAway("the answer was lost")
        return done

    async def read(self, query: Any) -> Any:
        await self._travel()
        return self.run(query)

    def run(self, query: Any) -> Any:
        if self.is_away:
            raise StoreAway("stopped by the simulation")
        return self.look(query)

    def look(self, query: Any) -> Any:
        """Run `query` as somebody whom no fault concerns."""
        with self._session.begin():
            return query(self._session)

    async def _travel(self) -> None:
        slow = self.slow and self._loop.chance.random() < self.slow
        await asyncio.sleep(self._loop.chance.uniform(*(SQL_SLOWLY_S if slow else SQL_LATENCY_S)))


class Part:
    """One life of one process. `context`: what it runs in."""

    def __init__(self, name: str, task: asyncio.Task[None], inside: Any, context: Context) -> None:
        self.name, self.task, self.inside, self.context = name, task, inside, context


class World:
    """Engines, workers and gateways by name; `start`, then be cruel to it."""

    def __init__(self, loop: SimulatedLoop, configs: list[AccountConfig], log: Any, *, poisoned: bool = False) -> None:
        self.loop = loop
        self.network = Network(loop)
        self.network.server.names = {script.sha.encode(): script.name for script in scripts.ALL}
        self.cells = cell_names(CELLS)
        self.config, self.record = Sql(loop), Sql(loop)
        self.databases = Databases(self.config, self.record)
        self.parts: dict[str, Part] = {}
        self.erased = InMemory()
        self.line_cut = 0.0
        self.bugs: list[str] = []
        self._lives = 0
        self._dead: list[Part] = []  # kept, so that nothing of theirs is even collected
        self._log = log
        self._roster = Poisoned() if poisoned else RosterDecider()
        self._configs = configs
        loop.set_exception_handler(self._raised)

    def _raised(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback raised, or a task died unseen: a bug."""
        self._bug(context.get("exception") or RuntimeError(context["message"]))

    def _bug(self, error: BaseException) -> None:
        self.bugs.append("".join(traceback.format_exception(error)))

    def prepare(self) -> None:
        """Make the tables and publish the configurations, as a worker and `samtale apply` do."""
        for database, metadata in ((self.config, tables.CONFIG), (self.record, tables.RECORD)):
            database.look(metadata.create_all)
        self.publish(self._configs)

    def publish(self, configs: list[AccountConfig]) -> None:
        """Make `configs` the present ones, as `samtale apply` does."""
        self.config.look(lambda sql: publications.publish(sql, configs, self.loop.wall_ms()))
        self._configs = configs

    def publish_again(self) -> None:
        """Publish the next version of every account: the same people, hurrying more, or less."""
        hurry_s = self.loop.chance.randint(2, 8)
        self.publish([_hurried(config, hurry_s) for config in self._configs])

    def start(self, name: str) -> None:
        """Begin a new life of `name`: engine-…, worker-… or gateway-…"""
        self._lives += 1
        owner = f"{name}#{self._lives}"
        context = copy_context()
        context.run(PART.set, owner)
        make: dict[str, Callable[[str], tuple[Coroutine[Any, Any, None], Any]]] = {
            "engine": self._engine,
            "worker": self._worker,
            "gateway": self._gateway,
        }
        run, inside = make[name.split("-", maxsplit=1)[0]](owner)
        task = self.loop.create_task(run, context=context)
        task.add_done_callback(self._ended)
        self.parts[name] = Part(owner, task, inside, context)

    def kill(self, name: str) -> None:
        """kill -9."""
        part = self.parts.pop(name, None)
        if part is None:
            return
        self.loop.freeze(part.name)
        self.network.cut_off(part.name)
        if isinstance(part.inside, GatewayLife):
            part.inside.die()
        self._dead.append(part)

    def set_sql_away(self, away: bool) -> None:
        """Stop SQL, or start it again."""
        self.config.is_away = self.record.is_away = away

    # What clients need.

    async def connect(self, _url: str) -> samtale.Line:
        """Open a line to one of the gateways, as behind a load balancer."""
        return self._open(agent=False)

    async def connect_agent(self, _url: str) -> samtale.Line:
        """Open an agent's line."""
        return self._open(agent=True)

    async def login(self, _url: str, email: str, _password: str) -> samtale.Ticket:
        """Give an agent a ticket, as a gateway does that has checked the password."""
        config = next(config for config in self._configs for agent in config.agents if agent.email == email)
        agent = next(agent.id for agent in config.agents if agent.email == email)
        hub = self._some_gateway().inside.hub
        try:
            whom = Ticket(config.cell, config.account, agent)
            ticket = await tickets.issue(hub.cells, whom, self.loop.entropy)
        except (Away, RedisRefused) as away:
            raise samtale.LineLost(1006, str(away)) from None
        return samtale.Ticket(ticket, "sim://agent")

    def stored(self, cell: str) -> int:
        """Return the commit_no that SQL has of `cell`."""
        found = self.record.look(lambda sql: sql.exec_driver_sql(_STORED, (cell,)).scalar())
        return int(found or 0)

    async def dial_for_checker(self) -> Connection:
        """Return a connection for whoever looks at the end."""
        return await self._dial("checker")(None)

    # Inside.

    def _some_gateway(self) -> Part:
        gateways = [part for part in self.parts.values() if isinstance(part.inside, GatewayLife)]
        if not gateways:
            raise samtale.LineLost(1006, "no gateway")
        return self.loop.chance.choice(gateways)

    def _open(self, *, agent: bool) -> Phone:
        part = self._some_gateway()
        line = Line(self.loop, self.line_cut, self.network.outside, part.context)
        open_session = part.inside.hub.open_agent if agent else part.inside.hub.open_mobile
        line.attach(part.context.run(open_session, line, SUBPROTOCOL, PEER))
        part.inside.lines.append(line)
        return Phone(line)

    def _dial(self, owner: str) -> Callable[[CellName | None], Coroutine[Any, Any, Connection]]:
        async def dial(_cell: CellName | None) -> Connection:
            connection = Connection()
            try:
                self.network.connect(owner, connection)
            except ConnectionRefusedError as error:
                raise Away(str(error)) from None
            try:
                async with asyncio.timeout(DIAL_S):
                    await asyncio.sleep(0)
                    await greet(connection, Address())
            except TimeoutError:
                raise Away("no answer") from None
            return connection

        return dial

    def _engine(self, owner: str) -> tuple[Coroutine[Any, Any, None], Engine]:
        settings = EngineSettings(
            self.cells, lease_s=LEASE_S, tick_ms=200, sweep_s=1.0, late_s=0.5, visitor_idle_s=2.0, clock_jump_s=1e9
        )
        engine = Engine(
            Surroundings(
                settings=settings,
                dial=self._dial(owner),
                databases=self.databases,
                roster=self._roster,
                entropy=self.loop.entropy,
                now_ms=self.loop.wall_ms,
                boot_ms=self.loop.wall_ms,
                log=self._log,
            )
        )
        return engine.run(), engine

    def _worker(self, owner: str) -> tuple[Coroutine[Any, Any, None], Worker]:
        settings = WorkerSettings(self.cells, erasing=(frozen, self.erased))
        worker = Worker(settings, self._dial(owner), self.databases, self.loop.entropy, self.loop.wall_ms, self._log)
        return worker.run(), worker

    def _gateway(self, owner: str) -> tuple[Coroutine[Any, Any, None], "GatewayLife"]:
        outside = Outside(
            self.databases.record,
            Proofs(self.cells),
            self.loop.entropy,
            self.loop.wall_ms,
            self._log,
            self.databases.config,
        )
        life = GatewayLife(Hub(HubSettings(self.cells, GATEWAY_LEASE_S), self._dial(owner), outside))
        return life.hub.run(), life

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._bug(error)


class GatewayLife:
    """A gateway and the lines to it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.lines: list[Line] = []

    def die(self) -> None:
        """Every client loses its line."""
        for line in self.lines:
            line.cut()


def _hurried(config: AccountConfig, hurry_s: int) -> AccountConfig:
    rules = [msgspec.structs.replace(rule, lost_grace_s=hurry_s, offer_timeout_s=hurry_s) for rule in config.rules]
    return msgspec.structs.replace(config, version=config.version + 1, rules=rules)
