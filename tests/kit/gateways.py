"""A whole gateway that listens, over a real engine, Valkey and SQL, and how clients come to it.

Invariant: HTTP and WebSockets on a free port of 127.0.0.1; credentials are the real ones.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec
import structlog
from argon2 import PasswordHasher
from websockets.asyncio.client import ClientConnection, connect

from gateway.gateway import Gateway, GatewaySettings
from protocol.bus.config import AccountConfig, App, IdentityKey
from protocol.wire.limits import SUBPROTOCOL_JSON
from tests.kit.engines import CELL, Bench, now_ms
from tests.kit.hubs import DEVICE_KEY, LEASE_S, PATIENCE_S, office, says_hello
from tests.kit.signing import ALGORITHMS, public_pem
from tests.kit.workplace import APP

PASSWORD = "fjord og fjell"
ORIGIN = "https://shop.example"


def nordvik() -> AccountConfig:
    """The office, with an app that identifies its users and an agent who can log in."""
    config = office(version=2)
    keys = [IdentityKey(name, name, public_pem(name)) for name in ALGORITHMS]
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    agents = [msgspec.structs.replace(agent, password=hashed) for agent in config.agents]
    return msgspec.structs.replace(config, apps=[App(APP, "Shop", [ORIGIN], keys)], agents=agents)


class Running:
    """A gateway that listens, and how clients come to it."""

    def __init__(self, gateway: Gateway, stop: asyncio.Event, task: "asyncio.Task[None]") -> None:
        self.gateway, self.stop, self.task = gateway, stop, task

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port}"

    @asynccontextmanager
    async def line(self, side: str, **hello: Any) -> AsyncIterator[ClientConnection]:
        """A socket on which `hello` has been said."""
        address = f"ws://127.0.0.1:{self.gateway.port}/v1/{side}"
        origin = hello.pop("origin", None)
        async with connect(address, subprotocols=[SUBPROTOCOL_JSON], origin=origin, open_timeout=PATIENCE_S) as line:
            await line.send(json.dumps(hello))
            yield line

    def visitor(self, tag: str = "open", **changes: Any) -> Any:
        return self.line("mobile", **says_hello(tag, **changes))

    async def ticket(self) -> str:
        async with httpx2.AsyncClient(timeout=PATIENCE_S) as http:
            login = {"email": "ann@nordvik.example", "password": PASSWORD}
            answer = await http.post(f"{self.http}/v1/agent/login", json=login)
            assert answer.status_code == 200, answer.text
            return str(answer.json()["ticket"])

    def agent(self, ticket: str) -> Any:
        return self.line("agent", t="hello", v=1, ticket=ticket, device_key=DEVICE_KEY)


async def get(line: ClientConnection, kind: str, **fields: Any) -> dict[str, Any]:
    """Return the next frame of `kind` with these fields."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame: dict[str, Any] = json.loads(await line.recv())
            if frame["t"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                return frame


@asynccontextmanager
async def running(cell: Bench, **settings: Any) -> AsyncIterator[Running]:
    made = GatewaySettings(cells=[CELL], port=0, lease_s=LEASE_S, **({"drain_s": 0.1} | settings))
    gateway = Gateway(made, cell.dial, cell.databases, os.urandom, now_ms, structlog.get_logger())
    stop = asyncio.Event()
    task = asyncio.create_task(gateway.run(stop))
    await cell.until(lambda: gateway.hub.ready and gateway.hub.load.trouble(CELL) is None)
    try:
        yield Running(gateway, stop, task)
    finally:
        stop.set()
        await task
