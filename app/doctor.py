"""`samtale doctor`: what is well with the installation, what is not, and what to do about it.

Invariant: changes nothing; each finding says what was looked at, and each trouble says its cure.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

import click

from app.settings import Settings
from app.stores import CellLines, databases, none_here, redis_address, schema_is_current
from protocol.ids import CellName
from store.files.bucket import Bucket, BucketAway
from store.redis import admin
from store.redis.connection import Connection, dial
from store.redis.faults import Away, Refused
from store.redis.keys import ENGINES, Keys, cell_names
from store.sql.database import Databases, StoreAway
from store.sql.queries import accounts, audit, cells, jobs

REDIS_DEADLINE_S = 15.0
FILES_DEADLINE_S = 15.0
CLOCK_TOLERANCE_S = 2.0
LAG_COMMITS = 5_000
FREE_DISK_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `cure` is said with `warn` and `bad`."""

    level: Literal["good", "warn", "bad"]
    what: str
    cure: str = ""


def examine(settings: Settings) -> int:
    """Print every finding. Exit status: 0 all good or warnings, 1 something is bad."""
    return asyncio.run(_examine(settings))


async def _examine(settings: Settings) -> int:
    marks = {"good": ("✓", "green"), "warn": ("!", "yellow"), "bad": ("✗", "red")}
    bad = 0
    async with aclosing(findings(settings)) as looked_at:  # who reads may leave early
        async for finding in looked_at:
            mark, colour = marks[finding.level]
            click.echo(f"{click.style(mark, fg=colour)} {finding.what}")
            if finding.cure:
                click.echo(f"    {finding.cure}")
            bad += finding.level == "bad"
    click.echo(f"\n{bad} of these must be mended" if bad else "\nnothing must be mended")
    return 1 if bad else 0


async def findings(settings: Settings) -> AsyncGenerator[Finding, None]:
    """Look at one part after the other."""
    yield _disk(settings)
    if settings.files_directory is None:
        yield await _files(settings)
    stores = databases(settings)
    try:
        async for finding in _sql(settings, stores):
            yield finding
        try:
            async with asyncio.timeout(REDIS_DEADLINE_S):
                connection = await dial(await redis_address(settings))
        except (Away, Refused, TimeoutError) as fault:
            why = str(fault) or "no embedded Valkey has written its address"
            yield Finding("bad", f"Redis: {why}", "start it (samtale run), or set SAMTALE_REDIS_URL")
            return
        lines = CellLines(connection, settings)
        try:
            async for finding in _redis(connection):
                yield finding
            async for finding in _cells(settings, lines, stores):
                yield finding
        except (Away, Refused) as fault:
            yield Finding("bad", f"Redis: {fault}", "look at its log")
        finally:
            lines.abort()
    finally:
        await stores.close()


def _disk(settings: Settings) -> Finding:
    place = settings.data if settings.data.exists() else settings.data.absolute().parent
    free = shutil.disk_usage(place).free
    mode = place.stat().st_mode & 0o077 if settings.data.exists() else 0
    if free < FREE_DISK_BYTES:
        return Finding("bad", f"data directory: {free >> 20} MiB free", "make room: nothing is stored on a full disk")
    if mode and os.name == "posix":
        return Finding("warn", f"data directory: others may read {place.name}", "chmod 700 it")
    return Finding("good", f"data directory: {free >> 30} GiB free")


async def _files(settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(FILES_DEADLINE_S):
            await Bucket(settings.bucket_url).look()
    except (BucketAway, TimeoutError) as away:
        cure = "nothing can be uploaded: look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL"
        return Finding("bad", f"files: {settings.bucket_url}: {str(away) or 'it does not answer'}", cure)
    return Finding("good", f"files: {settings.bucket_url}")


async def _sql(settings: Settings, stores: Databases) -> AsyncIterator[Finding]:
    if none_here(settings):
        yield Finding("bad", f"SQL: there is no installation in {settings.data}", "samtale run begins one")
        return
    try:
        if not await asyncio.to_thread(schema_is_current, settings):
            yield Finding("bad", "SQL: the schema is not up to date", "start a worker: it brings it up to date")
            return
        conversations, events = await stores.record.read(audit.size)
        waiting = await stores.config.read(lambda connection: jobs.waiting(connection, "config"))
        known = await stores.config.read(accounts.count)
    except StoreAway as away:
        yield Finding("bad", f"SQL: {' '.join(away.reason.split())}", "start it, or set SAMTALE_DATABASE_URL")
        return
    yield Finding("good", f"SQL: accounts {known}, conversations {conversations}, events {events}")
    if waiting:
        yield Finding("warn", f"SQL: {waiting} configuration jobs wait", "is a worker running?")
    if not known:
        yield Finding("warn", "no account yet", "samtale apply FILE")


async def _redis(connection: Connection) -> AsyncIterator[Finding]:
    facts = await admin.facts(connection)
    yield Finding("good", f"Redis: {facts.product} {facts.version}, {facts.used_bytes >> 20} MiB used")
    if facts.evicts:
        yield Finding("bad", f"Redis evicts keys ({facts.policy})", "set maxmemory-policy noeviction")
    if not facts.append_only:
        yield Finding("bad", "Redis keeps no append-only file: a kill loses everything", "set appendonly yes")
    elif not facts.append_only_ok:
        yield Finding("bad", "Redis cannot write its append-only file", "is its disk full?")
    else:
        level = "stored: survives power loss" if facts.fsync == "always" else "process: survives kill -9 of anything"
        yield Finding("good", f"durability level {level} (appendfsync {facts.fsync})")
    if facts.memory_share > 0.9:
        yield Finding("bad", f"Redis memory is {facts.memory_share:.0%} full: new work is refused", "raise maxmemory")
    before = time.time()
    seconds, micros = await connection.call("TIME")
    apart_s = abs(int(seconds) + int(micros) / 1e6 - (before + time.time()) / 2)
    if apart_s > CLOCK_TOLERANCE_S:
        yield Finding("warn", f"this clock and Redis's are {apart_s:.1f} s apart", "use NTP on both")


async def _cells(settings: Settings, lines: CellLines, stores: Databases) -> AsyncIterator[Finding]:
    engines = await (await lines.to(None)).call("ZCARD", ENGINES)
    live = "1 engine lives" if engines == 1 else f"{engines} engines live"
    yield Finding("good" if engines else "bad", live, "" if engines else "start an engine")
    for name in cell_names(settings.cells):
        try:
            yield await _cell(name, await lines.to(name), stores)
        except (Refused, StoreAway) as fault:
            yield Finding("bad", f"cell {name}: {fault}", "look at the engine's log")


async def _cell(name: CellName, connection: Connection, stores: Databases) -> Finding:
    keys = Keys(name)
    fields = ("status", "epoch", "commit_no")
    status, epoch, commit_no = ((value or b"").decode() for value in await connection.call("HMGET", keys.cell, *fields))
    leased, quarantined = await asyncio.gather(
        connection.call("EXISTS", keys.lease), connection.call("LLEN", keys.quarantine)
    )
    position = await stores.record.read(lambda sql: cells.position(sql, name))
    lag = int(commit_no or 0) - (position.commit_no if position else 0)
    about = f"cell {name}: {status or 'never opened'}, epoch {epoch or 0}, commit {commit_no or 0}, SQL {lag} behind"
    if not leased:
        return Finding("bad", f"{about}, no owner", "start an engine")
    if status != "ready":
        return Finding("warn", about, "it is being rebuilt: wait, or look at the engine's log")
    if quarantined:
        return Finding(
            "warn", f"{about}, {quarantined} commands in quarantine", "report them: see docs/howto/running.md"
        )
    if lag > LAG_COMMITS:
        return Finding("warn", about, "is a worker running, and does SQL keep up?")
    return Finding("good", about)
