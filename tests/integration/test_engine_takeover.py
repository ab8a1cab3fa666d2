"""Whatever ends an owner, and at whichever instant, the next one goes on as if nothing had been."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.runtime.cell import LONGEST_POLL_S
from engine.runtime.surroundings import EngineSettings
from protocol.ids import CellName
from protocol.wire.content import Message
from store import failpoints
from store.redis.connection import Connection
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import CELL, SETTINGS, Bench, bench, dies_at
from tests.kit.workplace import KARI, admits, conversation, phone, sends

LONG_LEASE = replace(SETTINGS, lease_s=30.0)


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as made:
        yield made


async def said(cell: Bench) -> list[str]:
    """What Kari's conversation says, in order."""
    log = await cell.log(conversation())
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    return [event.body.text for event in log if isinstance(event.body, Message)]


@pytest.mark.parametrize("hits", [1, 2, 3])
@pytest.mark.parametrize("place", ["engine.after_read", "engine.before_commit", "engine.after_commit"])
async def test_an_owner_that_dies_at_any_instant_loses_and_repeats_nothing(cell: Bench, place: str, hits: int) -> None:
    """Sends around the death of an owner are in the log once each, in order."""
    first = await cell.open()
    await cell.do(admits(), sends(1, "1"))
    dies_at(place, hits)
    for n in range(2, 7):
        last = await cell.put(sends(n, str(n)))
    await first.died()
    failpoints.disarm()
    second = cell.start()
    await cell.decided(last)
    assert await said(cell) == ["1", "2", "3", "4", "5", "6"]
    assert (await cell.outcome(conversation(), phone(KARI), 6)).code == ""
    await second.stop()


async def test_an_owner_that_dies_right_after_taking_the_cell_is_followed_by_another(cell: Bench) -> None:
    """A lease that nobody uses runs out."""
    await (await cell.open()).stop()
    dies_at("engine.after_takeover")
    await cell.start().died()
    failpoints.disarm()
    second = cell.start()
    await cell.do(admits(), sends(1, "1"))
    assert await said(cell) == ["1"]
    await second.stop()


async def test_a_stopped_engine_hands_its_cell_on_at_once(cell: Bench) -> None:
    """Nobody waits for the lease of an engine that was stopped."""
    first = await cell.open(LONG_LEASE)
    second = cell.start(LONG_LEASE)
    await first.stop()
    await cell.do(admits(), sends(1, "1"))
    assert await said(cell) == ["1"]
    await second.stop()


async def test_nothing_of_a_former_owner_is_committed(cell: Bench) -> None:
    """An owner overtaken while it lived commits nothing more; what it had not committed is decided by the new one."""
    first = await cell.open()
    await cell.do(admits(), sends(1, "1"))
    await cell.call("HSET", cell.keys.cell, "owner", "somebody else")
    await cell.call("SET", cell.keys.lease, "somebody else", "PX", 500)
    last = await cell.put(sends(2, "2"))
    await cell.decided(last)  # once the usurper's lease is over
    assert await said(cell) == ["1", "2"]
    assert await cell.call("HGET", cell.keys.cell, "owner") != b"somebody else"
    await first.stop()


async def test_a_refused_commit_drops_all_memory_and_decides_again(cell: Bench) -> None:
    """A head that is not as remembered lets nothing be written; the same commands are decided on what is there."""
    engine = await cell.open()
    await cell.do(admits(), sends(1, "1"))
    await cell.call("HSET", cell.keys.conversation(conversation()), "c", 999)
    await cell.do(sends(2, "2"), sends(3, "3"))
    assert await said(cell) == ["1", "2", "3"]
    await engine.stop()


async def test_a_flushed_script_cache_costs_nothing(cell: Bench) -> None:
    """Scripts are sent anew when the server has forgotten them."""
    engine = await cell.open()
    await cell.do(admits(), sends(1, "1"))
    await cell.call("SCRIPT", "FLUSH")
    await cell.do(sends(2, "2"))
    assert await said(cell) == ["1", "2"]
    await engine.stop()


async def test_cut_lines_lose_and_repeat_nothing(cell: Bench) -> None:
    """An owner whose lines are cut again and again while it commits goes on under the same token."""
    engine = await cell.open(LONG_LEASE)
    await cell.do(admits())
    token = (await cell.ready()).owner
    for n in range(1, 21):
        last = await cell.put(sends(n, str(n)))
        if n % 5 == 0:
            await cell.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    record = await cell.decided(last)
    assert await said(cell) == [str(n) for n in range(1, 21)]
    assert record.owner == token
    await engine.stop()


async def test_lines_to_two_lives_of_the_server_do_not_go_together(cell: Bench) -> None:
    """What one line reads and another commits is of one life, or the tenure does not begin."""
    lives, real_dial = iter(["life-1", "life-2"]), cell.dial

    async def dial(name: CellName | None = None) -> Connection:
        line = await real_dial(name)
        if name is not None:
            line.run_id = next(lives, line.run_id)
        return line

    cell.dial = dial  # type: ignore[method-assign,assignment]  # the lines of one cell, the first two as after a restart
    engine = await cell.open(replace(SETTINGS, lease_s=3.0))
    await cell.do(admits(), sends(1, "1"))
    assert cell.reports.lines.count("tenure ended") == 1
    await engine.stop()


async def test_engines_share_the_cells(cell: Bench) -> None:
    """With two engines each owns half; when one is killed, the other owns all."""
    settings = replace(SETTINGS, cells=[CellName(f"c{number:02d}") for number in range(4)], lease_s=3.0)
    first, second = cell.start(settings), cell.start(settings)
    await cell.until(lambda: len(first.engine.owned) == len(second.engine.owned) == 2)
    await cell.until(lambda: set(first.engine.owned) | set(second.engine.owned) == set(settings.cells))
    await first.kill()
    await cell.until(lambda: len(second.engine.owned) == 4)
    await second.stop()


def test_the_default_settings_fail_over_within_the_promise() -> None:
    """G8: the lease, then the beat in which others count the dead no more, then a poll: at most two seconds more."""
    settings = EngineSettings([CELL])
    assert settings.lease_s / 6 + LONGEST_POLL_S <= 2
