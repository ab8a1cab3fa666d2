"""What workers tell a cell of a visitor while SQL lags behind what the cell has committed."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from engine.core.snapshot import frozen
from protocol.bus.commands import PACK_DECODER, ErasePerson, VisitorWithdraws
from protocol.ids import ErasureId
from store.files.erased import ErasedList
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.queries import erasures
from store.sql.queries.erasures import Counts, Erasure
from store.sql.queries.jobs import TakenJob
from store.sql.queries.whom import WITHDRAW, WITHDRAWAL_ENCODER, Withdrawal, emptied
from tests.kit.commits import NOW_MS
from tests.kit.engines import CELL, Bench, bench
from tests.kit.workplace import ACCOUNT, KARI, admits, sends
from workers.erase import Eraser
from workers.withdraw import Withdrawer

ERASURE = Erasure(ErasureId("era_1"), ACCOUNT, CELL, "asked", None, KARI, NOW_MS, None, Counts())


async def talks_on(cell: Bench) -> None:
    """SQL has what Kari said first, and not what she said then; nobody decides any more."""
    engine = await cell.open()
    await cell.do(admits())
    await cell.do(sends(1))
    await cell.copy_to_sql()
    await cell.do(admits(presented=[b"fresh"], app_version="2.0"))
    await cell.do(sends(2))
    await engine.stop()


async def asked(cell: Bench, kind: type[Any]) -> Any:
    """Return the command of that kind, once it waits in the inbox."""
    async with asyncio.timeout(30):
        while True:
            for _, fields in await cell.call("XRANGE", cell.keys.inbox, "-", "+"):
                found = [command for command in PACK_DECODER.decode(fields[1]) if isinstance(command, kind)]
                if found:
                    return found[0]
            await asyncio.sleep(0.01)


async def test_a_withdrawal_comes_with_what_the_cell_knows(valkey: EmbeddedValkey, sqlite_databases: Databases) -> None:
    """If the cell lets go of her meanwhile, nothing older takes its place."""
    async with bench(valkey, sqlite_databases) as cell:
        await talks_on(cell)
        payload = WITHDRAWAL_ENCODER.encode(Withdrawal(CELL, [KARI], "process"))
        await Withdrawer(cell.dial, cell.databases.record)(TakenJob("job_1", WITHDRAW, ACCOUNT, payload, 1))
        command = await asked(cell, VisitorWithdraws)
        assert command.record == await cell.visitor(KARI)


async def test_an_erasure_comes_with_what_the_cell_knows(
    valkey: EmbeddedValkey, sqlite_databases: Databases, tmp_path: Path
) -> None:
    """Without a word; and what the cell still holds of her conversation it is left to know itself."""
    async with bench(valkey, sqlite_databases) as cell:
        await talks_on(cell)
        await cell.databases.config.transact(partial(erasures.ask, erasure=ERASURE))
        eraser = Eraser(cell.dial, cell.databases, frozen, ErasedList(tmp_path / "erased.jsonl"), lambda: NOW_MS)
        job = TakenJob(ERASURE.id, erasures.ERASE, ACCOUNT, ERASURE.id.encode(), 1)
        erasing = asyncio.create_task(eraser.erase(job))
        command = await asked(cell, ErasePerson)
        erasing.cancel()
        await asyncio.gather(erasing, return_exceptions=True)
        record = await cell.visitor(KARI)
        assert record is not None
        assert command.record == emptied(record)
        assert [each.state for each in command.conversations] == [b""]
