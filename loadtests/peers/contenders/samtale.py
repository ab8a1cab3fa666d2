"""Samtale itself as a contender: an installation of its own, with everything on that is on for customers.

Invariant: the real flow: a chatflow that asks for consent, routing, receipts once a second, append-only file each
second, copies to SQL. Whatever is done after the last delivery, until SQL has it all, counts as used.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loadtests.bench.house import House, house
from loadtests.chaos.installation import Size
from loadtests.load import processes
from loadtests.peers.contenders.samtale_pair import READY_S, Desk, Phone, SamtalePair
from loadtests.peers.contenders.standing import Standing
from protocol.bus.config import Consent

SIZE = Size(gateways=2, engines=1, workers=1)
AT_ONCE = 20  # who comes in at the same time
RECEIPT_EVERY_S = 1.0


async def _talking(found: House, count: int, pairs: list[SamtalePair], desks: list[Desk]) -> None:
    """Bring agents in on the second gateway and visitors on the first, until every first word was read."""
    first, second = found.installation.gateway_urls
    some = asyncio.Semaphore(AT_ONCE)
    by_conversation: dict[str, SamtalePair] = {}

    async def arrive(number: int) -> None:
        async with some:
            desks.append(desk := Desk(by_conversation))
            await desk.enter(second, await found.ticket(number), number)

    async def come(number: int) -> None:
        async with some:
            pairs.append(pair := SamtalePair())
            await pair.phone.enter(first, number)
            by_conversation[pair.phone.conversation] = pair
            pair.aim(1, 1)
            await pair.done.wait()

    async with asyncio.timeout(READY_S):
        await asyncio.gather(*map(arrive, range(count)))
        await asyncio.gather(*map(come, range(count)))


async def _receipts(ends: list[Phone | Desk]) -> None:
    """Say once a second at each end how far it has read, one after the other, until cancelled."""
    while True:
        for end in ends:
            end.acknowledge()
            await asyncio.sleep(RECEIPT_EVERY_S / len(ends))


@asynccontextmanager
async def samtale(count: int) -> AsyncIterator[Standing]:
    """Start an installation with `count` pairs in it."""
    async with house(SIZE, agents=count, consent=Consent("explicit")) as found:
        pairs: list[SamtalePair] = []
        desks: list[Desk] = []
        try:
            await _talking(found, count, pairs, desks)
            async with asyncio.TaskGroup() as tasks:
                telling = tasks.create_task(_receipts([*(pair.phone for pair in pairs), *desks]))
                yield Standing(list(pairs), lambda: processes.by_role(found.installation), found.until_stored)
                telling.cancel()
        finally:
            for pair in pairs:
                pair.leave()
            for desk in desks:
                desk.leave()
