"""The same engine on every server that we promise to run on."""

from collections.abc import AsyncIterator

import pytest

from protocol.wire.content import Message
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import Bench, bench
from tests.kit.workplace import admits, conversation, sends


@pytest.fixture
async def cell(any_redis: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(any_redis, sqlite_databases) as made:
        yield made


async def test_a_conversation_is_decided_and_survives_the_loss_of_everything(cell: Bench) -> None:
    """Commits, hints, a flush and a rebuild, on Valkey, on Redis 7 and on a cluster's node."""
    engine = await cell.open()
    await cell.do(admits(), sends(1, "1"))
    await cell.copy_to_sql()
    await cell.call("FLUSHALL")
    assert (await cell.ready(epoch=2)).epoch == 2
    await cell.do(sends(2, "2"))
    texts = [event.body.text for event in await cell.log(conversation()) if isinstance(event.body, Message)]
    assert texts == ["1", "2"]
    await engine.stop()
