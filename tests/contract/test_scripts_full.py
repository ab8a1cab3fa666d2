"""The scripts on a server over its memory limit: had they to wait for memory, none would ever be freed."""

from collections.abc import AsyncIterator

import pytest

from protocol.ids import AccountId, ConversationId, Incarnation
from store.redis import scripts
from store.redis.connection import Connection, Refused, dial
from store.redis.keys import ENGINES
from store.redis.server import EmbeddedValkey
from tests.kit.cells import CELL, KEYS, TOKEN, fence, open_cell


@pytest.fixture
async def full(any_redis: EmbeddedValkey) -> AsyncIterator[Connection]:
    """A line to a full server with an open cell."""
    line = await dial(any_redis.address)
    await open_cell(line)
    await line.call("ZADD", KEYS.timers, 10, "due")
    await line.call("XADD", KEYS.inbox, "5-0", "p", "decided")
    await line.call("HSET", KEYS.conversation(ConversationId("1")), "q", 9)
    await line.call("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(Refused, match="OOM"):
        await line.call("XADD", KEYS.inbox, "*", "p", "more")
    yield line
    await line.close()


async def test_a_full_server_still_commits_and_trims(full: Connection) -> None:
    """The commit runs and its trim frees what was decided."""
    assert await scripts.commit(full, fence(), [], [("XTRIM", KEYS.inbox, "MINID", "6-0")]) == "ok"
    assert await full.call("XLEN", KEYS.inbox) == 0


async def test_every_other_script_runs_on_a_full_server(full: Connection) -> None:
    """Leases, timers, presence, receipts, trimming, rebuilding and configuration go on."""
    horizon, config = ("visitor", 5, 5), scripts.ConfigVersion(AccountId("a"), 1, b"bytes", b"pack")
    ticked = await scripts.tick(full, CELL, TOKEN)
    assert ticked is not None
    assert ticked.fired == 1
    assert await scripts.renew(full, CELL, TOKEN, 60_000)
    assert await scripts.vouch(full, CELL, TOKEN, 3, "life-2")
    assert await scripts.trim(full, CELL, 3, 41)
    assert await scripts.presence(full, CELL, Incarnation("gw-1"), 60_000, first=True)
    assert await scripts.receipts(full, CELL, ConversationId("1"), horizon, b"payload") == "5:5"
    assert await scripts.publish_config(full, CELL, config)
    assert await scripts.feed(full, CELL, "agent:1") == ("", None, {})
    assert await scripts.rebuild_begin(full, CELL, TOKEN, 4, 41)
    assert await scripts.rebuild_done(full, CELL, TOKEN, 4, "life-2")
    assert await scripts.trying(full, CELL, TOKEN, "5-0:0", 1)
    assert await scripts.release(full, CELL, TOKEN)
    assert await scripts.take(full, CELL, "owner-2", 60_000)


async def test_engines_and_workers_are_named_on_a_full_server(full: Connection) -> None:
    """A process can say that it lives."""
    assert await scripts.enlist(full, ENGINES, "engine-1", 60_000) == ["engine-1"]
