"""A whole installation in one seeded loop: production's engines, workers and gateways, over a simulated network.

Invariant: everything but the transports is the product itself: its Redis connection, its scripts (in fakeredis), its SQL
(in SQLite), its deciders, its SDK. A part is killed by cutting its lines first, so that nothing it does while it dies
is seen by anybody.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import samtale
import structlog

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
from store.redis.address import Address
from store.redis.connection import Connection, greet
from store.redis.faults import Away
from store.redis.keys import cell_names
from store.sql import tables
from store.sql.database import Databases, DirectDatabase, StoreAway
from store.sql.queries import publications
from tests.simulation.loop import SimulatedLoop
from tests.simulation.network import Network
from tests.simulation.phones import PEER, SUBPROTOCOL, Line, Phone
from workers.worker import Worker, WorkerSettings

CELLS = 2
LEASE_S = 2.0
GATEWAY_LEASE_S = 3.0
DIAL_S = 5.0


class Sql(DirectDatabase):
    """SQLite in memory that can be away."""

    def __init__(self) -> None:
        super().__init__("sqlite://")
        self.is_away = False

    def run(self, query: Any) -> Any:
        if self.is_away:
            raise StoreAway("stopped by the simulation")
        return super().run(query)


class Part:
    """One life of one process."""

    def __init__(self, name: str, task: asyncio.Task[None], inside: Any) -> None:
        self.name, self.task, self.inside = name, task, inside


class World:
    """Engines, workers and gateways by name; `start`, then be cruel to it."""

    def __init__(self, loop: SimulatedLoop, configs: list[AccountConfig]) -> None:
        self.loop = loop
        self.network = Network(loop)
        self.cells = cell_names(CELLS)
        self.databases = Databases(Sql(), Sql())
        self.parts: dict[str, Part] = {}
        self.line_cut = 0.0
        self.bugs: list[BaseException] = []
        self._lives = 0
        self._log = structlog.get_logger()
        self._configs = configs
        loop.set_exception_handler(self._raised)

    def _raised(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback raised, or a task died unseen: a bug."""
        self.bugs.append(context.get("exception") or RuntimeError(context["message"]))

    def prepare(self) -> None:
        """Make the tables and publish the configurations, as a worker and `samtale apply` do."""
        for database, metadata in ((self.databases.config, tables.CONFIG), (self.databases.record, tables.RECORD)):
            assert isinstance(database, Sql)
            with database.engine.begin() as connection:
                metadata.create_all(connection)
        config = self.databases.config
        assert isinstance(config, Sql)
        config.run(lambda sql: publications.publish(sql, self._configs, self.loop.wall_ms()))

    def start(self, name: str) -> None:
        """Begin a new life of `name`: engine-…, worker-… or gateway-…"""
        self._lives += 1
        owner = f"{name}#{self._lives}"
        make: dict[str, Callable[[str], tuple[Coroutine[Any, Any, None], Any]]] = {
            "engine": self._engine,
            "worker": self._worker,
            "gateway": self._gateway,
        }
        run, inside = make[name.split("-", maxsplit=1)[0]](owner)
        task = asyncio.ensure_future(run)
        task.add_done_callback(self._ended)
        self.parts[name] = Part(owner, task, inside)

    def kill(self, name: str) -> None:
        """kill -9."""
        part = self.parts.pop(name, None)
        if part is None:
            return
        self.network.cut_off(part.name)
        if isinstance(part.inside, GatewayLife):
            part.inside.die()
        part.task.cancel()

    def stop_lines(self, name: str) -> None:
        """Cut a part off from Redis, alive: a network that went away."""
        if name in self.parts:
            self.network.cut_off(self.parts[name].name)

    def restore_lines(self, name: str) -> None:
        """Let it back."""
        if name in self.parts:
            self.network.reconnect(self.parts[name].name)

    def set_sql_away(self, away: bool) -> None:
        """Stop SQL, or start it again."""
        for database in (self.databases.config, self.databases.record):
            assert isinstance(database, Sql)
            database.is_away = away

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
        life = self._some_gateway()
        try:
            whom = Ticket(config.cell, config.account, agent)
            ticket = await tickets.issue(life.hub.cells, whom, self.loop.entropy)
        except Away as away:
            raise samtale.LineLost(1006, str(away)) from None
        return samtale.Ticket(ticket, "sim://agent")

    async def dial_for_checker(self) -> Connection:
        """Return a connection for whoever looks at the end."""
        return await self._dial("checker")(None)

    # Inside.

    def _some_gateway(self) -> "GatewayLife":
        lives = [part.inside for part in self.parts.values() if isinstance(part.inside, GatewayLife)]
        if not lives:
            raise samtale.LineLost(1006, "no gateway")
        life: GatewayLife = self.loop.chance.choice(lives)
        return life

    def _open(self, *, agent: bool) -> Phone:
        life = self._some_gateway()
        line = Line(self.loop, self.line_cut)
        open_session = life.hub.open_agent if agent else life.hub.open_mobile
        line.attach(open_session(line, SUBPROTOCOL, PEER))
        life.lines.append(line)
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
        settings = EngineSettings(self.cells, lease_s=LEASE_S, sweep_s=3.0, clock_jump_s=1e9)
        engine = Engine(
            Surroundings(
                settings=settings,
                dial=self._dial(owner),
                databases=self.databases,
                roster=RosterDecider(),
                entropy=self.loop.entropy,
                now_ms=self.loop.wall_ms,
                boot_ms=self.loop.wall_ms,
                log=self._log,
            )
        )
        return engine.run(), engine

    def _worker(self, owner: str) -> tuple[Coroutine[Any, Any, None], Worker]:
        settings = WorkerSettings(self.cells)
        worker = Worker(settings, self._dial(owner), self.databases, self.loop.entropy, self.loop.wall_ms, self._log)
        return worker.run(), worker

    def _gateway(self, owner: str) -> tuple[Coroutine[Any, Any, None], "GatewayLife"]:
        outside = Outside(self.databases.record, Proofs(self.cells), self.loop.entropy, self.loop.wall_ms, self._log)
        life = GatewayLife(Hub(HubSettings(self.cells, GATEWAY_LEASE_S), self._dial(owner), outside))
        return life.hub.run(), life

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.bugs.append(error)


class GatewayLife:
    """A gateway and the lines to it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.lines: list[Line] = []

    def die(self) -> None:
        """Every client loses its line."""
        for line in self.lines:
            line.cut()
