"""The install check at a gateway: what is counted, what waits, and what becomes of it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from gateway.builds import MOST_WAITING, Builds
from protocol.bus.config import AccountConfig
from protocol.ids import AppKey, preview_of
from protocol.wire.client import Hello
from store.sql.database import DirectDatabase
from store.sql.migrate import migrate
from store.sql.queries import builds
from store.sql.queries.builds import Build, Heard
from tests.kit.hubs import office, says_hello
from tests.kit.workplace import ACCOUNT, APP


@pytest.fixture
def record(tmp_path: Path) -> DirectDatabase:
    """A file in which there is no table yet: SQL that is away."""
    return DirectDatabase(f"sqlite:///{tmp_path}/record.db")


def begin(record: DirectDatabase) -> Builds:
    migrate(record.engine.url.render_as_string(), "record")
    return Builds(record, structlog.get_logger())


def hello(version: str = "1.0", **device: Any) -> Hello:
    said = says_hello()
    return msgspec.convert(said | {"device": said["device"] | {"app_version": version, **device}}, Hello)


def known(record: DirectDatabase, account: AccountConfig) -> dict[Build, Heard]:
    return record.run(lambda sql: builds.of_app(sql, account.account, AppKey(APP)))


async def test_sessions_of_a_build_are_one_line(record: DirectDatabase) -> None:
    """With the SDK that spoke for it, and the tag that it asked for."""
    waiting, shop = begin(record), office()
    for at_ms in (200, 100, 300):
        waiting.heard(shop, hello(sdk="samtale-python/0.1.0"), at_ms)
    await waiting.flush()
    build = Build(ACCOUNT, AppKey(APP), "python", "1.0", "samtale-python/0.1.0", "open")
    assert known(record, shop) == {build: Heard(3, 100, 300)}


async def test_a_preview_is_no_build(record: DirectDatabase) -> None:
    """What is tried out counts nowhere."""
    waiting, shop = begin(record), office()
    hidden = msgspec.structs.replace(shop, account=preview_of(shop.account))
    waiting.heard(hidden, hello(), 100)
    await waiting.flush()
    assert known(record, hidden) == {}


async def test_what_sql_does_not_take_is_not_lost(record: DirectDatabase) -> None:
    """It is added to what comes meanwhile, and written when SQL is back."""
    waiting, shop = Builds(record, structlog.get_logger()), office()
    waiting.heard(shop, hello(), 100)
    await waiting.flush()
    waiting.heard(shop, hello(), 200)
    migrate(record.engine.url.render_as_string(), "record")
    await waiting.flush()
    assert list(known(record, shop).values()) == [Heard(2, 100, 200)]


async def test_phones_that_say_what_they_like_fill_no_memory(record: DirectDatabase) -> None:
    """Beyond a thousand that wait they are told apart no more, and still counted."""
    waiting, shop = begin(record), office()
    for number in range(MOST_WAITING + 7):
        waiting.heard(shop, hello(f"made up {number}"), number)
    assert len(waiting._due) <= MOST_WAITING + 1
    await waiting.flush()
    assert sum(heard.sessions for heard in known(record, shop).values()) == MOST_WAITING + 7
