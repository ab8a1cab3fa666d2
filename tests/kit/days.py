"""What happened in a cell before it was lost, and what is there afterwards, for tests of recovery."""

from typing import Any

from protocol.bus.commands import AcceptOffer, AgentArrives
from protocol.ids import OfferId
from protocol.wire.content import Message
from tests.kit.engines import Bench
from tests.kit.workplace import ACCOUNT, ANN, OLA, admits, conversation, origin, replies, sends


async def a_day_at_work(cell: Bench) -> None:
    """Ann talks with Kari; Ola waits; a desk, timers, feeds and ledgers have something in them."""
    await cell.do(admits(), admits(OLA), AgentArrives(ACCOUNT, origin("desk_a", 0), ANN))
    await cell.do(sends(1, "Hei"), sends(2, "Er noen der?"))
    rows = await cell.call("HKEYS", cell.keys.feed_rows(f"agent:{ACCOUNT}:{ANN}"))
    offers = [OfferId(row.decode().partition(":")[2]) for row in rows if row.startswith(b"offer:")]
    await cell.do(AcceptOffer(ACCOUNT, origin("desk_a", 1), ANN, offers[0]))
    await cell.do(replies(ANN, 2, conversation(), origin=origin("desk_a", 2)), sends(1, visitor=OLA))


async def texts(cell: Bench) -> list[str]:
    """What Kari's conversation says, in order."""
    log = await cell.log(conversation())
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    return [event.body.text for event in log if isinstance(event.body, Message)]


async def the_roster(cell: Bench) -> Any:
    """The account's roster as Redis holds it."""
    roster = cell.port.thaw(await cell.call("HGET", cell.keys.roster(ACCOUNT), "s"))
    for _, fields in await cell.call("XRANGE", cell.keys.roster_log(ACCOUNT), "-", "+"):
        cell.port.evolve(roster, cell.port.decode_event(fields[1]))
    return roster
