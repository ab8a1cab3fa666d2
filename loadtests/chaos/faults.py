"""What is done to an installation, one fault at a time.

Invariant: a fault returns when it is over; whether the installation got over it, the history says. Each touches only
processes and files of its own installation.
"""

import asyncio
import contextlib
import fcntl
import os
import random
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from app.stores import redis_address
from loadtests.chaos.installation import GATEWAY_LEASE_S, LEASE_S, Installation
from store.redis.connection import dial
from store.redis.faults import Away, Refused

HIT_DEADLINE_S = 8.0
_CUT_BYTES = (200, 60_000)

Fault = Callable[[Installation, random.Random], Awaitable[bool]]
"""Does it; False if it could not be done just now (the process was down already)."""


def kill(role: str) -> Fault:
    """kill -9 one process of `role`."""

    async def fault(installation: Installation, chance: random.Random) -> bool:
        return installation.signal(chance.choice(installation.names(role)), signal.SIGKILL)

    return fault


def pause(role: str, for_s: float) -> Fault:
    """SIGSTOP one process of `role` for longer than its lease, then let it go on, unaware."""

    async def fault(installation: Installation, chance: random.Random) -> bool:
        name = chance.choice(installation.names(role))
        if not installation.signal(name, signal.SIGSTOP):
            return False
        await asyncio.sleep(for_s)
        return installation.signal(name, signal.SIGCONT)

    return fault


async def kill_valkey(installation: Installation, _chance: random.Random) -> bool:
    """kill -9 the Valkey server itself."""
    server = _server_pid(installation)
    if server is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(server, signal.SIGKILL)
    return True


async def cut_append_only_tail(installation: Installation, chance: random.Random) -> bool:
    """kill -9 Valkey and cut some bytes off the end of its append-only file: its last moments are lost."""
    directory = installation.settings.data / "valkey"
    with (directory / "lock").open("a") as guard:
        if not await kill_valkey(installation, chance):
            return False
        # Whoever holds the lock decides when the server may start again: first the cut.
        await asyncio.to_thread(fcntl.flock, guard, fcntl.LOCK_EX)
        tails = sorted((directory / "appendonlydir").glob("*.incr.aof"), key=lambda path: path.stat().st_mtime)
        size = tails[-1].stat().st_size
        with tails[-1].open("rb+") as file:
            file.truncate(max(0, size - chance.randint(*_CUT_BYTES)))
    return True


async def stop_sql(installation: Installation, _chance: random.Random) -> bool:
    """Let nobody write to the record for five seconds."""
    path = installation.settings.data / "record.db"

    def hold() -> None:
        connection = sqlite3.connect(path, timeout=10, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            time.sleep(5)  # in a thread of its own: the lock is what is being tested
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    try:
        await asyncio.to_thread(hold)
    except sqlite3.OperationalError:
        return False
    return True


async def cut_subscriptions(installation: Installation, _chance: random.Random) -> bool:
    """Cut every gateway's subscription line; hints on their way are lost."""
    try:
        connection = await dial(await redis_address(installation.settings))
    except Away:
        return False
    try:
        await connection.call("CLIENT", "KILL", "TYPE", "pubsub")
    except (Away, Refused):
        return False
    finally:
        connection.abort()
    return True


def failpoint(name: str, provoke: Callable[[Installation, random.Random], Awaitable[None]], share: float) -> Fault:
    """Arm `name` with kill -9, do what makes a process of its role come by, and wait for the hit."""
    family = name.split(".", maxsplit=1)[0]
    role = {"scribe": "worker", "job": "worker", "recovery": "engine"}.get(family, family)

    async def fault(installation: Installation, chance: random.Random) -> bool:
        before = installation.armed.hits()[name]
        installation.armed.spec[role] = f"{name}=kill@{share}"
        try:
            await provoke(installation, chance)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HIT_DEADLINE_S):
                    while installation.armed.hits()[name] == before:
                        await asyncio.sleep(0.05)
        finally:
            installation.armed.spec[role] = ""
        return installation.armed.hits()[name] > before

    return fault


async def restart_one(installation: Installation, chance: random.Random, role: str) -> str:
    """kill -9 one process of `role` so that its next life is armed, and wait until that has begun."""
    name = chance.choice(installation.names(role))
    before = installation.restarts[name]
    if installation.signal(name, signal.SIGKILL):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HIT_DEADLINE_S):
                while installation.restarts[name] == before:
                    await asyncio.sleep(0.02)
    return name


def after_restart(role: str) -> Callable[[Installation, random.Random], Awaitable[None]]:
    """Traffic alone makes a restarted process of `role` come by."""

    async def provoke(installation: Installation, chance: random.Random) -> None:
        await restart_one(installation, chance, role)

    return provoke


async def lapse(installation: Installation, chance: random.Random) -> None:
    """Restart a gateway, let clients come back, stop it past its lease."""
    name = await restart_one(installation, chance, "gateway")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HIT_DEADLINE_S):
            await installation.until_ready(name)  # before, it has no lease to lose
    await asyncio.sleep(1.0)
    installation.signal(name, signal.SIGSTOP)
    await asyncio.sleep(GATEWAY_LEASE_S + 1.5)
    installation.signal(name, signal.SIGCONT)


async def lose_data(installation: Installation, chance: random.Random) -> None:
    """Restart both engines armed, then cut the append-only file under them."""
    for name in installation.names("engine"):
        installation.signal(name, signal.SIGKILL)
    await asyncio.sleep(LEASE_S + 1.0)
    await cut_append_only_tail(installation, chance)


def publish(apply: Callable[[int], None]) -> Callable[[Installation, random.Random], Awaitable[None]]:
    """Restart the workers armed, then publish a changed workspace, which is a job."""

    async def provoke(installation: Installation, chance: random.Random) -> None:
        for name in installation.names("worker"):
            installation.signal(name, signal.SIGKILL)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(apply, chance.randint(40, 90))

    return provoke


def _server_pid(installation: Installation) -> int | None:
    wrapper = installation.pid("valkey")
    if wrapper is None:
        return None
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{wrapper}/task/{wrapper}/children").read_text().split()[0])
    return None
