"""Faults that seeds once found, told as short stories, so that they stay found however seeds fall."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import samtale

from loadtests.chaos import traffic
from loadtests.chaos.evidence import gather
from loadtests.chaos.journal import Notebook
from loadtests.checker.delivery import divergent_read
from loadtests.checker.history import History
from store.redis.keys import Keys
from store.sql.queries import audit, cells
from tests.simulation.diary import Diary
from tests.simulation.loop import SimulatedLoop, simulate
from tests.simulation.run import REOPEN_WINDOW_S, TEAMS, configs
from tests.simulation.server import redis_clock
from tests.simulation.witness import Witness
from tests.simulation.world import World

Story = Callable[[World, samtale.VisitorClient], Awaitable[None]]
LIMIT_S = 300.0  # of the loop's own time
NO_CONSENT = TEAMS[1]


def tell(story: Story) -> None:
    """Let one visitor live through `story` at an installation of one engine, one worker and one gateway."""
    loop = SimulatedLoop(1)
    diary = Diary(loop, None)
    world = World(loop, configs(), diary.log)
    witness = Witness(world.stored)
    world.network.server.saw = witness.saw
    ways = traffic.Ways(world.connect, world.connect_agent, world.login, loop.entropy, loop.time)
    people = traffic.World(ways, loop.chance, Notebook())

    async def main() -> None:
        world.prepare()
        for part in ("engine-1", "worker-1", "gateway-1"):
            world.start(part)
        lines = traffic.Lines(ways.visitors, lambda _conversation, why, _rule: diary.bugs.append(why))
        around = people.surroundings("visitor", NO_CONSENT.account, lines)
        async with samtale.VisitorClient(
            traffic.SERVER, app_key=NO_CONSENT.app_key, tag="chat", surroundings=around
        ) as visitor:
            async with asyncio.timeout(LIMIT_S):
                await story(world, visitor)

    with redis_clock(loop):
        simulate(1, main(), loop)
    assert [*world.bugs, *diary.bugs, *witness.found] == []


def test_what_was_shown_before_its_answer_was_lost_is_not_shown_again_as_something_else() -> None:
    """A commit whose answer never came may have been read by others before Redis lost it: its id is not used again."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        await visitor.send("one")
        engine, server = world.parts["engine-1"].name, world.network.server
        before = server.remember()

        def hold_its_answer(script: str, args: list[bytes], _before: dict[str, str], _reply: object) -> None:
            if script == "commit" and any(b"two" in arg for arg in args):
                world.network.hold(engine, "down")
                server.saw = nothing

        nothing, server.saw = server.saw, hold_its_answer
        shown = await visitor.send("two")
        world.network.restart(before)
        world.network.release(engine)
        after = await visitor.send("three")
        assert shown.event.startswith("1.")
        assert not after.event.startswith("1.")

    tell(story)


def test_a_visitor_let_go_of_while_connected_is_heard_again() -> None:
    """Whoever was idle for so long that Redis no longer holds them need only speak."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        await visitor.send("one")
        await visitor.close()
        keys = world.network.server.data._dict
        while any(b":visitor:" in key for key in keys):
            await asyncio.sleep(1.0)
        assert (await visitor.send("two")).seq

    tell(story)


def test_scribes_make_room_in_a_full_redis() -> None:
    """With Redis full from the beginning of a worker's life, what is committed still comes to SQL."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        said = await visitor.send("one")
        world.kill("worker-1")
        world.network.server.is_full = True
        world.start("worker-1")
        await until_stored(world, said)

    tell(story)


def test_an_owner_who_comes_back_late_commits_nothing() -> None:
    """An engine frozen past its lease goes on, unaware; nothing of it is taken, though it be first at the next word."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        await visitor.send("one")
        late = world.parts["engine-1"]
        world.loop.freeze(late.name)
        world.start("engine-2")
        before = owner(world)
        while owner(world) == before:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        world.network.hold(world.parts["engine-2"].name, "down")
        said = visitor.send("two")
        await asyncio.sleep(0.2)
        world.loop.thaw(late.name)
        await asyncio.sleep(1.0)
        world.network.release(world.parts["engine-2"].name)
        assert (await said).seq

    tell(story)


def test_a_copy_that_comes_late_takes_sql_nowhere() -> None:
    """A transaction that hung while another scribe went on is not taken when it gets through at last."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        await until_stored(world, await visitor.send("one"))
        world.record.stuck = hung = asyncio.Event()
        await visitor.send("two")
        await asyncio.sleep(0.5)
        world.network.cut_off(world.parts["worker-1"].name)
        world.record.stuck = None
        world.start("worker-2")
        await until_stored(world, await visitor.send("three"))
        hung.set()
        await asyncio.sleep(3.0)
        await until_stored(world, await visitor.send("four"))

    tell(story)


def test_an_owner_who_comes_back_to_older_data_believes_nothing_it_remembers() -> None:
    """What it remembers ends before another owner's commits; a Redis that forgot them too agrees with it, wrongly."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        await until_stored(world, await visitor.send("one"))
        late, its_days = world.parts["engine-1"], world.network.server.remember()
        world.loop.freeze(late.name)
        world.start("engine-2")
        await until_stored(world, await visitor.send("two"))
        world.kill("engine-2")
        world.network.restart(its_days)
        world.loop.thaw(late.name)
        await until_stored(world, await visitor.send("three"))
        said = [event for event in kept(world) if event.kind == "message"]
        assert [msgspec.msgpack.decode(event.frame)["body"]["text"] for event in said] == ["one", "two", "three"]

    tell(story)


def test_a_rebuilding_that_only_sql_knows_of_is_begun_again() -> None:
    """Whoever began it died before Redis heard of it; the cell is rebuilt, and nobody calls that a bug."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        await until_stored(world, await visitor.send("one"))
        world.record.look(lambda sql: cells.begin_epoch(sql, CELL, 2))
        said = visitor.send("two")
        while world.network.server.data._dict[Keys(CELL).cell.encode()].value[b"epoch"] != b"3":
            await asyncio.sleep(0.1)
        await until_stored(world, await said)

    tell(story)


def test_what_was_said_in_a_conversation_that_was_lost_is_said_in_the_one_before_it() -> None:
    """A close and the conversation after it went with a data loss: what waits for the latter goes on in the former."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        first = await visitor.send("one")
        await until_stored(world, first)
        before = world.network.server.remember()
        world.kill("worker-1")
        await visitor.close()
        await asyncio.sleep(REOPEN_WINDOW_S + 1)
        for word in ("two", "three", "four"):
            lost = await visitor.send(word)
            assert lost.conversation != first.conversation
        world.kill("gateway-1")
        waits = visitor.send("five")
        world.network.restart(before)
        for part in ("worker-1", "gateway-1"):
            world.start(part)
        after = await waits
        assert after.conversation == first.conversation
        await until_stored(world, after)
        said = [
            msgspec.msgpack.decode(event.frame)["body"]["text"]
            for event in kept(world)
            if event.send_id and event.kind == "message"
        ]
        assert said == ["one", "two", "three", "four", "five"]

    tell(story)


def test_whoever_looks_while_people_talk_sees_one_log() -> None:
    """The checker's own reading of two stores is of one moment, though the conversation goes on meanwhile."""

    async def story(world: World, visitor: samtale.VisitorClient) -> None:
        await until_stored(world, await visitor.send("one"))
        connection = await world.dial_for_checker()
        talking = asyncio.ensure_future(talk_on(visitor))
        for _ in range(30):
            history = History()
            await gather(world.databases, connection, history)
            assert list(divergent_read(history)) == []
        talking.cancel()
        assert len(history.entries) > 10

    tell(story)


CELL = next(config.cell for config in configs() if config.account == NO_CONSENT.account)


def owner(world: World) -> bytes:
    """Return the token of the cell's owner."""
    token: bytes = world.network.server.data._dict[Keys(CELL).cell.encode()].value[b"owner"]
    return token


def kept(world: World) -> list[audit.StoredEvent]:
    """Return the only conversation's log as SQL has it."""
    [conversation] = world.record.look(audit.conversation_ids)
    log = world.record.look(lambda sql: audit.log_of(sql, conversation))
    assert log is not None
    return log.entries


async def talk_on(visitor: samtale.VisitorClient) -> None:
    """Say one thing after the other, until cancelled."""
    while True:
        await visitor.send("and on")


async def until_stored(world: World, said: samtale.Acked) -> None:
    """Wait until SQL has the commit that took what was said."""
    while world.stored(CELL) < int(said.event.split(".")[1]):
        await asyncio.sleep(0.1)
