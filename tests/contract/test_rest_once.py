"""Idempotency-Keys of the REST API, on SQLite and on PostgreSQL: what is asked many times at once is done once."""

import asyncio
import io
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from admin.access.scopes import Scope
from protocol.ids import AccountId
from store.sql.database import Databases
from store.sql.queries import answers, audit_log
from store.sql.queries.answers import KEPT_MS
from tests.kit.engines import now_ms
from tests.kit.offices import FJORD, NORDVIK, Caller, Desk, desk_in
from workers.answers import forget_old

INSTALLATION = AccountId("")
FLOW = {"inbox": "desk", "language": "nb", "name": "Ny"}
OWNER = {"id": "siv", "name": "Siv", "email": "siv@voss.example", "password": "fjord-og-fjell"}
# What is asked, and the action of its one line in the audit log ("": it has none).
CREATES: dict[str, tuple[str, Any, str]] = {
    "app": ("/apps", {"key": "app_once", "name": "Once"}, "app.created"),
    "inbox": ("/inboxes", {"id": "once", "name": "Once"}, "inbox.created"),
    "chatflow": ("/chatflows", FLOW | {"id": "once", "tag": "once"}, "chatflow.created"),
    "clone": ("/chatflows/{flow}/clone", {"id": "once-more", "name": "Once"}, "chatflow.created"),
    "publish": ("/chatflows/{flow}/publish", {}, "chatflow.published"),
    "roll back": ("/chatflows/{flow}/roll-back", {}, "chatflow.rolled_back"),
    "preview": ("/chatflows/{flow}/preview", {}, "preview.begun"),
    "contact": ("/contacts", {"email": "once@example.org", "name": "Ida"}, "contact.created"),
    "merge": ("/contacts/{one}/merge", {"contact": "{other}"}, "contact.merged"),
    "erasure": ("/contacts/{one}/erasure", None, "contact.erased"),
    "withdrawal": ("/contacts/{one}/withdrawals", {"purpose": "process"}, "consent.withdrawn"),
    "company": ("/companies", {"id": "once", "name": "Once"}, "company.created"),
    "segment": ("/segments", {"id": "once", "name": "Once"}, "segment.created"),
    "key": ("/keys", {"name": "once", "scopes": ["settings.read"]}, "key.created"),
    "token": ("/apps/app_fjord/visitor-tokens", {"subject": "u-17"}, ""),
}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def everyones(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Desk, Caller]]:
    """One installation on each server in turn, and one who may everything there."""
    folder: Path = tmp_path_factory.mktemp("office")
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    async with desk_in(folder, urls=(url, url) if url else None) as desk:
        yield desk, await desk.key()


async def prepared(admin: Caller, kind: str) -> tuple[str, Any]:
    """Make what the request is about, and return where and what is asked."""
    path, body, _ = CREATES[kind]
    if "{one}" in path:
        one, other = [(await admin.post("/contacts", {"subject": f"{kind} {name}"}))["id"] for name in ("1", "2")]
        return path.format(one=one), {"contact": other} if kind == "merge" else body
    if "{flow}" in path:
        flow = kind.replace(" ", "-")
        await admin.post("/chatflows", FLOW | {"id": flow, "tag": flow})
        if kind == "roll back":
            await admin.post(f"/chatflows/{flow}/publish")
            await admin.patch(f"/chatflows/{flow}/draft", {"name": "Nyere"})
            await admin.post(f"/chatflows/{flow}/publish")
        return path.format(flow=flow), body
    return path, body


async def entries(desk: Desk, account: AccountId, action: str) -> int:
    found = await desk.office.config.read(partial(audit_log.after, account=account, seq=0, limit=500))
    return sum(entry.deed.action == action for entry in found)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", CREATES)
async def test_ten_at_once_under_one_key_are_one(everyones: tuple[Desk, Caller], kind: str) -> None:
    """Each of the ten gets the same answer, nine of them as a repetition."""
    desk, admin = everyones
    path, said = await prepared(admin, kind)
    action = CREATES[kind][2]
    before = await entries(desk, FJORD, action)
    told = await asyncio.gather(*(admin.ask("POST", path, said, Idempotency_Key=kind) for _ in range(10)))
    assert {answer.status_code for answer in told} in ({200}, {201}, {202}), {answer.text for answer in told}
    assert len({(answer.text, answer.headers.get("Location")) for answer in told}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in told) == 9
    assert await entries(desk, FJORD, action) - before == (1 if action else 0)


async def test_accounts_at_once_under_one_key_are_one(desk: Desk) -> None:
    """For the installation, too."""
    scopes: tuple[Scope, ...] = ("accounts.edit",)
    installation = await desk.key(scopes, INSTALLATION)
    new = {"id": "voss", "name": "Voss", "owner": OWNER}
    told = await asyncio.gather(*(installation.ask("POST", "/accounts", new, Idempotency_Key="k1") for _ in range(3)))
    assert {(answer.status_code, answer.text) for answer in told} == {(201, told[0].text)}
    assert await entries(desk, AccountId("voss"), "account.created") == 1


async def test_images_at_once_under_one_key_are_one(desk: Desk) -> None:
    """And the same address for all."""
    admin, file = await desk.key(), io.BytesIO()
    Image.new("RGB", (3, 2), "teal").save(file, "PNG")
    headers = admin.headers | {"Content-Type": "image/png", "Idempotency-Key": "k1"}
    put = partial(desk.http.post, "/api/v1/images", content=file.getvalue(), headers=headers)
    told = await asyncio.gather(*(put() for _ in range(3)))
    assert {(answer.status_code, answer.text) for answer in told} == {(201, told[0].text)}
    assert await entries(desk, FJORD, "image.created") == 1


async def test_another_request_under_the_key_is_refused(desk: Desk) -> None:
    """On either side of what is kept, and with another body as with another path."""
    admin = await desk.key()
    await admin.post("/companies", {"id": "new", "name": "New"}, Idempotency_Key="k1")
    await admin.post("/keys", {"name": "new", "scopes": ["settings.read"]}, Idempotency_Key="k1")
    for path, body in (
        ("/companies", {"id": "new", "name": "Other"}),
        ("/segments", {"id": "new", "name": "New"}),
        ("/keys", {"name": "new", "scopes": ["settings.edit"]}),
        ("/teams", {"id": "new", "name": "New", "members": []}),
    ):
        answer = await admin.ask("POST", path, body, Idempotency_Key="k1")
        assert (answer.status_code, "Idempotency-Key" in answer.json()["detail"]) == (409, True)


async def test_an_answer_is_nobody_elses(desk: Desk) -> None:
    """Whoever asks the same under the same key with another credential is told nothing of it."""
    new = {"name": "new", "scopes": ["settings.read"]}
    callers = [await desk.key(), await desk.key(), await desk.key(account=NORDVIK)]
    made = [await caller.ask("POST", "/keys", new, Idempotency_Key="k1") for caller in callers]
    assert [("Idempotency-Replayed" in answer.headers) for answer in made] == [False] * 3
    assert len({answer.json()["secret"] for answer in made}) == 3


async def test_an_erasure_is_answered_again_once_it_is_done(desk: Desk) -> None:
    """Though whom it was about is not there any more."""
    admin = await desk.key()
    path = f"/contacts/{(await admin.post('/contacts', {'subject': 'u-17'}))['id']}"
    asked = await admin.post(f"{path}/erasure", Idempotency_Key="k1")
    await desk.office.record.transact(lambda sql: sql.exec_driver_sql("DELETE FROM contact"))
    assert (await admin.ask("GET", path)).status_code == 404
    assert await admin.post(f"{path}/erasure", Idempotency_Key="k1") == asked
    assert (await admin.ask("POST", f"{path}/erasure", Idempotency_Key="k2")).status_code == 404


async def test_a_secret_is_kept_sealed(desk: Desk, tmp_path: Path) -> None:
    """Neither a key's secret nor a token nor the Idempotency-Key itself is in what SQL keeps."""
    admin, named = await desk.key(), "a-key-that-is-named"
    key = await admin.post("/keys", {"name": "new", "scopes": ["settings.read"]}, Idempotency_Key=named)
    token = await admin.post("/apps/app_fjord/visitor-tokens", {"subject": "u-17"}, Idempotency_Key="k2")
    rows = await desk.office.config.read(lambda sql: sql.exec_driver_sql("SELECT * FROM kept_answer").all())
    assert len(rows) == 2
    for secret in (key["secret"], token["token"], named):
        assert not any(
            secret in str(value) or secret.encode() in bytes(str(value), "utf-8") for row in rows for value in row
        )
        assert not any(isinstance(value, bytes) and secret.encode() in value for row in rows for value in row)


async def test_what_was_not_done_may_be_tried_again(desk: Desk) -> None:
    """A problem is not kept: once its cause is gone, the same request under the same key is done."""
    admin = await desk.key()
    contact = {"email": "ida@example.org", "company": "new"}
    assert (await admin.ask("POST", "/contacts", contact, Idempotency_Key="k1")).status_code == 422
    await admin.post("/companies", {"id": "new", "name": "New"})
    assert (await admin.ask("POST", "/contacts", contact, Idempotency_Key="k1")).status_code == 201


async def test_a_person_is_in_no_answer_that_is_kept(desk: Desk) -> None:
    """Who is made is read again: as they are by now, and not at all once they are gone."""
    admin = await desk.key()
    ida = await admin.post("/contacts", {"email": "ida@example.org"}, Idempotency_Key="k1")
    await admin.patch(f"/contacts/{ida['id']}", {"name": "Ida"})
    again = await admin.ask("POST", "/contacts", {"email": "ida@example.org"}, Idempotency_Key="k1")
    assert (again.status_code, again.json()["name"]) == (201, "Ida")
    rows = await desk.office.record.read(lambda sql: sql.exec_driver_sql("SELECT answer FROM record_answer").all())
    assert [bytes(row[0]) for row in rows] == [ida["id"].encode()]


async def test_answers_are_forgotten_after_a_day(desk: Desk) -> None:
    """By a worker, on both sides; then the same request is a new one."""
    admin, databases = await desk.key(), Databases(desk.office.config, desk.office.record)
    new = {"name": "new", "scopes": ["settings.read"]}
    first = await admin.post("/keys", new, Idempotency_Key="k1")
    await admin.post("/companies", {"id": "new", "name": "New"}, Idempotency_Key="k1")
    await forget_old(databases, now_ms() + KEPT_MS - 60_000)
    assert await admin.post("/keys", new, Idempotency_Key="k1") == first
    await forget_old(databases, now_ms() + KEPT_MS)
    for side, database in (("config", databases.config), ("record", databases.record)):
        assert not await database.read(partial(answers.is_any_old, side=side, now_ms=2**60))
    assert (await admin.post("/keys", new, Idempotency_Key="k1"))["id"] != first["id"]
