"""Things of an account over REST: made, read, changed, removed, and refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from protocol.ids import AccountId
from tests.kit.offices import Caller, Desk, desk_in


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


@pytest.fixture
async def admin(desk: Desk) -> Caller:
    return await desk.key()


async def test_a_team_is_made_read_changed_and_removed(admin: Caller) -> None:
    """Each answer is the team as it then is."""
    made = await admin.ask("POST", "/teams", {"id": "night", "name": "Natt", "members": ["per"]})
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/teams/night")
    assert (await admin.get("/teams/night"))["members"] == ["per"]
    assert (await admin.patch("/teams/night", {"members": ["per", "siri"]}))["members"] == ["per", "siri"]
    removed = await admin.ask("DELETE", "/teams/night", If_Match="*")
    assert (removed.status_code, (await admin.ask("GET", "/teams/night")).status_code) == (204, 404)


async def test_every_field_that_is_wrong_is_named(admin: Caller) -> None:
    """By a pointer into what was sent."""
    answer = await admin.ask("POST", "/inboxes", {"id": "x", "name": "", "agents": ["nobody"], "remind_s": "soon"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert {fault["pointer"] for fault in answer.json()["errors"]} == {"/name", "/agents/0", "/remind_s"}


async def test_what_others_name_is_not_removed(admin: Caller) -> None:
    """The problem says who names it, and where."""
    answer = await admin.ask("DELETE", "/hours/office", If_Match="*")
    assert answer.status_code == 409
    assert {
        "where": "agents/jon",
        "pointer": "/hours",
        "detail": "there is no opening hours called office",
    } in answer.json()["errors"]


async def test_a_removed_inbox_takes_its_rules_along(admin: Caller) -> None:
    """And nothing else."""
    await admin.post("/inboxes", {"id": "spare", "name": "Spare"})
    rules = [rule["id"] for rule in (await admin.get("/rules"))["items"]]
    assert "spare.default" in rules
    await admin.good("DELETE", "/inboxes/spare", If_Match="*")
    assert [rule["id"] for rule in (await admin.get("/rules"))["items"]] == [
        rule for rule in rules if rule != "spare.default"
    ]


async def test_whoever_saw_something_older_is_told_the_difference(admin: Caller) -> None:
    """The second of two admins changes nothing and sees what the first made of it."""
    etag = (await admin.ask("GET", "/teams/billing")).headers["ETag"]
    await admin.patch("/teams/billing", {"name": "Faktura og betaling"}, etag)
    second = await admin.ask("PATCH", "/teams/billing", {"name": "Regning"}, If_Match=etag)
    assert second.status_code == 412
    assert second.json()["difference"] == [{"pointer": "/name", "yours": "Regning", "present": "Faktura og betaling"}]
    assert (await admin.get("/teams/billing"))["name"] == "Faktura og betaling"
    assert (await admin.ask("PATCH", "/teams/billing", {"name": "X"})).status_code == 428


@pytest.mark.parametrize(
    ("path", "new", "change"),
    [
        ("/contacts/{id}", {"email": "ida@example.org"}, "name"),
        ("/companies/{id}", {"id": "acme", "name": "Acme"}, "name"),
        ("/segments/{id}", {"id": "loyal", "name": "Loyal"}, "name"),
        ("/teams/{id}", {"id": "night", "name": "Night", "members": []}, "name"),
        ("/chatflows/{id}/draft", {"id": "ny", "name": "Ny", "inbox": "desk", "language": "nb", "tag": "ny"}, "name"),
    ],
    ids=["contact", "company", "segment", "team", "draft"],
)
async def test_of_many_who_change_the_same_at_once_one_does(
    admin: Caller, path: str, new: dict[str, Any], change: str
) -> None:
    """Each saw the same; all others are told what the one made of it."""
    made = await admin.ask("POST", f"/{path.split('/')[1]}", new)
    where, etag = path.format(id=made.json()["id"]), made.headers["ETag"]
    asked = (admin.ask("PATCH", where, {change: f"by {number}"}, If_Match=etag) for number in range(5))
    answers = await asyncio.gather(*asked)
    [won] = [answer for answer in answers if answer.status_code == 200]
    lost = [answer.json() for answer in answers if answer.status_code == 412]
    assert len(lost) == 4
    [present] = {difference["present"] for told in lost for difference in told["difference"]}
    assert f'"name":"{present}"' in won.text


async def test_secrets_are_never_shown_and_stay_when_left_out(desk: Desk, admin: Caller) -> None:
    """Passwords, HS256 secrets and server keys: a write that names none of them changes none."""
    before = await desk.office.present(admin_account := (await admin.get("/session"))["account"])
    for path in ("/users", "/apps"):
        said = (await admin.ask("GET", path)).text
        assert not any(word in said for word in ("argon2", "demo-only", "sha256", "password"))
    user, app = await admin.get("/users/per"), await admin.get("/apps/app_fjord")
    await admin.put("/users/per", user | {"name": "Per Vik jr."})
    await admin.put("/apps/app_fjord", app | {"name": "Fjord"})
    after = await desk.office.present(admin_account)
    assert [agent.password for agent in after.agents] == [agent.password for agent in before.agents]
    assert [(app.identity_keys, app.server_keys) for app in after.apps] == [
        (app.identity_keys, app.server_keys) for app in before.apps
    ]


async def test_nobody_gives_or_touches_more_than_they_have(desk: Desk) -> None:
    """An admin makes no owner, and does not change an owner's e-mail."""
    admin = await desk.key(["settings.read", "settings.edit", "staff.edit"])
    new = {"id": "boss", "name": "Boss", "email": "boss@fjord.example", "password": "boss-boss"}
    assert (await admin.ask("POST", "/users", new | {"role": "owner"})).status_code == 403
    assert (await admin.ask("PATCH", "/users/siri", {"email": "x@fjord.example"}, If_Match="*")).status_code == 403
    assert (await admin.ask("POST", "/users", new | {"permissions": ["chatflows.publish"]})).status_code == 403
    assert (await admin.ask("POST", "/users", new)).status_code == 403  # an agent reads contacts, which it does not


async def test_ten_creates_under_one_key_make_one_thing(admin: Caller) -> None:
    """At once, and each gets the same answer; another request under that key is refused."""
    team = {"id": "once", "name": "Once", "members": []}
    asked = [admin.ask("POST", "/teams", team, Idempotency_Key="k1") for _ in range(10)]
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert [item["id"] for item in (await admin.get("/teams"))["items"]].count("once") == 1
    assert (await admin.ask("POST", "/teams", team | {"name": "Other"}, Idempotency_Key="k1")).status_code == 409


async def test_a_list_comes_in_pages(admin: Caller) -> None:
    """Each thing once, in order, whatever is removed in between."""
    for number in range(7):
        await admin.post("/teams", {"id": f"t{number}", "name": f"T{number}", "members": []})
    first = await admin.get("/teams?limit=3&sort=-id")
    await admin.good("DELETE", f"/teams/{first['items'][-1]['id']}", If_Match="*")
    second = await admin.get(f"/teams?limit=10&sort=-id&cursor={first['next']}")
    seen = [item["id"] for item in first["items"] + second["items"]]
    assert seen == ["t6", "t5", "t4", "t3", "t2", "t1", "t0", "billing"]
    assert "next" not in second


@pytest.mark.parametrize("path", ["/teams?limit=0", "/teams?cursor=nonsense", "/teams?colour=red", "/teams?sort=size"])
async def test_a_question_that_is_not_understood_is_refused(admin: Caller, path: str) -> None:
    """Nothing is ignored."""
    assert (await admin.ask("GET", path)).status_code == 400


async def test_every_change_is_in_the_audit_log(desk: Desk, admin: Caller) -> None:
    """Who, what, and which fields; whoever may not read it does not."""
    await admin.patch("/account", {"max_open": 7})
    newest = (await admin.get("/audit?limit=1"))["items"][0]
    assert (newest["action"], newest["changes"]) == ("account.changed", ["max_open: 5 → 7"])
    assert newest["actor"].startswith("key:key_")
    assert await admin.get("/audit/check") == {"entries": newest["seq"], "broken": []}
    other = await desk.key(["settings.read"])
    assert (await other.ask("GET", "/audit")).status_code == 403


@pytest.mark.parametrize("body", [{"id": "x", "text": "Hei"}, {"id": "x"}], ids=["no texts", "none at all"])
async def test_texts_that_are_none_are_refused_by_name(admin: Caller, body: dict[str, str]) -> None:
    """Whatever stands in their place."""
    answer = await admin.ask("POST", "/ready-replies", body)
    assert (answer.status_code, "text" in answer.text) == (422, True)


async def test_a_body_that_is_null_is_no_body(desk: Desk) -> None:
    """It is refused as any other that is not the fields asked for."""
    installation = await desk.key(["accounts.edit"], AccountId(""))
    headers = installation.headers | {"Content-Type": "application/json"}
    answer = await desk.http.post("/api/v1/accounts", headers=headers, content=b"null")
    assert answer.status_code == 422


@pytest.mark.parametrize("text", ["a\x00", "\x1b[31m", "\x7f"])
async def test_a_control_character_is_no_text(admin: Caller, text: str) -> None:
    """Wherever it stands: in a body, as a field's name, in the query, in the path."""
    bodies: list[dict[str, Any]] = [{"id": "x", "name": text}, {"id": "x", "members": [text]}, {text: 1}]
    answers = [await admin.ask("POST", "/teams", body) for body in bodies]
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    pointers = [answer.json()["errors"][0]["pointer"] for answer in answers]
    assert pointers == ["/name", "/members/0", f"/{text}"]
    assert (await admin.ask("GET", f"/chatflows?tag={quote(text)}")).status_code == 400
    assert (await admin.ask("GET", f"/teams/{quote(text)}")).status_code == 400


async def test_half_a_character_is_no_text(admin: Caller) -> None:
    """JSON can say one; nothing can keep it."""
    headers = admin.headers | {"Content-Type": "application/json"}
    body = json.dumps({"id": "x", "name": "\ud800"})
    assert (await admin.http.post("/api/v1/teams", headers=headers, content=body)).status_code == 400
