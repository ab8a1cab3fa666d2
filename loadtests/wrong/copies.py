"""What is wrong in the builds that take, copy or read what is committed wrongly.

Invariant: a script is changed where it says what it must; one that no longer says so raises.
"""

import asyncio
import hashlib
from typing import Any

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import update

import gateway.driver
from gateway.core.actions import ReadLog
from gateway.core.resume import Merged, Place, Reader
from gateway.reads import FAULTS, Reads
from loadtests.wrong.decisions import Patch
from protocol.bus.records import Commit
from protocol.ids import CellName
from store.redis import scripts
from store.redis.script import Script
from store.sql import bulk, tables
from store.sql.queries import commits
from workers.scribe import Scribe


def _edited(script: Script[Any], *edits: tuple[str, str]) -> list[Patch]:
    source = script.source
    for right, wrong in edits:
        assert source.count(right) == 1, f"{script.name}.lua no longer says {right!r}"
        source = source.replace(right, wrong)
    sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    return [(script, "source", source), (script, "sha", sha)]


def _script(name: str) -> Script[Any]:
    return next(script for script in scripts.ALL if script.name == name)


def owner_off() -> list[Patch]:
    not_mine = "if redis.call('HGET', KEYS[{}], 'owner') ~= ARGV[1] then return 0 end"
    return [
        *_edited(_script("commit"), ("if now[i] ~= ARGV[i] then", "if i > 1 and now[i] ~= ARGV[i] then")),
        *_edited(_script("renew"), (not_mine.format(2), "")),
        *_edited(_script("tick"), ("if is[1] ~= ARGV[1] or is[2]", "if is[2]")),
        *_edited(_script("trying"), (not_mine.format(1), "")),
    ]


def cursor_off() -> list[Patch]:
    return _edited(_script("commit"), ("if now[4] ~= ARGV[4] or now[5] ~= ARGV[6] then", "if false then"))


def naive_resume() -> list[Patch]:
    async def read_then_subscribe(driver: Reads, asked: ReadLog) -> None:
        while not driver.gone:
            try:
                await once(driver, asked)
                return
            except FAULTS:
                await asyncio.sleep(0.25)

    async def once(driver: Reads, asked: ReadLog) -> None:
        page = await driver.services.logs.page(driver.where(asked.conversation), asked.from_seq)
        if await driver.hearing.ready(asked.conversation):
            driver.tell_session(lambda session: _without_reads(session.log_read(asked.conversation, asked.turn, page)))

    def take(self: Reader, page: Any) -> Merged:
        entries = [entry for entry in page.entries if entry.seq > self.place.seq]
        if entries:
            self.place = Place(entries[-1].seq, entries[-1].id)
        self.epoch, self.reading = page.epoch, False
        return Merged(entries, self.place)

    def hinted(self: Reader, hints: list[Any]) -> list[Any]:
        self.place = Place(hints[-1].seq, hints[-1].id)
        return hints

    return [
        (gateway.driver, "read_log", read_then_subscribe),
        (Reader, "take", take),
        (Reader, "hinted", hinted),
        (Reader, "behind", lambda _self, _seq, _epoch: False),
    ]


def _without_reads(actions: list[Any]) -> list[Any]:
    return [action for action in actions if not isinstance(action, ReadLog)]


def scribe_unfenced() -> list[Patch]:
    def apply(connection: SqlConnection, cell: CellName, commits: list[Commit]) -> bool:
        connection.execute(
            update(tables.cell).where(tables.cell.c.cell == cell).values(commit_no=commits[-1].commit_no)
        )
        _write(connection, cell, commits)
        return True

    write = bulk.write

    def over_whatever_is_there(connection: SqlConnection, table: Any, rows: Any, conflict: Any = "fail") -> None:
        write(connection, table, rows, "replace" if conflict == "fail" else conflict)

    _write = commits._write
    return [(commits, "apply", apply), (commits, "write", over_whatever_is_there)]


def trim_ahead() -> list[Patch]:
    read = Scribe._read

    async def read_and_trim(self: Any, connection: Any, epoch: int, after: int, count: int) -> Any:
        batch, size_bytes = await read(self, connection, epoch, after, count)
        if batch:
            await scripts.trim(connection, self._cell, epoch, batch[-1].commit_no)
        return batch, size_bytes

    return [(Scribe, "_read", read_and_trim)]
