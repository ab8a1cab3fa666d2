"""What an operator asks of a server."""

import pytest

from store.redis import admin
from store.redis.connection import Away, Connection, Refused
from store.redis.server import EmbeddedValkey


async def test_an_embedded_server_is_set_up_to_keep_what_it_is_given(line: Connection) -> None:
    """The append-only file is on and fsynced each second, memory is bounded, nothing is evicted."""
    facts = await admin.facts(line)
    assert (facts.append_only, facts.append_only_ok, facts.fsync, facts.evicts) == (True, True, "everysec", False)
    assert facts.limit_bytes == 1 << 30
    assert 0 < facts.memory_share < 0.5


async def test_products_are_told_apart(valkey: EmbeddedValkey, redis7: EmbeddedValkey, line: Connection) -> None:
    """Valkey and Redis are named with their own version."""
    facts = await admin.facts(line)
    assert (facts.product, facts.version.split(".")[0]) in (("Valkey", "9"), ("Redis", "7"))


async def test_an_evicting_server_is_noticed(line: Connection) -> None:
    """A policy that throws keys away is told."""
    await line.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    evicts = (await admin.facts(line)).evicts
    await line.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert evicts is True


async def test_errors_are_ours(valkey: EmbeddedValkey) -> None:
    """redis-py's errors come out as Refused, and as Away once nobody is there."""
    with pytest.raises(Refused, match="unknown command"):
        async with admin.operating(valkey.address) as client:
            await client.execute_command("NONSENSE")
    absent = EmbeddedValkey(valkey.directory / "absent").address
    with pytest.raises(Away):
        async with admin.operating(absent) as client:
            await client.ping()


def test_memory_share_without_a_limit_is_zero() -> None:
    """A server without a limit is never full by share."""
    assert admin.memory_share({"used_memory": 5, "maxmemory": 0}) == 0.0
    assert admin.memory_share({"used_memory": 5, "maxmemory": 10}) == 0.5
