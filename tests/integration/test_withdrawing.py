"""A consent that an administrator takes back of somebody who was not here for long."""

from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.queries.jobs import TakenJob
from store.sql.queries.whom import WITHDRAW, WITHDRAWAL_ENCODER, Withdrawal
from tests.kit.engines import CELL, bench
from tests.kit.workplace import ACCOUNT, KARI, admits
from workers.withdraw import Withdrawer


async def test_whom_only_sql_knows(valkey: EmbeddedValkey, sqlite_databases: Databases) -> None:
    """It is on their record when they come back, with all that was there before."""
    async with bench(valkey, sqlite_databases) as cell:
        engine = await cell.open()
        await cell.do(admits())
        await cell.copy_to_sql()
        await engine.stop()
        before = await cell.visitor(KARI)
        await cell.call("DEL", cell.keys.visitor(KARI))
        engine = await cell.open()
        payload = WITHDRAWAL_ENCODER.encode(Withdrawal(CELL, [KARI], "process"))
        await Withdrawer(cell.dial, cell.databases.record)(TakenJob("job_1", WITHDRAW, ACCOUNT, payload, 1))
        await cell.do(admits(presented=[b"fresh"]))
        after = await cell.visitor(KARI)
        await engine.stop()
    assert before is not None
    assert after is not None
    assert (after.created_at_ms, after.consents["process"].answer) == (before.created_at_ms, "withdrawn")
