"""Real servers for tests: the bundled Valkey, Debian's Redis 7, and a cluster-enabled Valkey.

Invariant: started once per session on a free port of 127.0.0.1, ended with it; each test that asks gets it empty.
"""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import pytest_asyncio

from store.redis.connection import Address, Connection, dial, greet
from store.redis.server import EmbeddedValkey, ServerOptions

if TYPE_CHECKING:
    from tests.simulation.loop import SimulatedLoop

NO_REDIS_7 = "Debian's redis-server is not installed (apt-get install redis-server): Redis 7.0 goes untested"


async def _running(directory: Path, options: ServerOptions) -> AsyncIterator[EmbeddedValkey]:
    server = EmbeddedValkey(directory, options)
    await server.start()
    yield server
    await server.stop()


async def emptied(server: EmbeddedValkey) -> EmbeddedValkey:
    """Return `server` with no keys, no scripts and its own memory limit."""
    connection = await dial(server.address)
    for command in (("CONFIG", "SET", "maxmemory", server.options.maxmemory), ("SCRIPT", "FLUSH"), ("FLUSHALL",)):
        await connection.call(*command)
    await connection.close()
    return server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedValkey]:
    async for server in _running(tmp_path_factory.mktemp("valkey"), ServerOptions()):
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis7_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedValkey]:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip(NO_REDIS_7)
    async for server in _running(tmp_path_factory.mktemp("redis7"), ServerOptions(binary=Path(binary))):
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedValkey]:
    async for server in _running(tmp_path_factory.mktemp("cluster"), ServerOptions(cluster=True)):
        yield server


@pytest.fixture
async def valkey(valkey_server: EmbeddedValkey) -> EmbeddedValkey:
    """The bundled Valkey, empty."""
    return await emptied(valkey_server)


@pytest.fixture
def valkey_url(valkey: EmbeddedValkey) -> str:
    """The URL of the bundled Valkey, empty."""
    return valkey.url


@pytest.fixture
async def redis7(redis7_server: EmbeddedValkey) -> EmbeddedValkey:
    """Debian's Redis 7, empty; skips loudly where it is not installed."""
    return await emptied(redis7_server)


@pytest.fixture
async def valkey_cluster(cluster_server: EmbeddedValkey) -> EmbeddedValkey:
    """One cluster-enabled Valkey that holds all slots, empty."""
    return await emptied(cluster_server)


SERVERS = ["valkey_server", "redis7_server", "cluster_server"]


@pytest.fixture(params=SERVERS)
def any_server(request: pytest.FixtureRequest) -> EmbeddedValkey:
    """Each of the servers we promise to run on, as the test before left it."""
    server: EmbeddedValkey = request.getfixturevalue(request.param)
    return server


@pytest.fixture
async def any_redis(any_server: EmbeddedValkey) -> EmbeddedValkey:
    """Each of the servers we promise to run on, empty."""
    return await emptied(any_server)


@pytest.fixture
async def line(any_redis: EmbeddedValkey) -> AsyncIterator[Connection]:
    """A connection to each of the servers we promise to run on, empty."""
    connection = await dial(any_redis.address)
    yield connection
    await connection.close()


@pytest.fixture(params=[*SERVERS, "simulation"])
def server_or_simulation(request: pytest.FixtureRequest) -> EmbeddedValkey | None:
    server: EmbeddedValkey | None = None if request.param == "simulation" else request.getfixturevalue(request.param)
    return server


@pytest.fixture
async def line_anywhere(server_or_simulation: EmbeddedValkey | None) -> AsyncIterator[Connection]:
    """As `line`, and to the simulation's server too: what is held there is held to the real ones."""
    if server_or_simulation is None:
        connection = await simulated_line()
    else:
        connection = await dial((await emptied(server_or_simulation)).address)
    yield connection
    await connection.close()


async def simulated_line() -> Connection:
    """A connection to an empty server of the simulation, on the real loop."""
    from tests.simulation.network import Network

    loop = asyncio.get_running_loop()
    calls = {name: getattr(loop, name) for name in ("time", "call_soon", "call_later", "call_at")}
    network = Network(cast("SimulatedLoop", SimpleNamespace(chance=random.Random(0), **calls)))
    connection = Connection()
    network.connect("test", connection)
    await asyncio.sleep(0)
    await greet(connection, Address())
    return connection
