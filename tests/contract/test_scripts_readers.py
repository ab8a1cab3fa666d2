"""The scripts around a cell: presence, engines, receipts, feeds, trimming, configuration."""

import random

import pytest

from protocol.ids import AccountId, ConversationId, Incarnation
from store.redis import scripts
from store.redis.connection import Connection, Refused
from store.redis.keys import ENGINES
from store.redis.scripts import ConfigVersion
from tests.kit.cells import CELL, KEYS, cell_record, everything, open_cell

GATEWAY, CONVERSATION, ACCOUNT = Incarnation("gw-1"), ConversationId("cnv-1"), AccountId("nordvik")
FEED, ROWS = KEYS.feed("agent:1"), KEYS.feed_rows("agent:1")


@pytest.fixture
def line(line_anywhere: Connection) -> Connection:
    return line_anywhere


async def test_an_incarnation_comes_and_stays(line: Connection) -> None:
    """The first call makes the lease, the next prolongs it."""
    assert await scripts.presence(line, CELL, GATEWAY, 60_000, first=True) is True
    first = float(await line.call("ZSCORE", KEYS.gateways, GATEWAY))
    assert await scripts.presence(line, CELL, GATEWAY, 600_000) is True
    assert float(await line.call("ZSCORE", KEYS.gateways, GATEWAY)) > first


async def test_a_lapsed_incarnation_never_comes_back(line: Connection) -> None:
    """Once its lease ended, noticed by the owner or not, an incarnation is told so and nothing is prolonged."""
    assert await scripts.presence(line, CELL, GATEWAY, 60_000) is False
    await line.call("ZADD", KEYS.gateways, 10, GATEWAY)
    assert await scripts.presence(line, CELL, GATEWAY, 60_000) is False
    assert await line.call("ZSCORE", KEYS.gateways, GATEWAY) == b"10"


async def test_engines_that_live_are_counted(line: Connection) -> None:
    """Silent engines are not counted, a leaving one no more, a repeated one once."""
    await line.call("ZADD", ENGINES, 10, "silent")
    living = [await scripts.enlist(line, ENGINES, engine, 60_000) for engine in ("a", "b", "b")]
    assert [*living, await scripts.enlist(line, ENGINES, "a", 0)] == [["a"], ["a", "b"], ["a", "b"], ["b"]]


async def receipt(line: Connection, delivered: int, read: int, reader: str = "visitor") -> str | None:
    return await scripts.receipts(line, CELL, CONVERSATION, (reader, delivered, read), b"payload")


async def test_horizons_are_the_highest_seen(line: Connection) -> None:
    """Over reports in any order, each horizon is the maximum so far, within the log; reading implies delivery."""
    await line.call("HSET", KEYS.conversation(CONVERSATION), "q", 50)
    chance, delivered, read = random.Random(5), 0, 0
    for _ in range(80):
        a, b = chance.randrange(60), chance.randrange(60)
        before = (delivered, read)
        read = max(read, min(b, 50))
        delivered = max(delivered, min(a, 50), read)
        assert await receipt(line, a, b) == (None if (delivered, read) == before else f"{delivered}:{read}")
    assert await line.call("HGETALL", KEYS.receipts(CONVERSATION)) == [b"visitor", f"{delivered}:{read}".encode()]


async def test_readers_have_their_own_horizons(line: Connection) -> None:
    """What staff read says nothing of the visitor."""
    await line.call("HSET", KEYS.conversation(CONVERSATION), "q", 9)
    assert (await receipt(line, 5, 0), await receipt(line, 7, 7, "staff")) == ("5:0", "7:7")
    assert await receipt(line, 6, 0) == "6:0"


async def test_no_receipts_for_what_is_not_here(line: Connection) -> None:
    """A conversation that Redis does not hold gets no stray key."""
    assert await receipt(line, 5, 5) is None
    assert await everything(line) == {}


@pytest.mark.parametrize("key", [KEYS.conversation(CONVERSATION), KEYS.receipts(CONVERSATION)])
async def test_receipts_on_a_key_of_the_wrong_type_write_nothing(line: Connection, key: str) -> None:
    """Whichever key is of the wrong type, nothing changes."""
    await line.call("HSET", KEYS.conversation(CONVERSATION), "q", 9)
    await line.call("DEL", key)
    await line.call("SADD", key, "x")
    before = await everything(line)
    with pytest.raises(Refused):
        await receipt(line, 5, 5)
    assert await everything(line) == before


async def write_feed(line: Connection, count: int) -> list[dict[str, bytes]]:
    """Write `count` changes as a commit does; returns the rows after each."""
    rows: dict[str, bytes] = {}
    after = [dict(rows)]
    for seq in range(1, count + 1):
        key, row = f"offer:{seq % 3}", b"row-%d" % seq
        rows[key] = row
        await line.call("HSET", ROWS, key, row, "#", f"{seq} e{seq}")
        await line.call("XADD", FEED, "MAXLEN", 10, f"{seq}-0", "f", b"frame-%d" % seq, "i", f"e{seq}")
        after.append(dict(rows))
    return after


async def test_a_late_reader_gets_rows_and_their_position(line: Connection) -> None:
    """Without a position the rows come as they stand, with the position they stand at."""
    rows = (await write_feed(line, 5))[-1]
    assert await scripts.feed(line, CELL, "agent:1") == ("5 e5", None, rows)


async def test_a_feed_without_changes_is_empty(line: Connection) -> None:
    """Before the first change there is no position."""
    assert await scripts.feed(line, CELL, "agent:1") == ("", None, {})


@pytest.mark.parametrize("seq", [5, 8, 14])
async def test_a_reader_that_was_here_gets_the_changes_since(line: Connection, seq: int) -> None:
    """From a change that the feed still has, exactly the changes after it come, in order."""
    await write_feed(line, 14)
    read = await scripts.feed(line, CELL, "agent:1", seq, f"e{seq}")
    assert read == ("14 e14", [b"frame-%d" % n for n in range(seq + 1, 15)], {})


@pytest.mark.parametrize(("seq", "event"), [(3, "e3"), (8, "other"), (99, "e99")])
async def test_a_reader_of_another_past_gets_rows(line: Connection, seq: int, event: str) -> None:
    """A position trimmed away, of another epoch or from the future is answered with rows."""
    rows = (await write_feed(line, 14))[-1]
    assert await scripts.feed(line, CELL, "agent:1", seq, event) == ("14 e14", None, rows)


async def test_trimming_lets_go_of_what_sql_has(line: Connection) -> None:
    """Up to the given commit_no the outbox goes, above it stays, and the cell remembers how far."""
    await open_cell(line, commit_no=45, stored=40)
    for commit_no in range(41, 46):
        await line.call("XADD", KEYS.outbox(3), f"{commit_no}-0", "c", b"commit")
    assert await scripts.trim(line, CELL, 3, 43) is True
    assert [entry[0] for entry in await line.call("XRANGE", KEYS.outbox(3), "-", "+")] == [b"44-0", b"45-0"]
    assert await scripts.trim(line, CELL, 3, 42) is True
    assert (await cell_record(line))["stored"] == "43"


@pytest.mark.parametrize(("epoch", "stored"), [(2, 41), (4, 41), (3, 42)])
async def test_nothing_is_trimmed_of_another_epoch_or_of_the_future(line: Connection, epoch: int, stored: int) -> None:
    """A scribe of another epoch, or one that claims commits which never were, trims nothing."""
    await open_cell(line)
    for number in (2, 3, 4):
        await line.call("XADD", KEYS.outbox(number), "41-0", "c", b"commit")
    before = await everything(line)
    assert await scripts.trim(line, CELL, epoch, stored) is False
    assert await everything(line) == before


@pytest.mark.parametrize("key", [KEYS.cell, KEYS.outbox(3)])
async def test_trimming_a_key_of_the_wrong_type_writes_nothing(line: Connection, key: str) -> None:
    """Whichever key is of the wrong type, `stored` does not move."""
    await open_cell(line)
    await line.call("DEL", key)
    await line.call("SADD", key, "x")
    before = await everything(line)
    with pytest.raises(Refused):
        await scripts.trim(line, CELL, 3, 41)
    assert await everything(line) == before


async def test_a_newer_configuration_comes_with_its_command(line: Connection) -> None:
    """Bytes, version and the command for the owner are there together, once, however often it is published."""
    for _ in range(2):
        await scripts.publish_config(line, CELL, ConfigVersion(ACCOUNT, 10, b"ten", b"pack"))
    assert await line.call("HGETALL", KEYS.config(ACCOUNT)) == [b"version", b"10", b"bytes", b"ten"]
    assert [entry[1] for entry in await line.call("XRANGE", KEYS.inbox, "-", "+")] == [[b"p", b"pack"]]


async def test_an_older_configuration_changes_nothing(line: Connection) -> None:
    """Versions compare as numbers: 9 does not replace 10."""
    assert await scripts.publish_config(line, CELL, ConfigVersion(ACCOUNT, 10, b"ten", b"pack")) is True
    before = await everything(line)
    assert await scripts.publish_config(line, CELL, ConfigVersion(ACCOUNT, 9, b"nine", b"pack")) is False
    assert await everything(line) == before


@pytest.mark.parametrize("key", [KEYS.config(ACCOUNT), KEYS.inbox])
async def test_publishing_on_a_key_of_the_wrong_type_writes_nothing(line: Connection, key: str) -> None:
    """Whichever key is of the wrong type, nothing changes."""
    await line.call("SADD", key, "x")
    before = await everything(line)
    with pytest.raises(Refused):
        await scripts.publish_config(line, CELL, ConfigVersion(ACCOUNT, 1, b"one", b"pack"))
    assert await everything(line) == before
