"""Visitors' clients on lines in memory, and the words a test needs to play their server."""

import asyncio
from typing import Any

import samtale

from tests.unit.sdk.memory_line import Frame, MemoryLine, Network, visitor_ready


def client(network: Network, facts: list[Any] | None = None, **options: Any) -> samtale.VisitorClient:
    """Return a visitor's client that dials into `network`; `facts` gets its journal."""
    note = facts.append if facts is not None else None
    world = samtale.Surroundings(connect=network.connect, chance=lambda: 0.0, journal=note)
    return samtale.VisitorClient("http://h:1", app_key="app", tag="help", surroundings=world, **options)


async def opened(network: Network, **changes: Any) -> tuple[MemoryLine, Frame]:
    """Take the next line, say `ready` on it, and return it with the client's hello."""
    line = await network.line()
    hello = await line.hear("hello")
    line.say("ready", **visitor_ready(**changes))
    return line, hello


async def until(client: samtale.VisitorClient, kind: type[samtale.Event]) -> Any:
    """Return the client's next event of `kind`."""
    async with asyncio.timeout(60):
        async for event in client.events():
            if isinstance(event, kind):
                return event
    raise AssertionError(f"no {kind.__name__}")


async def rest(client: samtale.VisitorClient, line: MemoryLine) -> list[samtale.Event]:
    """End the line for good and return every event that was left."""
    line.cut(4501)
    async with asyncio.timeout(60):
        return [event async for event in client.events()]


def ack(frame: Frame, seq: int = 1) -> Frame:
    """Return the fields of the `ack` of `frame`."""
    about = {"n": frame["n"], "id": frame["id"], "conversation": frame["conversation"]}
    return {**about, "seq": seq, "event": f"1.{seq}.0"}


def event(seq: int, kind: str, conversation: str = "c1", **fields: Any) -> Frame:
    """Return the fields of an `event`."""
    body = {"kind": kind, **fields}
    return {"conversation": conversation, "seq": seq, "id": f"1.{seq}.0", "at": seq, "body": body}
