"""Which chatflow a device is served, and in which version."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from protocol.bus.chatflow import Chatflow, Rollout, Targeting
from protocol.bus.hours import Hours, Interval
from protocol.bus.targeting import Device, Served, bucket, serve
from protocol.ids import ChatflowId, HoursId
from tests.kit.workplace import KEY, OPEN, chatflow, workplace

MONDAY_NOON_MS = 1_700_481_600_000
HOURS = [Hours(HoursId("office"), "Office", "UTC", [[Interval(600, 900)], *[[] for _ in range(6)]])]


def flow(name: str, **changes: Any) -> Chatflow:
    return chatflow(OPEN, id=ChatflowId(name), **changes)


def device(**changes: Any) -> Device:
    fields: dict[str, Any] = {"platform": "ios", "app_version": "2.1", "locale": "nb-NO", "id": "dev_1"}
    return Device(**{**fields, "at_ms": MONDAY_NOON_MS, **changes})


def served(*flows: Chatflow, past: list[Chatflow] | None = None, tag: str = "help", **asking: Any) -> Served:
    config = replace(workplace(), chatflows=list(flows), past=past or [], hours=HOURS)
    return serve(config, tag, device(**asking))


def name_of(answer: Served) -> str | None:
    return answer.flow.id if answer.flow else None


def test_the_first_in_priority_is_served() -> None:
    """Several enabled chatflows may share a tag; 1 comes first, and the others are passed over for it."""
    answer = served(flow("second", priority=2), flow("first", priority=1))
    assert name_of(answer) == "first"
    assert [(one.chatflow, one.reason) for one in answer.passed_over] == [("second", "priority")]


def test_no_chatflow_is_an_answer() -> None:
    """A tag that nothing serves, or only what is disabled."""
    assert served(flow("a"), tag="sales") == Served(None, [])
    answer = served(flow("a", enabled=False))
    assert (name_of(answer), answer.passed_over[0].reason) == (None, "disabled")


def test_a_former_tag_still_leads_to_its_chatflow() -> None:
    """Old builds go on working."""
    assert name_of(served(flow("a", tags=["new"], former_tags=["old"]), tag="old")) == "a"


@pytest.mark.parametrize(
    ("targeting", "asking", "reason"),
    [
        (Targeting(platforms=["android"]), {}, "platform"),
        (Targeting(platforms=["ios"]), {}, ""),
        (Targeting(min_version="2.10"), {"app_version": "2.9"}, "app_version"),
        (Targeting(min_version="2.1"), {"app_version": "2.1.0"}, ""),
        (Targeting(min_version="2.1"), {"app_version": "2.1-beta"}, "app_version"),
        (Targeting(min_version="2.1"), {"app_version": "2.1 (471)"}, ""),
        (Targeting(max_version="2.1"), {"app_version": "2.1.1"}, "app_version"),
        (Targeting(max_version="2.1"), {"app_version": "2.1"}, ""),
        (Targeting(locales=["nb"]), {}, ""),
        (Targeting(locales=["no"]), {}, ""),
        (Targeting(locales=["en"]), {"locale": "en-GB"}, ""),
        (Targeting(locales=["nb-SJ"]), {}, "locale"),
        (Targeting(locales=["de", "en"]), {}, "locale"),
        (Targeting(identified=True), {}, "identified"),
        (Targeting(identified=True), {"identified": True}, ""),
        (Targeting(identified=False), {"identified": True}, "identified"),
        (Targeting(attributes={"plan": "gold"}), {}, "attributes"),
        (Targeting(attributes={"plan": "gold"}), {"attributes": {"plan": "gold", "x": "y"}}, ""),
        (Targeting(schedule=HoursId("office")), {}, ""),
        (Targeting(schedule=HoursId("office")), {"at_ms": MONDAY_NOON_MS + 3 * 3_600_000}, "schedule"),
        (Targeting(percentage=0), {}, "percentage"),
    ],
)
def test_targeting_comes_before_priority(targeting: Targeting, asking: dict[str, Any], reason: str) -> None:
    """A chatflow that is not for the device is passed over with the reason, however high it stands."""
    answer = served(flow("first", priority=1, targeting=targeting), flow("second", priority=2), **asking)
    assert name_of(answer) == ("second" if reason else "first")
    assert answer.passed_over[0].reason == (reason or "priority")


@given(st.text(), st.integers(0, 100), st.integers(0, 100))
def test_a_share_is_stable_and_only_grows(phone: str, one: int, other: int) -> None:
    """Who is in a share stays in when it grows, and is the same on every machine."""
    small, large = sorted((one, other))
    reached = [
        name_of(served(flow("a", targeting=Targeting(percentage=share)), id=phone)) == "a" for share in (small, large)
    ]
    assert reached[0] <= reached[1]
    assert 0 <= bucket(KEY, "rollout", ChatflowId("a"), phone) < 100


def test_a_share_is_about_as_large_as_it_says() -> None:
    """Of a thousand devices about a fifth get a fifth, and two shares are not the same devices."""
    places = [[bucket(KEY, share, ChatflowId("a"), f"dev_{n}") for n in range(1_000)] for share in ("a", "b")]
    inside = [{n for n, place in enumerate(found) if place < 20} for found in places]
    assert all(150 < len(found) < 250 for found in inside)
    assert len(inside[0] & inside[1]) < 80


V1, V2 = flow("a", version=1), flow("a", version=2, rollout=Rollout(share=0))


@pytest.mark.parametrize(
    ("newest", "asking", "version"),
    [
        (replace(V2, rollout=Rollout()), {}, 2),
        (V2, {}, 1),
        (replace(V2, rollout=Rollout(100, "2.2")), {"app_version": "2.1"}, 1),
        (replace(V2, rollout=Rollout(100, "2.2")), {"app_version": "2.2"}, 2),
    ],
)
def test_a_rollout_holds_the_newest_version_back(newest: Chatflow, asking: dict[str, Any], version: int) -> None:
    """By share and by app version; who is not reached gets the version before it, and explain says why."""
    answer = served(newest, past=[V1, flow("b", version=7)], **asking)
    assert answer.flow is not None
    assert (answer.flow.version, bool(answer.held_back)) == (version, version == 1)


def test_the_first_version_cannot_be_held_back() -> None:
    """There is nothing before it to serve."""
    assert name_of(served(V2)) == "a"


def test_a_rollout_that_grows_reaches_devices_one_by_one() -> None:
    """From none to all, and nobody goes back."""
    got = {
        share: {
            n
            for n in range(200)
            if (answer := served(replace(V2, rollout=Rollout(share)), past=[V1], id=f"dev_{n}")).flow
            and answer.flow.version == 2
        }
        for share in (0, 30, 60, 100)
    }
    assert got[0] == set()
    assert got[0] < got[30] < got[60] < got[100] == set(range(200))
