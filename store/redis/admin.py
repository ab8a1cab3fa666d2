"""What an operator asks of Redis: how it is set up, how full it is. Never on the hot path.

Invariant: nothing here changes a key. redis-py's retries are off (by default it sends a command up to eleven times).
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from store.redis.address import Address
from store.redis.connection import Connection
from store.redis.faults import Away, Refused


@dataclass(frozen=True, slots=True)
class Facts:
    """How a server is set up. `fsync` is "unknown" where CONFIG is forbidden; `limit_bytes` 0 means none."""

    product: str
    version: str
    policy: str
    fsync: str
    append_only: bool
    append_only_ok: bool
    used_bytes: int
    limit_bytes: int
    memory_share: float

    @property
    def evicts(self) -> bool:
        """Whether the server would throw keys away when full, instead of refusing."""
        return self.policy != "noeviction"


async def facts(connection: Connection) -> Facts:
    """Ask the server how it is set up."""
    info = parse_info(await connection.call("INFO"))
    try:
        found = await connection.call("CONFIG", "GET", "appendfsync")
    except Refused:
        found = []
    is_valkey = "valkey_version" in info
    return Facts(
        product="Valkey" if is_valkey else "Redis",
        version=info["valkey_version" if is_valkey else "redis_version"],
        policy=info["maxmemory_policy"],
        fsync=found[1].decode() if found else "unknown",
        append_only=info["aof_enabled"] == "1",
        append_only_ok=info.get("aof_last_write_status", "ok") == "ok",
        used_bytes=int(info["used_memory"]),
        limit_bytes=int(info["maxmemory"]),
        memory_share=memory_share(info),
    )


def parse_info(raw: bytes) -> dict[str, str]:
    """Return the fields of an INFO reply."""
    lines = raw.decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))


def memory_share(info: Mapping[str, Any]) -> float:
    """Return the used share of the memory limit from the fields of INFO memory; 0 without a limit."""
    limit = int(info["maxmemory"])
    return int(info["used_memory"]) / limit if limit else 0.0


@asynccontextmanager
async def operating(address: Address) -> AsyncIterator["redis.Redis"]:
    """Lend redis-py's client for rare commands; what goes wrong inside is Away or Refused, as everywhere."""
    client = redis.Redis.from_url(
        address.url, retry=Retry(NoBackoff(), 0), socket_timeout=5.0, socket_connect_timeout=5.0
    )
    try:
        yield client
    except redis.ConnectionError as error:
        raise Away(f"{address} cannot be reached: {error}") from error
    except redis.TimeoutError as error:
        raise Away(f"{address} did not answer in time") from error
    except RedisError as error:
        raise Refused(str(error)) from error
    finally:
        await client.aclose()
