"""Whose address counts, and how much is allowed to it."""

import pytest

from gateway.addresses import client_address
from gateway.throttle import Buckets

PROXIES = frozenset({"10.0.0.1", "10.0.0.2"})


@pytest.mark.parametrize(
    ("address", "header", "counted"),
    [
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1"),
    ],
)
def test_the_last_hop_that_a_trusted_proxy_saw_counts(address: str, header: str | None, counted: str) -> None:
    """What stands left of it may be invented; without a trusted proxy the header is."""
    assert client_address(address, header, PROXIES) == counted


def test_each_key_has_its_own_allowance() -> None:
    """One that used up its own does not touch another's."""
    buckets = Buckets(per_minute=60, burst=2)
    assert [buckets.wait_ms("a", 0) for _ in range(3)] == [0, 0, 1_001]
    assert buckets.wait_ms("b", 0) == 0
    assert buckets.wait_ms("a", 1_001) == 0


def test_the_table_stays_within_its_bound() -> None:
    """The least recently used key is forgotten, which only ever allows more."""
    buckets = Buckets(per_minute=1, burst=1, size=2)
    for key in ("a", "b"):
        buckets.wait_ms(key, 0)
    buckets.wait_ms("a", 0)
    buckets.wait_ms("c", 0)
    assert len(buckets) == 2
    assert buckets.wait_ms("a", 0) > 0
    assert buckets.wait_ms("b", 0) == 0
