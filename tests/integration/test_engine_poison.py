"""What cannot be decided is set aside, named and reported; everything else goes on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from engine.runtime.watchdog import Watchdog
from protocol.bus.commands import COMMAND_DECODER, AgentArrives, SetAgentState
from protocol.bus.effects import Assign, Effect, Inner
from protocol.bus.records import Outcome
from protocol.bus.topics import replies as replies_channel
from protocol.wire.content import Closed, Message, Parked
from routing.core.events import Queued
from routing.core.roster import RosterDecider
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import CELL, SETTINGS, Bench, Killed, bench
from tests.kit.workplace import (
    ACCOUNT,
    ANN,
    GATEWAY,
    KARI,
    OLA,
    UNROUTED,
    admits,
    closes,
    conversation,
    origin,
    phone,
    sends,
)  # fmt: skip


class BrokenRoster(RosterDecider):
    """A roster with two bugs: it chokes on a state, and once `broken` it assigns nobody to whoever waits."""

    broken = False

    def decide(self, roster: Any, command: Any, at_ms: int) -> Any:
        if isinstance(command, SetAgentState):
            raise ZeroDivisionError
        return super().decide(roster, command, at_ms)

    def react(self, roster: Any, event: Any, at_ms: int) -> list[Inner | Effect]:
        reactions = super().react(roster, event, at_ms)
        if self.broken and isinstance(event, Queued):
            reactions.append(Assign(ACCOUNT, event.conversation, None, "auto"))  # type: ignore[arg-type]
        return reactions


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as made:
        yield made


async def texts(cell: Bench, where: Any) -> list[str]:
    return [event.body.text for event in await cell.log(where) if isinstance(event.body, Message)]


async def test_a_command_that_cannot_be_read_keeps_its_place(cell: Bench) -> None:
    """Bytes of a newer version in the middle of a pack are set aside; the commands around them are decided."""
    engine = await cell.open()
    known = [msgspec.Raw(msgspec.msgpack.encode(command)) for command in (admits(), sends(1, "1"), sends(2, "2"))]
    known.insert(2, msgspec.Raw(msgspec.msgpack.encode(["sings", "la"])))
    entry = await cell.call("XADD", cell.keys.inbox, "*", "p", msgspec.msgpack.encode(known))
    await cell.call("XADD", cell.keys.inbox, "*", "p", b"\xc1 no pack at all")
    await cell.decided(f"{entry.decode()}:4")
    await cell.do(sends(3, "3"))
    assert await texts(cell, conversation()) == ["1", "2", "3"]
    assert len(await cell.call("LRANGE", cell.keys.quarantine, 0, -1)) == 2
    await engine.stop()


async def test_a_roster_command_that_raises_is_quarantined_and_the_roster_goes_on(cell: Bench) -> None:
    """Whoever asked is refused `parked`; the roster decides what comes after."""
    cell.port = BrokenRoster()
    engine = await cell.open()
    line = await cell.dial()
    heard: list[Any] = []
    line.listen(heard.append)
    line.post("SSUBSCRIBE", replies_channel(CELL, GATEWAY))
    await cell.do(AgentArrives(ACCOUNT, origin("desk_a", 0), ANN))
    await cell.do(SetAgentState(ACCOUNT, origin("desk_a", 1, "away-please"), ANN, "away"))
    await cell.do(admits(), sends(1, "1", flow=UNROUTED))
    assert await texts(cell, conversation(UNROUTED)) == ["1"]
    set_aside = [COMMAND_DECODER.decode(raw) for raw in await cell.call("LRANGE", cell.keys.quarantine, 0, -1)]
    assert [type(command) for command in set_aside] == [SetAgentState]
    await cell.until(lambda: "away-please" in str(heard))
    outcomes = [
        one for push in heard if push[0] == b"smessage" for one in msgspec.msgpack.decode(push[2], type=list[Outcome])
    ]
    assert [one.code for one in outcomes if one.id == "away-please"] == ["parked"]
    await line.close()
    await engine.stop()


async def test_a_conversation_whose_decider_raises_is_parked_alone(cell: Bench) -> None:
    """It is set aside with a note for staff, its sends are refused, and other conversations never notice."""
    cell.port = port = BrokenRoster()
    engine = await cell.open()
    await cell.do(admits(), admits(OLA), sends(1, "1"), closes(2), sends(1, "a", flow=UNROUTED))
    port.broken = True
    await cell.do(sends(3, "back"), sends(1, "b", flow=UNROUTED, visitor=OLA), sends(2, "c", flow=UNROUTED))
    assert await texts(cell, conversation(UNROUTED)) == ["a", "c"]
    assert await texts(cell, conversation(UNROUTED, visitor=OLA)) == ["b"]
    assert [type(event.body) for event in await cell.log(conversation())][-2:] == [Closed, Parked]
    assert (await cell.outcome(conversation(), phone(KARI), 3)).code == "parked"
    assert "conversation parked" in cell.reports.lines
    await engine.stop()


async def test_a_start_that_raises_is_quarantined(cell: Bench) -> None:
    """Where there is no conversation yet there is nothing to park."""
    cell.port = port = BrokenRoster()
    port.broken = True
    engine = await cell.open()
    await cell.do(admits(), sends(1, "1"), sends(1, "a", flow=UNROUTED))
    assert await cell.log(conversation()) == []
    assert await texts(cell, conversation(UNROUTED)) == ["a"]
    assert await cell.call("LLEN", cell.keys.quarantine) == 1
    await engine.stop()


class DeadlyRoster(RosterDecider):
    """A roster whose process dies over a state."""

    def decide(self, roster: Any, command: Any, at_ms: int) -> Any:
        if isinstance(command, SetAgentState):
            raise Killed
        return super().decide(roster, command, at_ms)


async def test_a_command_that_ends_every_owner_is_set_aside(cell: Bench) -> None:
    """Two careful owners end over it, named in the cell's record beforehand; the next one leaves it alone."""
    cell.port = DeadlyRoster()
    running = await cell.open()
    await cell.do(AgentArrives(ACCOUNT, origin("desk_a", 0), ANN), admits())
    await cell.put(sends(1, "1", flow=UNROUTED), SetAgentState(ACCOUNT, origin("desk_a", 1), ANN, "away"))
    last = asyncio.create_task(cell.decided(await cell.put(sends(2, "2", flow=UNROUTED))))
    deaths = 0
    while await asyncio.wait({running.task, last}, return_when=asyncio.FIRST_COMPLETED) and not last.done():
        await running.died()
        deaths += 1
        assert deaths < 8
        running = cell.start()
    set_aside = [COMMAND_DECODER.decode(raw) for raw in await cell.call("LRANGE", cell.keys.quarantine, 0, -1)]
    assert [type(command) for command in set_aside] == [SetAgentState]
    assert await texts(cell, conversation(UNROUTED)) == ["1", "2"]
    await running.stop()


class EndlessRoster(RosterDecider):
    """A roster that never comes to an end over a state."""

    def decide(self, roster: Any, command: Any, at_ms: int) -> Any:
        while isinstance(command, SetAgentState):
            at_ms += 1
        return super().decide(roster, command, at_ms)


async def test_a_decider_that_never_ends_is_interrupted(cell: Bench) -> None:
    """Its processor time is watched: it becomes one that raised, in the same engine."""
    cell.port = EndlessRoster()
    watchdog = Watchdog(2, every_s=0.1)
    engine = await cell.open(replace(SETTINGS, lease_s=30.0), watchdog=watchdog)
    await cell.do(AgentArrives(ACCOUNT, origin("desk_a", 0), ANN), admits())
    watchdog.install()
    try:
        await cell.do(SetAgentState(ACCOUNT, origin("desk_a", 1), ANN, "away"), sends(1, "1", flow=UNROUTED))
    finally:
        watchdog.remove()
    assert await cell.call("LLEN", cell.keys.quarantine) == 1
    assert await texts(cell, conversation(UNROUTED)) == ["1"]
    await engine.stop()


async def test_after_trouble_the_rest_is_decided_in_batches_again(cell: Bench) -> None:
    """Caution ends where the inbox ended when it began."""
    cell.port = BrokenRoster()
    engine = await cell.open(replace(SETTINGS, batch_commands=512, lease_s=30.0))
    await cell.do(AgentArrives(ACCOUNT, origin("desk_a", 0), ANN), admits())
    await cell.do(SetAgentState(ACCOUNT, origin("desk_a", 1), ANN, "away"))
    commits = (await cell.ready()).commit_no
    record = await cell.do(*(sends(n, str(n), flow=UNROUTED) for n in range(1, 51)))
    assert record.commit_no == commits + 1
    await engine.stop()
