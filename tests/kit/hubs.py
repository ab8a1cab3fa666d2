"""A gateway's hub over a real Valkey and a real engine, with lines in memory.

Invariant: whoever waits, waits for a frame and not for time; what a line received is kept whole and in order; a machine
that stands still for a while changes no story, unless the story is about that.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import structlog

from gateway import load
from gateway.core.limits import SessionLimits
from gateway.hub import Hub, HubSettings
from gateway.ports import Claims, Driver, Peer, Redis, Ticket
from gateway.services import Outside
from protocol.bus.commands import PublishConfig
from protocol.bus.config import CONFIG_ENCODER, AccountConfig, App, IdentityKey
from protocol.bus.decisions import Refusal
from protocol.bus.records import Profile
from protocol.ids import AgentId
from protocol.wire.codes import CloseCode, Code
from protocol.wire.limits import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK
from store.redis import scripts
from store.redis.keys import APPS
from tests.kit.engines import CELL, SETTINGS, Bench, Running, now_ms
from tests.kit.workplace import ACCOUNT, APP, workplace

PATIENCE_S = 60
LEASE_S = 30.0
PEER = Peer("192.0.2.1")
DEVICE_KEY = "device-key-of-sixteen-or-more"
KEY = IdentityKey("first", "HS256", "a secret of the company's")
LIMITS = SessionLimits(messages_per_minute=60_000, message_burst=1_000)

Wanted = Callable[[dict[str, Any]], bool]


class Proofs:
    """Credentials that believe "subject" and "cell:account:agent": the real ones are the shell's (tests of sockets)."""

    def __init__(self) -> None:
        self.token_until_s = 2**33
        self.key = KEY
        self.profile: Profile | None = None

    def verify_token(self, _config: AccountConfig, _app: App, token: str, _now_s: int) -> Claims | Refusal:
        return (
            Refusal(Code.TOKEN_EXPIRED)
            if token == "expired"
            else Claims(token, self.token_until_s, self.key, self.profile)
        )

    async def redeem_ticket(self, _redis: Redis, ticket: str) -> Ticket | Refusal:
        agent = ticket.removeprefix("a-good-ticket-of-")
        return Ticket(CELL, ACCOUNT, AgentId(agent)) if agent != ticket else Refusal(Code.TICKET_INVALID)


class MemoryLine:
    """The client's end and the server's end of a line at once: what the driver sends is decoded and kept."""

    def __init__(self, subprotocol: str = SUBPROTOCOL_MSGPACK) -> None:
        self.subprotocol = subprotocol
        self._codec: Any = msgspec.json if subprotocol == SUBPROTOCOL_JSON else msgspec.msgpack
        self.frames: list[dict[str, Any]] = []
        self.closed: CloseCode | None = None
        self.driver: Driver | None = None
        self._news = asyncio.Event()
        self._read = 0

    # What the driver uses.

    def send(self, *messages: bytes) -> None:
        if self.closed is None:
            self.frames += map(self._codec.decode, messages)
            self._news.set()

    async def flushed(self) -> None:
        await asyncio.sleep(0)

    def close(self, code: CloseCode, reason: str = "") -> None:
        if self.closed is None:
            self.closed = code
            self._news.set()
            asyncio.get_running_loop().call_soon(self.drop)

    # What the test uses.

    def put(self, **frame: Any) -> None:
        """Send a frame as the client."""
        assert self.driver is not None
        data = self._codec.encode(frame)
        self.driver.receive(data.decode() if self.subprotocol == SUBPROTOCOL_JSON else data)

    def drop(self) -> None:
        """Cut the line."""
        driver, self.driver = self.driver, None
        if driver is not None:
            driver.lost()

    async def until(self, wanted: Wanted) -> dict[str, Any]:
        """Wait for the next frame, in order, that is wanted; those before it count as read."""
        self._read = await self._find(wanted, self._read) + 1
        return self.frames[self._read - 1]

    async def _find(self, wanted: Wanted, start: int) -> int:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for index in range(start, len(self.frames)):
                    if wanted(self.frames[index]):
                        return index
                assert self.closed is None, f"closed with {self.closed!r}; last frames: {self.frames[-3:]}"
                start = len(self.frames)
                self._news.clear()
                await self._news.wait()

    async def ever(self, wanted: Wanted) -> dict[str, Any]:
        """Wait for the first frame of all that is wanted, also if it was read over; nothing counts as read."""
        return self.frames[await self._find(wanted, 0)]

    async def get(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Wait for the next frame of `kind` with these fields."""
        return await self.until(
            lambda frame: frame["t"] == kind and all(frame.get(name) == value for name, value in fields.items())
        )

    async def ask(self, **frame: Any) -> dict[str, Any]:
        """Send a numbered frame and return its outcome; other frames do not count as read."""
        start = len(self.frames)
        self.put(**frame)
        found = await self._find(lambda seen: seen["t"] in ("ack", "refused") and seen.get("id") == frame["id"], start)
        return self.frames[found]

    async def event(self, kind: str) -> dict[str, Any]:
        """Wait for the next event whose body is of `kind`."""
        return await self.until(lambda frame: frame["t"] == "event" and frame["body"]["kind"] == kind)

    async def ended(self) -> CloseCode:
        """Wait until the server closed the line, and return its code."""
        async with asyncio.timeout(PATIENCE_S):
            while self.closed is None:
                self._news.clear()
                await self._news.wait()
        return self.closed


def office(**changes: Any) -> AccountConfig:
    """The workplace, with each chatflow served under its own tag: asks, implies, open, unrouted; its app has a key."""
    config = workplace(**changes)
    flows = [msgspec.structs.replace(flow, tags=[flow.id.removeprefix("flw_")]) for flow in config.chatflows]
    apps = [msgspec.structs.replace(app, identity_keys=[KEY]) for app in config.apps]
    return msgspec.structs.replace(config, chatflows=flows, apps=apps)


class House:
    """A cell with an engine, and any number of gateways."""

    def __init__(self, cell: Bench, engine: Running) -> None:
        self.cell = cell
        self.engine = engine
        self.proofs = Proofs()

    async def publish_live(self, config: AccountConfig) -> None:
        """Bring a newer configuration into the cell, as a worker does."""
        pack = msgspec.msgpack.encode([PublishConfig(ACCOUNT, config.version)])
        line = await self.cell.dial()
        version = scripts.ConfigVersion(ACCOUNT, config.version, CONFIG_ENCODER.encode(config), pack)
        assert await scripts.publish_config(line, CELL, version)
        await line.close()

    async def lose_redis(self) -> None:
        """Lose everything in Redis; what a worker published for no cell is published again."""
        await self.cell.call("FLUSHALL")
        await self.name_app()

    async def name_app(self) -> None:
        """Say whose the app is."""
        await self.cell.call("HSET", APPS, APP, f"{CELL} {ACCOUNT}")

    @asynccontextmanager
    async def gateway(self, **settings: Any) -> AsyncIterator["Gateway"]:
        """Run a hub until it is ready, and to the end of the block."""
        outside = Outside(
            self.cell.databases.record,
            self.proofs,
            os.urandom,
            now_ms,
            structlog.get_logger(),
            self.cell.databases.config,
        )
        hub = Hub(HubSettings([CELL], **{"lease_s": LEASE_S, "limits": LIMITS, **settings}), self.cell.dial, outside)
        running = asyncio.create_task(hub.run())
        try:
            await self.cell.until(lambda: hub.ready and hub.load.trouble(CELL) is None)
            yield Gateway(hub)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


class Gateway:
    """One running hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def mobile(self, subprotocol: str = SUBPROTOCOL_MSGPACK, peer: Peer = PEER) -> MemoryLine:
        """Open a line to the mobile side."""
        line = MemoryLine(subprotocol)
        line.driver = self.hub.open_mobile(line, subprotocol, peer)
        return line

    def console(self, subprotocol: str = SUBPROTOCOL_MSGPACK) -> MemoryLine:
        """Open a line to the agents' side."""
        line = MemoryLine(subprotocol)
        line.driver = self.hub.open_agent(line, subprotocol, PEER)
        return line

    async def visitor(self, tag: str = "open", **hello: Any) -> tuple[MemoryLine, dict[str, Any]]:
        """Say hello as a visitor; returns the line and `ready`."""
        line = self.mobile(hello.pop("subprotocol", SUBPROTOCOL_MSGPACK))
        line.put(**says_hello(tag, **hello))
        return line, await line.get("ready")

    async def agent(self, agent: AgentId, **hello: Any) -> tuple[MemoryLine, dict[str, Any]]:
        """Say hello as an agent; returns the line and `ready`."""
        line = self.console()
        line.put(t="hello", v=1, ticket=f"a-good-ticket-of-{agent}", device_key=DEVICE_KEY, **hello)
        return line, await line.get("ready")


def says_hello(tag: str = "open", **changes: Any) -> dict[str, Any]:
    """A visitor's hello."""
    return {
        "t": "hello",
        "v": 1,
        "app_key": APP,
        "tag": tag,
        "credential": {"kind": "anonymous", "device_key": DEVICE_KEY},
        "device": {"platform": "python", "app_version": "1.0", "locale": "en"},
        **changes,
    }


def again(ready: dict[str, Any], *secrets: str) -> dict[str, Any]:
    """The credential of a visitor who was here before."""
    known = list(secrets) or [ready["secret"]]
    return {"kind": "anonymous", "device_key": DEVICE_KEY, "visitor": ready["visitor"], "secrets": known}


def outstanding(ready: dict[str, Any]) -> list[str]:
    """The steps that a `ready` or `chatflow` frame says are still to be answered."""
    steps: dict[str, list[str]] = ready.get("steps", {})
    return steps.get("outstanding", [])


def position(conversation: str, event: dict[str, Any] | None = None) -> dict[str, Any]:
    """A position at `event`, or at nothing."""
    return {"conversation": conversation, "seq": event["seq"] if event else 0, "id": event["id"] if event else ""}


@asynccontextmanager
async def house(cell: Bench, config: AccountConfig | None = None) -> AsyncIterator[House]:
    """A house whose configuration is published and whose engine owns the cell."""
    await cell.publish(config or office(version=2))
    made = House(cell, await cell.open(SETTINGS))
    await made.name_app()
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(load, "MAX_LAG_MS", PATIENCE_S * 1_000)
        try:
            yield made
        finally:
            await made.engine.kill()
