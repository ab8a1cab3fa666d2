"""What holds of every list and every change over REST, asked of the operations that there are."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.offices import Caller, Desk, desk_in

# What is never more than a page: the versions that are kept, and what one person answered.
SHORT = {"list_versions", "list_subscription_changes"}
# What ends or is said, whatever was seen of it before: nobody can overwrite another's with it.
UNSEEN = {"log_out", "revoke_key", "end_preview", "set_subscription", "name_member", "unname_member"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


async def test_every_list_comes_in_pages(desk: Desk) -> None:
    """With `limit` and `cursor`."""
    lists = {name: one for name, one in desk.operations.items() if name.startswith("list_")}
    paged = {name for name, one in lists.items() if {"limit", "cursor"} <= {each.name for each in one.parameters}}
    assert set(lists) - paged == SHORT


async def test_every_change_says_what_it_is_made_of(desk: Desk) -> None:
    """With `If-Match`, whatever is replaced, patched or removed."""
    changes = {name: one for name, one in desk.operations.items() if one.method in ("PUT", "PATCH", "DELETE")}
    of_admin = {name for name, one in changes.items() if one.tag not in ("conversations", "tickets", "tags")}
    assert {name for name in of_admin if not changes[name].guarded} == UNSEEN


@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        ("/retention", {"days": 30}, {"days": 40}),
        ("/contact_properties/plan", {"type": "string", "label": "Plan"}, {"type": "string", "label": "Tariff"}),
        ("/chatflows/order", None, None),
    ],
    ids=["retention", "property", "order"],
)
async def test_who_saw_something_older_changes_nothing(desk: Desk, path: str, first: Any, second: Any) -> None:
    """And is shown what it is by now."""
    admin = await desk.key()
    if path == "/chatflows/order":
        flows = (await admin.get(path))["chatflows"]
        first, second = {"chatflows": flows[::-1]}, {"chatflows": flows[1:] + flows[:1]}
    if path.startswith("/contact_properties"):
        await admin.put(path, {"type": "string"})
    etag = (await admin.ask("GET", path)).headers["ETag"]
    await admin.put(path, first, etag)
    late = await admin.ask("PUT", path, second, If_Match=etag)
    assert (late.status_code, late.json()["present"]) == (412, await admin.get(path))


async def test_keys_previews_and_properties_are_found(desk: Desk) -> None:
    """In the order that is asked for, and only those that are."""
    admin = await desk.key()
    keys = [await admin.post("/keys", {"name": name, "scopes": ["settings.read"]}) for name in ("b", "a")]
    await admin.good("DELETE", f"/keys/{keys[0]['id']}")
    assert [key["name"] for key in (await admin.get("/keys?revoked=true"))["items"]] == ["b"]
    named = [key["name"] for key in (await admin.get("/keys?sort=-name"))["items"]]
    assert named == sorted(named, reverse=True)
    for name, type_ in (("age", "number"), ("plan", "string"), ("born", "date")):
        await admin.put(f"/contact_properties/{name}", {"type": type_})
    found = await admin.get("/contact_properties?sort=-name&limit=2")
    assert [each["name"] for each in found["items"]] == ["plan", "born"]
    rest = await admin.get(f"/contact_properties?sort=-name&limit=2&cursor={found['next']}")
    assert [each["name"] for each in rest["items"]] == ["age"]
    assert [each["name"] for each in (await admin.get("/contact_properties?type=date"))["items"]] == ["born"]
    assert (await admin.get("/previews?chatflow=none&sort=-ends_at_ms"))["items"] == []


async def test_erasures_come_in_pages(desk: Desk) -> None:
    """Newest first, each once."""
    admin = await desk.key()
    asked = []
    for number in range(3):
        contact = await admin.post("/contacts", {"subject": f"u-{number}"})
        asked.append((await admin.post(f"/contacts/{contact['id']}/erasure"))["id"])
    first = await admin.get("/erasures?limit=2")
    second = await admin.get(f"/erasures?limit=2&cursor={first['next']}")
    assert sorted(each["id"] for each in first["items"] + second["items"]) == sorted(asked)
    assert "next" not in second


async def whole(admin: Caller, asked: str) -> list[str]:
    """Return the ids of a list that is read a page of one at a time."""
    page = await admin.get(f"{asked}&limit=1")
    found = page["items"]
    while "next" in page:
        page = await admin.get(f"{asked}&limit=1&cursor={page['next']}")
        found += page["items"]
    return [each["id"] for each in found]


@pytest.mark.parametrize("path", ["/companies", "/segments"])
async def test_companies_and_segments_have_an_order(desk: Desk, path: str) -> None:
    """By id, unless another is asked for; names as long as may be are gone on after."""
    admin = await desk.key()
    for id_, name in (("b", "𝄞" * 200), ("a", "z"), ("c", "m")):
        await admin.post(path, {"id": id_, "name": name})
    assert await whole(admin, f"{path}?") == ["a", "b", "c"]
    assert await whole(admin, f"{path}?sort=-id") == ["c", "b", "a"]
    assert await whole(admin, f"{path}?sort=name") == ["c", "a", "b"]
    assert await whole(admin, f"{path}?sort=-name") == ["b", "a", "c"]
    assert (await admin.ask("GET", f"{path}?sort=rule")).status_code == 400


async def test_contacts_have_an_order(desk: Desk) -> None:
    """By name, by address or by when they were made or changed; those found by a filter, too."""
    admin = await desk.key()
    told = [("ida", "b@example.org"), ("bo", "c@example.org"), ("ida", "a@example.org")]
    ids = [(await admin.post("/contacts", {"name": name, "email": email}))["id"] for name, email in told]
    assert await whole(admin, "/contacts?sort=email") == [ids[2], ids[0], ids[1]]
    assert await whole(admin, "/contacts?sort=-name") == [*sorted([ids[0], ids[2]]), ids[1]]
    assert await whole(admin, "/contacts?sort=-email&text=ida") == [ids[0], ids[2]]
    assert sorted(await whole(admin, "/contacts?sort=changed_at_ms")) == sorted(ids)
