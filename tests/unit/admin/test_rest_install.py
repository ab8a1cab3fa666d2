"""The install check over REST: whether an app is connected, and by which builds."""

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from protocol.ids import AppKey
from protocol.wire.client import Hello
from store.sql.queries import builds
from store.sql.queries.builds import MOST, Build, Heard
from tests.kit.engines import now_ms
from tests.kit.offices import FJORD, Desk, desk_in

APP = AppKey("app_fjord")
MINUTE_MS = 60_000
CHECK = "/apps/app_fjord/install-check"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


async def hears(desk: Desk, **told: Heard) -> None:
    """Builds of these versions said hello, each of iOS and with the tag of a chatflow."""
    flows = (await desk.office.present(FJORD)).chatflows
    heard = {Build(FJORD, APP, "ios", version, "sdk/1", flows[0].tags[0]): each for version, each in told.items()}
    await desk.office.record.transact(partial(builds.add, heard=heard))


async def test_an_app_of_which_no_build_said_hello_is_not_connected(desk: Desk) -> None:
    """The page says so, too."""
    reader = await desk.key(["settings.read"])
    assert await reader.get(CHECK) == {
        "app": "app_fjord", "environment": "production", "connected": False, "sessions": 0, "sessions_of_others": 0,
        "first_seen_at_ms": None, "last_seen_at_ms": None, "items": [],
    }  # fmt: skip
    assert "Not seen yet" in (await reader.ask("GET", "/apps/app_fjord/set-up")).text


async def test_the_first_build_connects_it(desk: Desk) -> None:
    """Each build with when it was seen first and last, in how many sessions, and whether its tag leads anywhere."""
    reader = await desk.key(["settings.read"])
    await hears(desk, a=Heard(2, 100, 900), b=Heard(1, 400, 500))
    lost = {Build(FJORD, APP, "android", "c", "", "supports"): Heard(1, 1_000, 1_000)}
    await desk.office.record.transact(partial(builds.add, heard=lost))
    check = await reader.get(f"{CHECK}?sort=-last_seen_at_ms")
    assert (check["connected"], check["sessions"]) == (True, 4)
    assert (check["first_seen_at_ms"], check["last_seen_at_ms"]) == (100, 1_000)
    told = ("platform", "app_version", "sdk", "answered", "sessions", "first_seen_at_ms", "last_seen_at_ms")
    assert [tuple(item[name] for name in told) for item in check["items"]] == [
        ("android", "c", "", False, 1, 1_000, 1_000),
        ("ios", "a", "sdk/1", True, 2, 100, 900),
        ("ios", "b", "sdk/1", True, 1, 400, 500),
    ]


async def test_builds_come_in_pages_and_by_platform(desk: Desk) -> None:
    """Each once, in order."""
    reader = await desk.key(["settings.read"])
    await hears(desk, a=Heard(1, 1, 1), b=Heard(1, 2, 2), c=Heard(1, 3, 3))
    first = await reader.get(f"{CHECK}?limit=2&sort=app_version&platform=ios")
    second = await reader.get(f"{CHECK}?limit=2&sort=app_version&platform=ios&cursor={first['next']}")
    assert [item["app_version"] for item in first["items"] + second["items"]] == ["a", "b", "c"]
    assert "next" not in second
    assert (await reader.get(f"{CHECK}?platform=android"))["items"] == []


async def test_builds_beyond_those_told_apart_still_count(desk: Desk) -> None:
    """As others: in the sum, and in no line of their own."""
    reader = await desk.key(["settings.read"])
    await hears(desk, **{f"v{number}": Heard(1, number, number) for number in range(MOST + 3)})
    check = await reader.get(f"{CHECK}?limit=200")
    assert (len(check["items"]), check["sessions"], check["sessions_of_others"]) == (MOST, MOST + 3, 3)


@pytest.mark.parametrize(
    ("ago_ms", "said"),
    [
        (0, "just now"),
        (5.5 * MINUTE_MS, "5 minutes ago"),
        (61 * MINUTE_MS, "1 hour ago"),
        (50 * 60 * MINUTE_MS, "2 days ago"),
    ],
)
async def test_the_page_says_which_build_was_seen_and_when(desk: Desk, ago_ms: float, said: str) -> None:
    """The latest first; nothing that a phone called itself is anything but text."""
    reader, at_ms = await desk.key(["settings.read"]), now_ms() - int(ago_ms)
    heard = {
        Build(FJORD, APP, "ios", "2.3.1<script>", "", "<b>"): Heard(1, at_ms, at_ms),
        Build(FJORD, APP, "android", "1.0", "", "<b>"): Heard(9, 1, 2),
    }
    await desk.office.record.transact(partial(builds.add, heard=heard))
    page = (await reader.ask("GET", "/apps/app_fjord/set-up")).text
    assert f"<strong>Connected:</strong> iOS 2.3.1&lt;script&gt;, {said}.</p>" in page
    assert "<td>&lt;b&gt; (no chatflow has this tag)</td>" in page
    assert page.index("iOS 2.3.1") < page.index("Android 1.0")


async def test_the_hello_on_the_page_is_one(desk: Desk) -> None:
    """As the wire has it: whoever copies it is understood."""
    reader = await desk.key(["settings.read"])
    page = (await reader.ask("GET", "/apps/app_fjord/set-up?tag=kunde")).text
    found = re.search(r'<pre>({"t".*?})</pre>', page, re.DOTALL)
    assert found is not None
    hello = msgspec.json.decode(found[1], type=Hello)
    assert (hello.app_key, hello.tag, hello.device.platform) == ("app_fjord", "kunde", "ios")


async def test_the_builds_of_another_environment_are_another_apps(desk: Desk) -> None:
    """Each environment has its own key, and is connected by itself."""
    admin = await desk.key()
    await hears(desk, a=Heard(1, 1, 1))
    told = await admin.get("/apps/app_fjord_test/install-check")
    assert (told["environment"], told["connected"]) == ("test", False)
