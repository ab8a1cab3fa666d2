"""Redis URLs."""

import pytest

from store.redis.address import Address, parse


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://127.0.0.1:7000", Address(port=7000)),
        ("redis://cache", Address("cache")),
        ("redis://:p%40ss@cache/2", Address("cache", db=2, password="p@ss")),
        ("rediss://ann:secret@[::1]:6380", Address("::1", 6380, username="ann", password="secret", tls=True)),
        ("redis://cache?db=3", Address("cache", db=3)),
    ],
)
def test_a_url_names_an_address(url: str, address: Address) -> None:
    """Host, port, database, credentials and TLS are read, and written back the same."""
    assert parse(url) == address
    assert parse(address.url) == address


@pytest.mark.parametrize(
    "url", ["", "cache:6379", "http://cache", "redis://", "redis://cache/first", "redis://cache:99999", "redis://c:x"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    """A wrong URL is a ValueError."""
    with pytest.raises(ValueError, match="Redis URL"):
        parse(url)


def test_a_password_shows_in_no_text() -> None:
    """Neither `repr` nor `str` of an address holds the password."""
    address = parse("redis://ann:canary-7@cache:1")
    assert "canary-7" not in f"{address!r} {address}"
