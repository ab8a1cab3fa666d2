"""What was erased leaves Redis's files too, on Valkey and on Redis 7.0."""

import asyncio
from pathlib import Path

import pytest

from protocol.ids import AccountId, CellName
from store.redis.connection import Connection, dial
from store.redis.keys import Keys
from store.redis.scripts import LONGEST_REWRITTEN
from store.redis.server import EmbeddedValkey
from store.sql.queries.jobs import TakenJob
from workers.forget import FORGET, Forgetter, purge_quarantine, rewrite_streams
from workers.jobs import JobFailed

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


async def test_what_was_trimmed_is_in_no_byte_of_a_stream(any_redis: EmbeddedValkey, line: Connection) -> None:
    """Its nodes keep it until the stream is written anew, with the same entries under the same ids."""
    inbox = Keys(CellName("c07")).inbox
    ids = [await line.call("XADD", inbox, "*", "p", text) for text in ("canary-0815", "stays")]
    await line.call("XTRIM", inbox, "MINID", ids[1])
    assert b"canary-0815" in await line.call("DUMP", inbox), "else this shows nothing"
    await rewrite_streams(line, CellName("c07"))
    assert b"canary-0815" not in await line.call("DUMP", inbox)
    assert await line.call("XRANGE", inbox, "-", "+") == [[ids[1], [b"p", b"stays"]]]
    assert await line.call("XADD", inbox, "*", "p", "next") > ids[1]


async def test_a_long_stream_is_left_for_later(any_redis: EmbeddedValkey, line: Connection) -> None:
    """It is not written anew while the cell lags."""
    inbox = Keys(CellName("c07")).inbox
    fill = f"for _ = 0, {LONGEST_REWRITTEN} do redis.call('XADD', KEYS[1], '*', 'p', 'x') end"
    await line.call("EVAL", fill, 1, inbox)
    with pytest.raises(JobFailed):
        await rewrite_streams(line, CellName("c07"))


async def test_the_quarantine_forgets_whoever_is_named(any_redis: EmbeddedValkey, line: Connection) -> None:
    """And keeps what is somebody else's."""
    key = Keys(CellName("c07")).quarantine
    await line.call("RPUSH", key, "of vis_kari", "of vis_ola", "more of vis_kari")
    await purge_quarantine(line, CellName("c07"), ["vis_kari"])
    assert await line.call("LRANGE", key, 0, -1) == [b"of vis_ola"]


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
