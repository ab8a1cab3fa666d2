"""The embedded server: keeps its data, its address and its secrets, and never outlives us."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from ctypes.util import find_library
from pathlib import Path

import pytest

from store.redis import admin
from store.redis.connection import Away, Refused, dial, parse
from store.redis.server import Durability, EmbeddedValkey, ServerFault, ServerOptions

PARENT = """
import asyncio, sys
from pathlib import Path
from store.redis.server import EmbeddedValkey, ServerOptions
async def main():
    server = EmbeddedValkey(Path(sys.argv[1]), ServerOptions(durability="stored"))
    await server.start()
    print(server.url, flush=True)
    await server.wait()
asyncio.run(main())
"""


STORED = ServerOptions(durability="stored")  # killed at any moment, it has what it answered


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path / "valkey", STORED)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs a server in tmp_path/valkey and says its URL."""
    command = [sys.executable, "-c", PARENT, str(tmp_path / "valkey")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


async def test_a_stopped_server_has_its_data_when_it_starts_again(server: EmbeddedValkey) -> None:
    """Over a stop and a start address and data stay, and it is another life."""
    line = await dial(server.address)
    await line.call("SET", "k", "v")
    url = server.url
    await server.stop()
    assert await line.lost()
    await server.start()
    again = await dial(server.address)
    assert (await again.call("GET", "k"), server.url) == (b"v", url)
    assert again.run_id != line.run_id
    await again.close()


@pytest.mark.parametrize(("durability", "fsync"), [("process", b"everysec"), ("stored", b"always")])
async def test_the_level_of_durability_is_the_fsync_of_the_file(
    tmp_path: Path, durability: Durability, fsync: bytes
) -> None:
    """What an operator asks for is what the server does."""
    server = EmbeddedValkey(tmp_path / "valkey", ServerOptions(durability=durability))
    await server.start()
    line = await dial(server.address)
    assert await line.call("CONFIG", "GET", "appendfsync") == [b"appendfsync", fsync]
    await line.close()
    await server.stop()


async def test_a_killed_server_has_what_it_answered(server: EmbeddedValkey) -> None:
    """After kill -9 of the server alone, what it had acknowledged is in its file."""
    line = await dial(server.address)
    for n in range(100):
        await line.call("RPUSH", "list", n)
    os.kill(server.pid, signal.SIGKILL)
    assert await server.wait() == -signal.SIGKILL
    await server.start()
    again = await dial(server.address)
    assert await again.call("LLEN", "list") == 100
    await again.close()


async def test_a_cut_file_starts_with_its_beginning(server: EmbeddedValkey) -> None:
    """A file whose tail is missing does not keep the server from starting."""
    line = await dial(server.address)
    await line.call("RPUSH", "list", "kept")
    await line.call("RPUSH", "list", "lost")
    await server.stop()
    [tail] = (server.directory / "appendonlydir").glob("*.incr.aof")
    os.truncate(tail, tail.stat().st_size - 5)
    await server.start()
    again = await dial(server.address)
    assert await again.call("LRANGE", "list", 0, -1) == [b"kept"]
    await again.close()


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_server_ends_with_its_killed_parent(
    parent: subprocess.Popen[str], tmp_path: Path, stopped: bool
) -> None:
    """After kill -9 of whoever started it, the directory is free again and its data is there, if it was stopped too."""
    assert parent.stdout is not None
    address = parse(parent.stdout.readline().strip())
    line = await dial(address)
    await line.call("SET", "k", "v")
    if stopped:
        os.kill(int(admin.parse_info(await line.call("INFO", "server"))["process_id"]), signal.SIGSTOP)
    parent.kill()
    following = EmbeddedValkey(tmp_path / "valkey")
    await following.start()
    with pytest.raises(Away):
        await dial(address)
    line = await dial(following.address)
    assert await line.call("GET", "k") == b"v"
    await line.close()
    await following.stop()


async def test_a_directory_has_one_server(server: EmbeddedValkey) -> None:
    """A second server in the same directory waits for the first, and says so when that does not end."""
    with pytest.raises(ServerFault, match="not ready within"):
        await EmbeddedValkey(server.directory).start(timeout_s=0.2)
    line = await dial(server.address)
    await line.close()


async def test_a_server_that_cannot_start_says_why(server: EmbeddedValkey, tmp_path: Path) -> None:
    """A port in use is a fault with the server's own words."""
    second = EmbeddedValkey(tmp_path / "second", ServerOptions(port=server.address.port))
    with pytest.raises(ServerFault, match="ended at once"):
        await second.start()


async def test_the_password_is_asked_for_and_shown_nowhere(tmp_path: Path) -> None:
    """Without the password nobody is let in; it is in no argument list, environment or file of the server."""
    server = EmbeddedValkey(tmp_path / "valkey", ServerOptions(password='canary "\\ 7'))
    await server.start()
    with pytest.raises(Refused) as caught:
        await dial(server.address.__class__(port=server.address.port))
    assert caught.value.code == "NOAUTH"
    await (await dial(server.address)).close()
    shown = b"".join((Path("/proc") / str(server.pid) / name).read_bytes() for name in ("cmdline", "environ"))
    written = b"".join(file.read_bytes() for file in server.directory.rglob("*") if file.is_file())
    assert b"canary" not in shown + written
    await server.stop()


@pytest.mark.skipif(find_library("jemalloc") is None, reason="this machine has no jemalloc")
async def test_a_server_allocates_by_jemalloc(server: EmbeddedValkey) -> None:
    """It is taken where the machine has it."""
    assert b"jemalloc" in Path(f"/proc/{server.pid}/maps").read_bytes()


async def test_stopping_twice_is_stopping(server: EmbeddedValkey) -> None:
    """A server that does not run is stopped by doing nothing."""
    await server.stop()
    await asyncio.wait_for(server.stop(), 60)
