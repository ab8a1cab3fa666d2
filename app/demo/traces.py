"""Where a text was left behind: every file below the data directory, every key of Redis by its type, every SQL row.

Invariant: reads only. What cannot be read is an error, not an absence.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from app.demo.facts import NotSo
from app.settings import Settings
from app.stores import databases, dialler, redis_address
from store.redis.connection import Connection
from store.redis.keys import cell_names
from store.sql.queries import search

_CHUNK_BYTES = 1 << 20
_KEYS_AT_ONCE = 500
_READ_BY_TYPE: dict[str, tuple[str, tuple[str, ...]]] = {
    "string": ("GET", ()),
    "hash": ("HGETALL", ()),
    "list": ("LRANGE", ("0", "-1")),
    "set": ("SMEMBERS", ()),
    "zset": ("ZRANGE", ("0", "-1")),
    "stream": ("XRANGE", ("-", "+")),
}


async def places_with(settings: Settings, text: str) -> list[str]:
    """Return every place that holds `text`: `file …`, `redis …`, `sql …`."""
    files = await asyncio.to_thread(lambda: [f"file {name}" for name in files_with(settings.data, text)])
    keys = [f"redis {key}" async for key in _keys_with(settings, text.encode())]
    return files + sorted(set(keys)) + await _columns_with(settings, text)


def files_with(directory: Path, text: str) -> list[str]:
    """Return the names of the files below `directory` that hold `text`, as UTF-8."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(directory)) for path in files if _file_holds(path, text.encode()))


def _file_holds(path: Path, wanted: bytes) -> bool:
    tail = b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                if wanted in tail + chunk:
                    return True
                tail = chunk[-len(wanted) :]
    except FileNotFoundError:
        pass  # replaced or removed while we looked: what replaced it is looked at as well
    return False


async def _keys_with(settings: Settings, wanted: bytes) -> AsyncIterator[str]:
    dial = dialler(await redis_address(settings))
    seen: set[str] = set()
    for cell in (None, *cell_names(settings.cells)):
        connection = await dial(cell)
        try:
            if connection.run_id not in seen:
                seen.add(connection.run_id)
                async for key in _keys_of_node(connection, wanted):
                    yield key
        finally:
            connection.abort()


async def _keys_of_node(connection: Connection, wanted: bytes) -> AsyncIterator[str]:
    cursor = b"0"
    while True:
        cursor, keys = await connection.call("SCAN", cursor, "COUNT", _KEYS_AT_ONCE)
        for key in keys:
            if wanted in key or any(wanted in value for value in _flat(await _read(connection, key))):
                yield key.decode(errors="replace")
        if int(cursor) == 0:
            return


async def _read(connection: Connection, key: bytes) -> Any:
    answered = await connection.call("TYPE", key)
    kind = answered.decode() if isinstance(answered, bytes) else str(answered)
    if kind == "none":
        return None  # it expired, or was taken, since the scan
    if kind not in _READ_BY_TYPE:
        raise NotSo(f"the key {key!r} is a {kind}, which nothing of ours writes")
    command, rest = _READ_BY_TYPE[kind]
    return await connection.call(command, key, *rest)


def _flat(found: Any) -> Iterator[bytes]:
    if isinstance(found, bytes):
        yield found
    elif isinstance(found, dict):
        for pair in found.items():
            yield from _flat(list(pair))
    elif isinstance(found, list | tuple | set):
        for each in found:
            yield from _flat(each)


async def _columns_with(settings: Settings, text: str) -> list[str]:
    stores = databases(settings)
    try:
        config = await stores.config.read(lambda sql: search.holding(sql, "config", text))
        record = await stores.record.read(lambda sql: search.holding(sql, "record", text))
    finally:
        await stores.close()
    return [f"sql {name}" for name in config + record]
