"""What is done to a simulated installation, one fault at a time, several at once.

Invariant: a fault that is over has left nothing behind but what the installation makes of it. Each seed has its own
few kinds of faults, so that between them all the combinations come.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from tests.simulation.network import Weather
from tests.simulation.world import GATEWAY_LEASE_S, LEASE_S, World

KINDS_AT_MOST = 6
REMEMBERED_AT_MOST = 3
PARTS = ("engine-1", "engine-2", "worker-1", "worker-2", "gateway-1", "gateway-2")
Fault = Callable[[], Awaitable[None]]


class Faults:
    """Counts what it does in `done`."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world, self._chance = world, chance
        self.done: Counter[str] = Counter()
        self._kinds: dict[str, Fault] = {
            "kill": self._kill,
            "freeze": self._freeze,
            "isolate": self._isolate,
            "half-open": self._half_open,
            "restart": self._restart_redis,
            "lose": self._lose_data,
            "pause": self._pause_redis,
            "full": self._fill_redis,
            "scripts": self._flush_scripts,
            "listeners": self._cut_listeners,
            "SQL": self._stop_sql,
            "publish": self._publish,
        }

    async def run(self, for_s: float) -> None:
        """Be cruel for about `for_s` seconds, then let everything heal."""
        loop, chance, world = asyncio.get_running_loop(), self._chance, self._world
        end_s = loop.time() + for_s
        kinds = chance.sample(sorted(self._kinds), chance.randint(2, KINDS_AT_MOST))
        world.network.weather = self._some_weather()
        world.line_cut = self._some("a client's line cut", [0.0, 0.005, 0.02])
        world.record.slow = self._some("SQL slow", [0.0, 0.0, 0.1])
        world.record.lost_answers = self._some("SQL answers lost", [0.0, 0.0, 0.05])
        async with asyncio.TaskGroup() as tasks:
            while loop.time() < end_s:
                self._remember()
                await asyncio.sleep(chance.uniform(0.05, 0.8))
                tasks.create_task(self._kinds[chance.choice(kinds)]())  # type: ignore[arg-type]
        world.network.weather = Weather()
        world.line_cut = world.record.lost_answers = world.record.slow = 0.0

    def _some_weather(self) -> Weather:
        return Weather(
            cut=self._some("a line cut", [0.0, 0.001, 0.005]),
            split=self._some("a chunk split", [0.0, 0.02]),
            stall=self._some("a chunk stalled", [0.0, 0.002, 0.01]),
        )

    def _some(self, name: str, chances: list[float]) -> float:
        chosen = self._chance.choice(chances)
        self.done[name] += chosen > 0
        return chosen

    def _part(self, *roles: str) -> tuple[str, str]:
        """Return a part's name, and that of its present life ("" while it is dead)."""
        name = self._chance.choice([part for part in PARTS if not roles or part.startswith(roles)])
        part = self._world.parts.get(name)
        return name, part.name if part else ""

    @contextmanager
    def _doing(self, what: str, name: str = "") -> Iterator[None]:
        self.done[f"{what} {name.partition('-')[0]}".strip()] += 1
        yield

    # Parts.

    async def _kill(self) -> None:
        """kill -9, and a new life some time after."""
        name, life = self._part()
        if life:
            with self._doing("kill", name):
                self._world.kill(name)
                await asyncio.sleep(self._chance.uniform(0.05, 3.0))
                self._world.start(name)

    async def _freeze(self) -> None:
        """SIGSTOP, mostly past the lease; then it goes on, unaware."""
        name, life = self._part()
        if life:
            with self._doing("freeze", name):
                lease_s = GATEWAY_LEASE_S if name.startswith("gateway") else LEASE_S
                self._world.loop.freeze(life)
                await asyncio.sleep(self._chance.uniform(0.2, lease_s * 2.5))
                self._world.loop.thaw(life) if self._is_alive(name, life) else None

    async def _isolate(self) -> None:
        """The network between one part and Redis goes away for a while; the part goes on, and knows."""
        name, life = self._part()
        if life:
            with self._doing("isolate", name):
                self._world.network.cut_off(life)
                await asyncio.sleep(self._chance.uniform(0.5, 4.5))
                if self._is_alive(name, life):
                    self._world.network.reconnect(life)

    async def _half_open(self) -> None:
        """Bytes of one way, or both, do not arrive for a while, and then all at once; lines stay open."""
        name, life = self._part()
        if life and life not in self._world.network.held:
            ways = self._chance.choice([("up",), ("down",), ("up", "down")])
            with self._doing(f"{' and '.join(ways)} lost", name):
                self._world.network.hold(life, *ways)
                await asyncio.sleep(self._chance.uniform(0.5, 7.0))
                self._world.network.release(life)

    def _is_alive(self, name: str, life: str) -> bool:
        return name in self._world.parts and self._world.parts[name].name == life

    # Redis.

    async def _restart_redis(self) -> None:
        with self._doing("Redis restarted"):
            self._world.network.restart()

    async def _lose_data(self) -> None:
        with self._doing("Redis restarted with older data"):
            self._world.network.restart(self._chance.choice(self._world.network.server.moments))
            self._world.network.server.rewrite()

    async def _pause_redis(self) -> None:
        """Nothing arrives at Redis for a while."""
        lives = [part.name for part in self._world.parts.values() if part.name not in self._world.network.held]
        with self._doing("Redis paused"):
            for life in lives:
                self._world.network.hold(life, "up")
            await asyncio.sleep(self._chance.uniform(0.3, 3.0))
            for life in lives:
                self._world.network.release(life)

    async def _fill_redis(self) -> None:
        with self._doing("Redis full"):
            self._world.network.server.is_full = True
            await asyncio.sleep(self._chance.uniform(0.3, 3.0))
            self._world.network.server.is_full = False

    async def _flush_scripts(self) -> None:
        with self._doing("scripts flushed"):
            self._world.network.server.scripts.clear()

    async def _cut_listeners(self) -> None:
        with self._doing("subscriptions cut"):
            self._world.network.cut_listeners()

    def _remember(self) -> None:
        server = self._world.network.server
        if self._chance.random() < 0.3:
            server.moments = [*server.moments, server.remember()][-REMEMBERED_AT_MOST:]

    # SQL.

    async def _stop_sql(self) -> None:
        with self._doing("SQL stopped"):
            self._world.set_sql_away(True)
            await asyncio.sleep(self._chance.uniform(0.5, 4.0))
            self._world.set_sql_away(False)

    async def _publish(self) -> None:
        with self._doing("configuration changed"):
            self._world.publish_again()
