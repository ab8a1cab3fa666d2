"""The scripts of a cell's owner: take, renew, release, vouch, tick, and the rebuilding of a suspect cell."""

import pytest

from protocol.bus.commands import COMMAND_DECODER, COMMAND_ENCODER, GatewayLost, TimerFired
from protocol.bus.records import CellRecord
from protocol.ids import AccountId, Incarnation
from store.redis import scripts
from store.redis.connection import Connection, Refused
from tests.kit.cells import CELL, KEYS, TOKEN, cell_record, everything, fence, open_cell


@pytest.fixture
def line(line_anywhere: Connection) -> Connection:
    return line_anywhere


async def redis_ms(line: Connection) -> int:
    seconds, microseconds = await line.call("TIME")
    return int(seconds) * 1000 + int(microseconds) // 1000


async def test_a_free_cell_is_taken_with_its_record(line: Connection) -> None:
    """Whoever takes a cell learns how the one before left it."""
    await open_cell(line)
    taken = await scripts.take(line, CELL, "owner-2", 60_000)
    assert taken == (CellRecord("owner-1", "life-1", 3, 41, "5-0:1", "ready", 40), 3)
    assert (await cell_record(line))["owner"] == "owner-2"
    assert await line.call("GET", KEYS.lease) == b"owner-2"


async def test_a_cell_that_never_was_is_taken_empty(line: Connection) -> None:
    """On a server without the cell the record says nothing."""
    assert await scripts.take(line, CELL, TOKEN, 60_000) == (CellRecord("", "", 0, 0, "", "", 0), 1)


async def test_a_held_cell_is_not_taken(line: Connection) -> None:
    """While a lease runs nobody else becomes owner, and nothing changes."""
    await scripts.take(line, CELL, TOKEN, 60_000)
    before = await cell_record(line)
    assert await scripts.take(line, CELL, "owner-2", 60_000) is None
    assert await cell_record(line) == before


async def test_taking_stops_the_owner_before(line: Connection) -> None:
    """From the moment a cell is taken no commit of its former owner is accepted, however late it comes."""
    await open_cell(line)
    await scripts.take(line, CELL, "owner-2", 60_000)
    assert await scripts.commit(line, fence(), [], []) == "owner"
    assert await scripts.renew(line, CELL, TOKEN, 60_000) is False
    assert await scripts.tick(line, CELL, TOKEN) is None


async def test_take_overs_without_a_commit_are_counted(line: Connection) -> None:
    """Owners that die on the same command leave a growing number; one commit sets it back."""
    await open_cell(line, attempts=0)
    for number in (1, 2, 3):
        taken = await scripts.take(line, CELL, f"owner-{number}", 60_000)
        assert taken is not None
        assert taken.attempts == number
        await line.call("DEL", KEYS.lease)
    assert await scripts.commit(line, fence(token="owner-3"), [], []) == "ok"
    taken = await scripts.take(line, CELL, "owner-4", 60_000)
    assert taken is not None
    assert taken.attempts == 1


async def test_renewing_prolongs_the_lease(line: Connection) -> None:
    """A renewed lease runs for as long as asked."""
    await scripts.take(line, CELL, TOKEN, 60_000)
    assert await scripts.renew(line, CELL, TOKEN, 600_000) is True
    assert await line.call("PTTL", KEYS.lease) > 60_000


async def test_a_lapsed_lease_nobody_took_is_taken_up_again(line: Connection) -> None:
    """An owner that was paused goes on if no other came in between: no commit but its own was possible."""
    await scripts.take(line, CELL, TOKEN, 60_000)
    await line.call("DEL", KEYS.lease)
    assert await scripts.renew(line, CELL, TOKEN, 60_000) is True
    assert await scripts.take(line, CELL, "owner-2", 60_000) is None


async def test_a_cell_taken_meanwhile_is_lost_even_if_free_again(line: Connection) -> None:
    """An owner that was paused learns that another was there, also after that one's lease ran out as well."""
    await scripts.take(line, CELL, TOKEN, 60_000)
    await line.call("DEL", KEYS.lease)
    await scripts.take(line, CELL, "owner-2", 60_000)
    await line.call("DEL", KEYS.lease)
    assert await scripts.renew(line, CELL, TOKEN, 60_000) is False


async def test_a_released_cell_is_free_and_closed_to_the_one_before(line: Connection) -> None:
    """After a release a late commit is refused, the next take succeeds, and no failed attempt is counted."""
    await open_cell(line)
    await line.call("SET", KEYS.lease, TOKEN)
    assert await scripts.release(line, CELL, TOKEN) is True
    assert await scripts.commit(line, fence(), [], []) == "owner"
    taken = await scripts.take(line, CELL, "owner-2", 60_000)
    assert taken is not None
    assert (taken.record.owner, taken.attempts) == ("", 1)


async def test_a_stranger_releases_nothing(line: Connection) -> None:
    """Releasing under another token changes nothing."""
    await scripts.take(line, CELL, TOKEN, 60_000)
    before = await cell_record(line)
    assert await scripts.release(line, CELL, "owner-2") is False
    assert (await cell_record(line), await line.call("GET", KEYS.lease)) == (before, TOKEN.encode())


@pytest.mark.parametrize(("token", "epoch", "noted"), [(TOKEN, 3, True), ("owner-2", 3, False), (TOKEN, 2, False)])
async def test_vouching_notes_the_life_of_the_server(line: Connection, token: str, epoch: int, noted: bool) -> None:
    """The run_id is noted by the owner of the present epoch only."""
    await open_cell(line)
    assert await scripts.vouch(line, CELL, token, epoch, "life-2") is noted
    assert (await cell_record(line))["run_id"] == ("life-2" if noted else "life-1")


def timer(key: str) -> bytes:
    return COMMAND_ENCODER.encode(TimerFired(AccountId("nordvik"), "roster", "offer", key, 1))


async def inbox(line: Connection) -> list[list[bytes]]:
    return [entry[1] for entry in await line.call("XRANGE", KEYS.inbox, "-", "+")]


async def test_due_timers_become_one_entry_in_the_order_due(line: Connection) -> None:
    """Timers that are due become commands of the inbox in order and are gone; those to come stay."""
    await open_cell(line)
    now_ms = await redis_ms(line)
    await line.call("ZADD", KEYS.timers, 20, timer("b"), 10, timer("a"), now_ms + 60_000, timer("later"))
    fired = await scripts.tick(line, CELL, TOKEN)
    assert fired is not None
    assert (fired.fired, fired.now_ms >= now_ms) == (2, True)
    assert await inbox(line) == [[b"t", timer("a"), b"t", timer("b")]]
    assert await line.call("ZRANGE", KEYS.timers, 0, -1) == [timer("later")]


@pytest.mark.parametrize("length", [1, 31, 32, 64])
async def test_a_lapsed_gateway_becomes_its_command(line: Connection, length: int) -> None:
    """The lapse of a lease is written as the bytes of GatewayLost, whatever the id's length; living ones stay."""
    await open_cell(line)
    lapsed = Incarnation("g" * length)
    await line.call("ZADD", KEYS.gateways, 10, lapsed, await redis_ms(line) + 60_000, "alive")
    await scripts.tick(line, CELL, TOKEN)
    [[_, raw]] = await inbox(line)
    assert COMMAND_DECODER.decode(raw) == GatewayLost(lapsed)
    assert raw == COMMAND_ENCODER.encode(GatewayLost(lapsed))
    assert await line.call("ZRANGE", KEYS.gateways, 0, -1) == [b"alive"]


async def test_at_most_the_limit_fires_at_once(line: Connection) -> None:
    """A flood of due timers is taken in parts, none lost, none twice."""
    await open_cell(line)
    names = [timer(f"{n:03}") for n in range(600)]
    await line.call("ZADD", KEYS.timers, *(part for n, name in enumerate(names) for part in (n, name)))
    counts = []
    while (fired := await scripts.tick(line, CELL, TOKEN)) is not None and fired.fired:
        counts.append(fired.fired)
    assert counts == [256, 256, 88]
    assert [command for entry in await inbox(line) for command in entry[1::2]] == names


async def test_a_clock_past_belief_fires_nothing(line: Connection) -> None:
    """Where Redis TIME is past what the owner believes, timers wait."""
    await open_cell(line)
    await line.call("ZADD", KEYS.timers, 10, timer("a"))
    fired = await scripts.tick(line, CELL, TOKEN, latest_ms=await redis_ms(line) - 60_000)
    assert fired is not None
    assert (fired.fired, await inbox(line)) == (-1, [])
    fired = await scripts.tick(line, CELL, TOKEN, latest_ms=fired.now_ms + 60_000)
    assert fired is not None
    assert fired.fired == 1


@pytest.mark.parametrize("changes", [{"owner": "owner-2"}, {"status": "rebuilding"}])
async def test_only_the_owner_of_an_open_cell_ticks(line: Connection, changes: dict[str, str]) -> None:
    """A cell that is another's or is being rebuilt fires nothing."""
    await open_cell(line, **changes)
    await line.call("ZADD", KEYS.timers, 10, timer("a"))
    before = await everything(line)
    assert await scripts.tick(line, CELL, TOKEN) is None
    assert await everything(line) == before


@pytest.mark.parametrize("key", [KEYS.cell, KEYS.timers, KEYS.gateways, KEYS.inbox])
async def test_a_tick_on_a_key_of_the_wrong_type_writes_nothing(line: Connection, key: str) -> None:
    """Whichever key is of the wrong type, no timer is lost to it."""
    await open_cell(line)
    await line.call("ZADD", KEYS.timers, 10, timer("a"))
    await line.call("ZADD", KEYS.gateways, 10, "gone")
    await line.call("DEL", key)
    await line.call("SADD", key, "x")
    before = await everything(line)
    with pytest.raises(Refused):
        await scripts.tick(line, CELL, TOKEN)
    assert await everything(line) == before


async def test_rebuilding_closes_and_opens_the_cell(line: Connection) -> None:
    """A suspect cell is closed under a higher epoch, starts its inbox anew from SQL's commit_no, and is opened again."""
    await open_cell(line)
    assert await scripts.rebuild_begin(line, CELL, TOKEN, 4, 39) is True
    assert await scripts.commit(line, fence(), [], []) == "status"
    assert await scripts.rebuild_done(line, CELL, TOKEN, 4, "life-2") is True
    record = await cell_record(line)
    expected = {"owner": TOKEN, "status": "ready", "epoch": "4", "commit_no": "39", "stored": "39"}
    assert record == expected | {"cursor": "0-0:0", "run_id": "life-2", "attempts": "0"}


async def test_rebuilding_is_taken_up_again_by_the_next_owner(line: Connection) -> None:
    """An owner that dies in mid-rebuild leaves a cell that the next begins again under the same epoch."""
    await open_cell(line)
    await scripts.rebuild_begin(line, CELL, TOKEN, 4, 39)
    await scripts.take(line, CELL, "owner-2", 60_000)
    assert await scripts.rebuild_done(line, CELL, TOKEN, 4, "life-2") is False
    assert await scripts.rebuild_begin(line, CELL, "owner-2", 4, 39) is True
    assert await scripts.rebuild_done(line, CELL, "owner-2", 4, "life-2") is True


@pytest.mark.parametrize(("token", "epoch"), [("owner-2", 4), (TOKEN, 3), (TOKEN, 2)])
async def test_no_one_else_and_no_old_epoch_rebuilds(line: Connection, token: str, epoch: int) -> None:
    """A stranger, or an epoch that the cell has reached already, closes nothing."""
    await open_cell(line)
    before = await everything(line)
    assert await scripts.rebuild_begin(line, CELL, token, epoch, 39) is False
    assert await everything(line) == before


async def test_a_cell_not_being_rebuilt_is_not_opened(line: Connection) -> None:
    """`rebuild_done` without its beginning, or of another epoch, changes nothing."""
    await open_cell(line)
    assert await scripts.rebuild_done(line, CELL, TOKEN, 3, "life-2") is False
    await scripts.rebuild_begin(line, CELL, TOKEN, 4, 39)
    assert await scripts.rebuild_done(line, CELL, TOKEN, 5, "life-2") is False
    assert (await cell_record(line))["status"] == "rebuilding"
