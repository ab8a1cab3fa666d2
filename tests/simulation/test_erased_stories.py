"""What might bring back somebody who was erased, told as short stories."""

import asyncio
from contextlib import suppress
from functools import partial

import samtale

from admin.people.erasing import erase_visitor
from loadtests.chaos.identity import user_of
from protocol.ids import VisitorId
from store.sql.queries import erasures, search
from tests.simulation.run import configs
from tests.simulation.test_stories import NO_CONSENT, tell, until_stored
from tests.simulation.world import World

CONFIG = next(config for config in configs() if config.account == NO_CONSENT.account)
SAID = ("canary-one", "canary-two")


async def erased(world: World, visitor: str) -> None:
    """Have a visitor erased, and wait until it says that it is done."""
    asked = await erase_visitor(world.databases, CONFIG, VisitorId(visitor), world.loop.entropy, world.loop.wall_ms())
    assert asked is not None
    find = partial(erasures.of_id, erasure=asked.id)
    while (now := world.config.look(find)) is None or now.done_at_ms is None:
        await asyncio.sleep(0.1)


async def logged_in(world: World, visitor: samtale.VisitorClient) -> None:
    """Log a user in, and wait until the phone is theirs."""
    before = visitor.who
    visitor.log_in(user_of(NO_CONSENT.account, NO_CONSENT.app_key, "user", lambda: world.loop.wall_ms() / 1000))
    while visitor.who == before:
        await asyncio.sleep(0.1)


async def talks_again(world: World, visitor: samtale.VisitorClient) -> None:
    """Let the phone come back and say something new."""
    world.start("gateway-1")
    while not visitor.outlet.is_ready():
        await asyncio.sleep(0.1)
    await until_stored(world, await visitor.send("anew"))


def assert_nowhere(world: World) -> None:
    """Neither SQL nor Redis holds what was said."""
    for said in SAID:
        assert world.record.look(lambda sql, said=said: search.holding(sql, "record", said)) == []  # type: ignore[misc]
        assert not world.network.server.keys_with(said.encode())


def test_a_phone_that_was_away_brings_nothing_back() -> None:
    """What it has outcomes of it offers again after a data loss; of who was erased meanwhile nothing is taken."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        await visitor.send(SAID[0])
        await logged_in(world, visitor)
        await until_stored(world, await visitor.send(SAID[1]))
        world.kill("gateway-1")
        await erased(world, visitor.who)
        world.network.restart({})
        await talks_again(world, visitor)
        assert_nowhere(world)

    tell(story)


def test_a_phone_that_heard_no_outcome_brings_nothing_back() -> None:
    """It sends again what was taken, unheard; whose words they were was erased meanwhile."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        await visitor.send(SAID[0])
        await logged_in(world, visitor)
        before = world.stored(CONFIG.cell)
        world.network.hold(world.parts["gateway-1"].name, "down")
        unheard = visitor.send(SAID[1])
        while world.stored(CONFIG.cell) == before:
            await asyncio.sleep(0.1)
        world.kill("gateway-1")
        await erased(world, visitor.who)
        await talks_again(world, visitor)
        with suppress(samtale.RefusedError):
            await unheard
        assert_nowhere(world)

    tell(story)


def test_what_was_kept_for_too_long_is_not_brought_back() -> None:
    """A conversation was erased by itself, its visitor was not: what they said there is not said again elsewhere."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        await visitor.send(SAID[0])
        await visitor.close()
        world.config.look(partial(erasures.keep_days, account=CONFIG.account, days=0))
        while not world.config.look(partial(erasures.newest, account=CONFIG.account, limit=1)):
            await asyncio.sleep(1.0)
        assert_nowhere(world)
        world.kill("gateway-1")
        world.network.restart({})
        await talks_again(world, visitor)
        assert_nowhere(world)

    tell(story)
