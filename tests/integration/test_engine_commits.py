"""An engine decides what is in the inbox and commits it, whole and once."""

from collections.abc import AsyncIterator

import pytest

from protocol.wire.content import Message, Started
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from tests.kit.engines import Bench, bench
from tests.kit.workplace import KARI, admits, conversation, phone, sends


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as made:
        yield made


async def test_two_commands_are_decided_and_committed(cell: Bench) -> None:
    """A hello and a message become a visitor and a conversation with its log."""
    engine = await cell.open()
    await cell.do(admits(), sends(1, "Hei"))
    bodies = [type(event.body) for event in await cell.log(conversation())]
    assert bodies[:2] == [Started, Message]
    assert (await cell.outcome(conversation(), phone(KARI), 1)).seq == 2
    await engine.stop()
