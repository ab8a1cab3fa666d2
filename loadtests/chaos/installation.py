"""An installation of its own to be cruel to: real processes on free ports over a throw-away data directory.

Invariant: nothing of it outlives the run, and nothing but its own processes, by their ids, is ever touched.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.readiness import Readiness
from app.settings import Settings
from app.supervisor import Job, Supervisor

LEASE_S = 1.0
GATEWAY_LEASE_S = 2.0


@dataclass(frozen=True, slots=True)
class Size:
    """How many processes of each kind."""

    gateways: int = 2
    engines: int = 2
    workers: int = 2


@dataclass(slots=True)
class Armed:
    """What the next life of a role is armed with, and where hits are counted."""

    hits_file: Path
    spec: dict[str, str] = field(default_factory=dict)

    def environment_for(self, role: str) -> Callable[[], dict[str, str]]:
        """Return what Supervisor asks for at each start of a process of `role`."""

        def environment() -> dict[str, str]:
            return {"SAMTALE_FAILPOINTS": self.spec.get(role, ""), "SAMTALE_FAILPOINT_HITS": str(self.hits_file)}

        return environment

    def hits(self) -> Counter[str]:
        """Return how often each failpoint was hit so far."""
        if not self.hits_file.exists():
            return Counter()
        return Counter(line.split()[0] for line in self.hits_file.read_text().splitlines() if line)


class Installation:
    """Processes by name: valkey, worker-1 …, engine-1 …, gateway-1 …"""

    def __init__(
        self, data: Path, size: Size, module: str = "app.cli", environment: dict[str, str] | None = None
    ) -> None:
        self.size = size
        self.ports = _free_ports(size.gateways)
        self.settings = Settings(
            data=data, port=self.ports[0], gateways=size.gateways, lease_s=LEASE_S, gateway_lease_s=GATEWAY_LEASE_S,
            drain_s=1.0, redis_url=None, database_url=None, cells=4, log_level="warning",
        )  # fmt: skip
        self.armed = Armed(data / "failpoint-hits")
        self._module = module
        self._environment = environment or {}
        self.restarts: Counter[str] = Counter()
        # What is killed on purpose must not be taken for something that cannot run.
        self._supervisor = Supervisor(data, self._note, pauses_s=(0.1,))
        data.mkdir(parents=True, exist_ok=True)

    @property
    def gateway_urls(self) -> list[str]:
        """Return the gateways' HTTP addresses."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """Start all of it and wait until it serves."""
        ready = Readiness(self.settings)
        self._run(tasks, "valkey", ("valkey",))
        await ready.redis()
        for number in range(1, self.size.workers + 1):
            self._run(tasks, f"worker-{number}", ("worker",))
        await ready.sql()
        for number in range(1, self.size.engines + 1):
            self._run(tasks, f"engine-{number}", ("engine",))
        await ready.cells()  # a first rebuild takes away the leases of gateways that came before it
        for number, port in enumerate(self.ports, start=1):
            self._run(tasks, f"gateway-{number}", ("gateway", "--port", str(port)))
        for url in self.gateway_urls:
            await ready.gateway(url)

    async def until_ready(self, gateway: str) -> None:
        """Wait until the gateway of that name takes clients."""
        number = int(gateway.rpartition("-")[2])
        await Readiness(self.settings).gateway(self.gateway_urls[number - 1])

    async def stop(self) -> None:
        """Stop all of it, workers and Valkey last, so that SQL holds everything."""
        await self._supervisor.stop()

    def names(self, role: str) -> list[str]:
        """Return the names of the processes of `role`."""
        count = {"gateway": self.size.gateways, "engine": self.size.engines, "worker": self.size.workers}.get(role)
        return [role] if count is None else [f"{role}-{number}" for number in range(1, count + 1)]

    def pid(self, name: str) -> int | None:
        """Return the id of the process of that name, None if it does not run just now."""
        child = self._supervisor.running.get(name)
        return None if child is None or child.returncode is not None else child.pid

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to the process of that name; False if it does not run just now."""
        pid = self.pid(name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False

    def _run(self, tasks: asyncio.TaskGroup, name: str, arguments: tuple[str, ...]) -> None:
        role = name.split("-", maxsplit=1)[0]
        armed = self.armed.environment_for(role)
        own = {
            "SAMTALE_DATA": str(self.settings.data), "SAMTALE_LEASE_S": str(LEASE_S), "SAMTALE_CELLS": "4",
            "SAMTALE_GATEWAY_LEASE_S": str(GATEWAY_LEASE_S), "SAMTALE_DRAIN_S": "1",
            # A person's backlog after a long outage, offered again, is not what is being tested.
            "SAMTALE_VISITOR_MESSAGES_PER_MINUTE": "600",
            "SAMTALE_VISITOR_MESSAGE_BURST": "100", "SAMTALE_LOG_LEVEL": "warning",
            **self._environment,
        }  # fmt: skip
        self._supervisor.start(tasks, Job(name, arguments, lambda: own | armed(), module=self._module))

    def _note(self, what: str) -> None:
        self.restarts[what.split(" ", 1)[0]] += 1


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
