"""Chatflows over REST: made, drafted, checked, published, compared, rolled back, ordered, put away."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.offices import FJORD, NORDVIK, Caller, Desk, desk_in

NEW = {"id": "autumn", "name": "Høst", "inbox": "desk", "language": "nb", "tag": "autumn"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


@pytest.fixture
async def admin(desk: Desk) -> Caller:
    return await desk.key()


async def published(desk: Desk, name: str) -> Any:
    config = await desk.office.present(FJORD)
    return next((flow for flow in config.chatflows if flow.id == name), None)


async def test_a_new_chatflow_is_unpublished_disabled_and_last(desk: Desk, admin: Caller) -> None:
    """All its other fields have valid defaults: it can be published as it is."""
    made = await admin.post("/chatflows", NEW)
    others = [flow["priority"] for flow in (await admin.get("/chatflows"))["items"] if flow["id"] != "autumn"]
    assert (made["published"], made["enabled"], made["draft_differs"]) == (None, False, True)
    assert made["priority"] == max(others) + 1
    assert await published(desk, "autumn") is None
    assert (await admin.post("/chatflows/autumn/check"))["valid"]
    assert (await admin.post("/chatflows/autumn/publish"))["published"] == 1
    assert (await published(desk, "autumn")).enabled is False


async def test_a_draft_is_seen_by_nobody_until_it_is_published(desk: Desk, admin: Caller) -> None:
    """Publishing makes the next version and ends the draft."""
    await admin.post("/chatflows", NEW)
    await admin.post("/chatflows/autumn/publish")
    drafted = await admin.patch("/chatflows/autumn/draft", {"welcome": {"nb": "Hei på deg"}})
    assert (drafted["published"], drafted["draft_differs"]) == (1, True)
    assert (await published(desk, "autumn")).welcome == {}
    said = await admin.get("/chatflows/autumn/difference")
    assert said["changes"] == [{"field": "welcome.nb", "before": None, "after": "Hei på deg"}]
    after = await admin.post("/chatflows/autumn/publish")
    assert (after["published"], after["draft_differs"]) == (2, False)
    assert (await published(desk, "autumn")).welcome == {"nb": "Hei på deg"}


async def test_publishing_what_is_published_changes_nothing(desk: Desk, admin: Caller) -> None:
    """No version is made of nothing."""
    before = await desk.office.present(FJORD)
    name = before.chatflows[0].id
    assert (await admin.post(f"/chatflows/{name}/publish"))["published"] == before.chatflows[0].version
    assert await desk.office.present(FJORD) == before


async def test_a_draft_that_cannot_be_published_says_why(admin: Caller) -> None:
    """Each mistake at its field, in a check and in the refusal alike."""
    await admin.post("/chatflows", NEW)
    wrong = {"rule": "nowhere", "availability": {"kind": "office_hours"}, "welcome": {"en": "Hello"}}
    await admin.patch("/chatflows/autumn/draft", wrong)
    checked = await admin.post("/chatflows/autumn/check")
    pointers = {fault["pointer"] for fault in checked["errors"]}
    assert (checked["valid"], pointers) == (False, {"/rule", "/availability", "/welcome"})
    refused = await admin.ask("POST", "/chatflows/autumn/publish")
    assert (refused.status_code, {fault["pointer"] for fault in refused.json()["errors"]}) == (422, pointers)


async def test_a_draft_of_the_wrong_shape_is_not_kept(admin: Caller) -> None:
    """And what is live has no place in one."""
    await admin.post("/chatflows", NEW)
    for body, pointer in (({"welcome": "Hei"}, "/welcome"), ({"colour": "red"}, "/colour"), ({"tags": ["x"]}, "/tags")):
        answer = await admin.ask("PATCH", "/chatflows/autumn/draft", body, If_Match="*")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await admin.get("/chatflows/autumn"))["draft"].get("welcome") == {}


async def test_linking_a_survey_of_another_delivery_is_refused_with_that_reason(admin: Caller) -> None:
    """Only those whose delivery is chat can be linked."""
    await admin.post("/surveys", {"id": "mailed", "name": "Mailed", "delivery": "email"})
    await admin.post("/chatflows", NEW)
    await admin.patch("/chatflows/autumn/draft", {"survey": "mailed"})
    [fault] = (await admin.post("/chatflows/autumn/check"))["errors"]
    assert fault == {
        "pointer": "/survey",
        "detail": "mailed is delivered by email; only surveys whose delivery is chat can be linked",
    }


async def test_a_linked_survey_changes_with_the_next_publish(desk: Desk, admin: Caller) -> None:
    """What is published keeps its own copy."""
    await admin.post("/surveys", {"id": "mine", "name": "Mine", "question": {"nb": "Hvordan gikk det?"}})
    await admin.post("/chatflows", NEW)
    await admin.patch("/chatflows/autumn/draft", {"survey": "mine"})
    await admin.post("/chatflows/autumn/publish")
    await admin.patch("/surveys/mine", {"question": {"nb": "Fornøyd?"}})
    assert (await published(desk, "autumn")).survey.question == {"nb": "Hvordan gikk det?"}
    await admin.patch("/chatflows/autumn/draft", {"survey": "mine"})
    assert (await admin.post("/chatflows/autumn/publish"))["published"] == 2
    assert (await published(desk, "autumn")).survey.question == {"nb": "Fornøyd?"}


async def test_rolling_back_publishes_the_earlier_content_anew(desk: Desk, admin: Caller) -> None:
    """In one action; versions only rise."""
    await admin.post("/chatflows", NEW)
    await admin.post("/chatflows/autumn/publish")
    await admin.patch("/chatflows/autumn/draft", {"welcome": {"nb": "To"}})
    await admin.post("/chatflows/autumn/publish")
    assert (await admin.post("/chatflows/autumn/roll-back"))["published"] == 3
    assert (await published(desk, "autumn")).welcome == {}
    versions = (await admin.get("/chatflows/autumn/versions"))["items"]
    assert [(version["version"], version["newest"]) for version in versions] == [(3, True), (2, False), (1, False)]
    assert (await admin.get("/chatflows/autumn/difference?from=1&to=3"))["changes"] == []


async def test_what_is_live_changes_no_version(desk: Desk, admin: Caller) -> None:
    """On and off, tags, former tags, rollout."""
    await admin.post("/chatflows", NEW)
    assert (await admin.ask("PATCH", "/chatflows/autumn", {"enabled": True}, If_Match="*")).status_code == 409
    await admin.post("/chatflows/autumn/publish")
    live = {"enabled": True, "tags": ["winter"], "former_tags": ["autumn"], "rollout": {"share": 50}}
    after = await admin.patch("/chatflows/autumn", live)
    assert (after["published"], after["rollout"]["share"]) == (1, 50)
    flow = await published(desk, "autumn")
    assert (flow.version, flow.enabled, flow.tags, flow.former_tags) == (1, True, ["winter"], ["autumn"])


async def test_going_before_another_chatflow_of_the_tag_changes_who_is_served(admin: Caller) -> None:
    """The order is said whole, and explained for a device."""
    await admin.post("/chatflows", NEW | {"tag": "kunde"})
    await admin.post("/chatflows/autumn/publish")
    await admin.patch("/chatflows/autumn", {"enabled": True})
    flows = [flow["id"] for flow in (await admin.get("/chatflows?limit=200"))["items"]]
    assert "autumn" in flows
    await admin.put("/chatflows/order", {"chatflows": ["autumn", *(name for name in flows if name != "autumn")]})
    assert (await admin.post("/chatflows/explain", {"tag": "kunde"}))["chatflow"] == "autumn"
    short = await admin.ask("PUT", "/chatflows/order", {"chatflows": ["autumn"]}, If_Match="*")
    assert short.status_code == 422


async def test_two_admins_on_one_draft_do_not_overwrite_each_other(admin: Caller, desk: Desk) -> None:
    """The second sees the difference."""
    await admin.post("/chatflows", NEW)
    etag = (await admin.ask("GET", "/chatflows/autumn")).headers["ETag"]
    await admin.patch("/chatflows/autumn/draft", {"welcome": {"nb": "Min"}}, etag)
    second = await (await desk.key()).ask("PATCH", "/chatflows/autumn/draft", {"welcome": {"nb": "Din"}}, If_Match=etag)
    assert second.status_code == 412
    assert {"pointer": "/draft/welcome/nb", "yours": "Din", "present": "Min"} in second.json()["difference"]


async def test_asking_again_counts_from_the_new_version(desk: Desk, admin: Caller) -> None:
    """A publish marked so makes earlier consents count no more."""
    await admin.post("/chatflows", NEW)
    await admin.post("/chatflows/autumn/publish")
    await admin.post("/chatflows/autumn/publish", {"ask_again": True})
    flow = await published(desk, "autumn")
    assert (flow.version, flow.consent.ask_again_from) == (2, 2)


async def test_a_clone_is_a_chatflow_of_its_own(admin: Caller) -> None:
    """With the draft's content, unpublished and disabled."""
    await admin.post("/chatflows", NEW)
    await admin.patch("/chatflows/autumn/draft", {"welcome": {"nb": "Hei"}})
    clone = await admin.post("/chatflows/autumn/clone", {"id": "copy", "name": "Kopi"})
    assert (clone["published"], clone["enabled"], clone["draft"]["name"]) == (None, False, "Kopi")
    assert clone["draft"]["welcome"] == {"nb": "Hei"}
    assert (await admin.ask("POST", "/chatflows/autumn/clone", {"id": "copy", "name": "Kopi"})).status_code == 409


async def test_an_archived_chatflow_serves_nobody_and_comes_back_disabled(desk: Desk, admin: Caller) -> None:
    """It is never deleted once it was published."""
    await admin.post("/chatflows", NEW)
    assert (await admin.ask("POST", "/chatflows/autumn/archive")).status_code == 409
    await admin.post("/chatflows/autumn/publish")
    await admin.patch("/chatflows/autumn", {"enabled": True})
    assert (await admin.post("/chatflows/autumn/archive"))["archived"]
    assert (await published(desk, "autumn")).archived
    assert "autumn" not in [flow["id"] for flow in (await admin.get("/chatflows?limit=200"))["items"]]
    back = await admin.post("/chatflows/autumn/take-out")
    assert (back["archived"], back["enabled"]) == (False, False)


async def test_what_was_never_published_can_be_removed(admin: Caller) -> None:
    """With its draft."""
    await admin.post("/chatflows", NEW)
    await admin.good("DELETE", "/chatflows/autumn/draft", If_Match="*")
    assert (await admin.ask("GET", "/chatflows/autumn")).status_code == 404


async def test_editing_and_publishing_are_two_permissions(desk: Desk) -> None:
    """Whoever only edits does not publish, and the other way round."""
    editor = await desk.key(["settings.read", "chatflows.edit"])
    publisher = await desk.key(["settings.read", "chatflows.publish"])
    assert (await publisher.ask("POST", "/chatflows", NEW)).status_code == 403
    await editor.post("/chatflows", NEW)
    assert (await editor.ask("POST", "/chatflows/autumn/publish")).status_code == 403
    assert (await publisher.post("/chatflows/autumn/publish"))["published"] == 1


async def test_another_account_sees_and_changes_nothing(desk: Desk, admin: Caller) -> None:
    """For it, the chatflow is not there."""
    await admin.post("/chatflows", NEW)
    stranger = await desk.key(account=NORDVIK)
    assert (await stranger.ask("GET", "/chatflows/autumn")).status_code == 404
    assert (await stranger.ask("POST", "/chatflows/autumn/publish")).status_code == 404
    assert "autumn" not in (await stranger.ask("GET", "/chatflows")).text
