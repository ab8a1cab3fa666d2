"""What was erased leaves Redis's files too, on Valkey and on Redis 7.0."""

import asyncio
from pathlib import Path

from protocol.ids import AccountId, CellName
from store.redis.connection import Connection, dial
from store.redis.server import EmbeddedValkey
from store.sql.queries.jobs import TakenJob
from workers.forget import FORGET, Forgetter

JOB = TakenJob("forget:c07:1", FORGET, AccountId("acc_nordvik"), b"c07", 1)


async def test_what_was_erased_is_in_no_file_when_the_job_is_done(any_redis: EmbeddedValkey, line: Connection) -> None:
    """The server writes its append-only file anew; a moment later the old one is gone."""

    async def to_it(_: CellName | None) -> Connection:
        return await dial(any_redis.address)

    await line.call("SET", "{c07}:k", "canary-0815")
    await line.call("DEL", "{c07}:k")
    files = any_redis.directory / "appendonlydir"
    await until(files, b"canary-0815", is_there=True)  # it puts off writing while it waits for the disk
    await Forgetter(to_it)(JOB)
    await until(files, b"canary-0815", is_there=False)


async def until(files: Path, value: bytes, *, is_there: bool) -> None:
    async with asyncio.timeout(60):
        while holds(files, value) is not is_there:
            await asyncio.sleep(0.01)


def holds(directory: Path, value: bytes) -> bool:
    for file in directory.iterdir():
        try:
            if value in file.read_bytes():
                return True
        except FileNotFoundError:
            continue
    return False
