"""Contacts, companies, segments, consents and erasures over REST."""

import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from protocol.bus.facts import ConsentGiven, ContactKnown, Subscribed
from protocol.ids import AppKey, CellName, ContactId, VisitorId, contact_by_email
from store.sql.queries import accounts, cells, commits, jobs
from store.sql.queries.whom import WITHDRAW, WITHDRAWAL_DECODER
from tests.kit.commits import commit, conversation
from tests.kit.offices import FJORD, NORDVIK, Caller, Desk, desk_in

KARI = {"email": "Kari@example.org", "name": "Kari"}
VISITOR = VisitorId("vis_kari")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


@pytest.fixture
async def admin(desk: Desk) -> Caller:
    return await desk.key()


async def cell_of(desk: Desk) -> tuple[CellName, bytes]:
    """Where Fjord lives, and the key that its contacts' ids are made with."""
    config = await desk.office.config.read(partial(accounts.config, account=FJORD))
    assert config is not None
    return config.cell, config.id_key


async def happened(desk: Desk, *facts: Any, **rows: Any) -> None:
    """A cell committed these facts, and its scribe has copied them."""
    cell, _ = await cell_of(desk)
    await desk.office.record.transact(lambda sql: cells.begin_epoch(sql, cell, 1))
    batch = [commit(1, facts=list(facts), **rows)]
    assert await desk.office.record.transact(lambda sql: commits.apply(sql, cell, batch))


def consent(number: int, answer: str = "granted", chatflow: str = "help") -> ConsentGiven:
    names = (AppKey("app_fjord"), chatflow, conversation(1), "process", answer, "ab", 1, "nb", "1.0", 1_000 + number)
    return ConsentGiven(FJORD, f"line_{number}", VISITOR, *names)


async def known(desk: Desk) -> ContactId:
    """A visitor has become known as a contact, and consented."""
    _, key = await cell_of(desk)
    id_ = contact_by_email(key, "kari@example.org")
    contact = ContactKnown(
        FJORD, id_, VISITOR, "kari@example.org", "", "Kari", verified=False, marketing=True, owner="", at_ms=5
    )
    news = Subscribed(FJORD, id_, "power_prices", wants=True, verified=False, at_ms=6)
    await happened(desk, contact, news, consent(1), consent(2, "withdrawn"), consent(3, chatflow="other"))
    return id_


async def test_a_contact_is_made_found_changed(admin: Caller) -> None:
    """Its id follows from its address, whatever its case; made again it is a conflict that names it."""
    made = await admin.ask("POST", "/contacts", KARI)
    assert (made.status_code, made.json()["email"]) == (201, "Kari@example.org")
    again = await admin.ask("POST", "/contacts", {"email": "kari@EXAMPLE.org"})
    assert (again.status_code, again.json()["errors"][0]["where"]) == (409, f"contacts/{made.json()['id']}")
    found = (await admin.get("/contacts?text=kar"))["items"]
    assert [each["id"] for each in found] == [made.json()["id"]]
    path = f"/contacts/{made.json()['id']}"
    assert (await admin.patch(path, {"marketing": True, "name": "Kari N."}))["name"] == "Kari N."
    assert [each["name"] for each in (await admin.get("/contacts?marketing=true"))["items"]] == ["Kari N."]


async def test_two_admins_on_one_contact(admin: Caller) -> None:
    """The second is told what differs."""
    id_ = (await admin.post("/contacts", KARI))["id"]
    seen = await admin.ask("GET", f"/contacts/{id_}")
    await admin.patch(f"/contacts/{id_}", {"owner": "siri"}, if_match=seen.headers["ETag"])
    late = await admin.ask("PATCH", f"/contacts/{id_}", {"owner": "per"}, If_Match=seen.headers["ETag"])
    assert (late.status_code, late.json()["difference"]) == (
        412, [{"pointer": "/owner", "yours": "per", "present": "siri"}],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "good", "shown", "bad"),
    [
        ("string", "gull", "gull", 7),
        ("number", 7.5, 7.5, "7"),
        ("number", 7, 7, True),
        ("bool", True, True, "true"),
        ("date", "2026-11-23", "2026-11-23", "23.11.2026"),
        ("choice", "a", "a", "c"),
    ],
)
async def test_a_property_has_a_type(admin: Caller, type_: str, good: Any, shown: Any, bad: Any) -> None:
    """What does not fit is refused by its name; what fits comes back as it was sent, and null removes it."""
    told = {"type": type_, "choices": ["a", "b"] if type_ == "choice" else []}
    await admin.put("/contact_properties/plan", told)
    path = f"/contacts/{(await admin.post('/contacts', KARI))['id']}"
    assert (await admin.patch(path, {"properties": {"plan": good}}))["properties"] == {"plan": shown}
    refused = await admin.ask("PATCH", path, {"properties": {"plan": bad}}, If_Match="*")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/properties/plan")
    assert (await admin.patch(path, {"properties": {"plan": None}}))["properties"] == {}
    other = await admin.ask(
        "PUT", "/contact_properties/plan", {"type": "bool" if type_ != "bool" else "date"}, If_Match="*"
    )
    assert other.status_code == 422


async def test_unknown_property(admin: Caller) -> None:
    """Only what the account defined is taken."""
    answer = await admin.ask("POST", "/contacts", KARI | {"properties": {"plan": "gold"}})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/properties/plan")


async def test_a_company_has_contacts_and_goes(admin: Caller) -> None:
    """A contact belongs to zero or one; one that is removed leaves its contacts."""
    await admin.post("/companies", {"id": "acme", "name": "Acme", "domain": "acme.example"})
    id_ = (await admin.post("/contacts", KARI | {"company": "acme"}))["id"]
    assert [each["id"] for each in (await admin.get("/contacts?company=acme"))["items"]] == [id_]
    await admin.patch("/companies/acme", {"name": "Acme AS"})
    assert (await admin.get("/companies"))["items"][0]["name"] == "Acme AS"
    await admin.good("DELETE", "/companies/acme", If_Match="*")
    assert (await admin.get(f"/contacts/{id_}"))["company"] is None
    nowhere = await admin.ask("PATCH", f"/contacts/{id_}", {"company": "acme"}, If_Match="*")
    assert nowhere.status_code == 422


async def test_a_segment_is_who_is_named_and_who_meets_its_rule(admin: Caller) -> None:
    """Looked up when it is asked."""
    await admin.put("/contact_properties/plan", {"type": "string"})
    gold = (await admin.post("/contacts", KARI | {"properties": {"plan": "gold"}}))["id"]
    named = (await admin.post("/contacts", {"subject": "u-2"}))["id"]
    other = (await admin.post("/contacts", {"subject": "u-3", "properties": {"plan": "free"}}))["id"]
    rule = [{"property": "plan", "equals": "gold"}]
    await admin.post("/segments", {"id": "vip", "name": "VIP", "rule": rule})
    await admin.good("PUT", f"/segments/vip/contacts/{named}")
    assert {each["id"] for each in (await admin.get("/contacts?segment=vip"))["items"]} == {gold, named}
    await admin.patch("/segments/vip", {"rule": [{"property": "plan"}]})
    assert {each["id"] for each in (await admin.get("/contacts?segment=vip"))["items"]} == {gold, named, other}
    await admin.patch("/segments/vip", {"rule": []})
    await admin.good("DELETE", f"/segments/vip/contacts/{named}")
    assert (await admin.get("/contacts?segment=vip"))["items"] == []
    await admin.good("DELETE", "/segments/vip", If_Match="*")
    assert (await admin.ask("GET", "/contacts?segment=vip")).status_code == 404


async def test_merging(desk: Desk, admin: Caller) -> None:
    """Visitors and answers of both are the survivor's, a no stays a no, and the other's id still leads there."""
    other = await known(desk)
    survivor = (await admin.post("/contacts", {"subject": "u-1", "name": "Kari Nilsen"}))["id"]
    await admin.good("PUT", f"/contacts/{survivor}/subscriptions/power_prices", {"wants": False})
    merged = await admin.post(f"/contacts/{survivor}/merge", {"contact": other})
    assert (merged["name"], merged["email"], merged["visitors"]) == (
        "Kari Nilsen", "kari@example.org", [{"id": VISITOR, "verified": False}],
    )  # fmt: skip
    assert merged["subscriptions"] == {"power_prices": False}
    assert (await admin.get(f"/contacts/{other}"))["id"] == survivor
    sources = [line["source"] for line in (await admin.get(f"/contacts/{survivor}/subscriptions"))["items"]]
    assert sorted(sources) == ["admin", "merge", "visitor"]
    assert (await admin.ask("POST", f"/contacts/{survivor}/merge", {"contact": survivor})).status_code == 422


async def test_the_ledger_is_exported(desk: Desk, admin: Caller) -> None:
    """By contact, chatflow and time, as JSON, JSON lines and CSV; of a contact, also what was said before it was one."""
    id_ = await known(desk)
    whole = (await admin.get(f"/consents?contact={id_}"))["items"]
    assert [line["id"] for line in whole] == ["line_1", "line_2", "line_3"]
    text = (await admin.ask("GET", "/consents/export.csv?chatflow=help&from_ms=1002")).text
    assert [(row["id"], row["answer"]) for row in csv.DictReader(io.StringIO(text))] == [("line_2", "withdrawn")]
    lines = (await admin.ask("GET", "/consents/export.jsonl?to_ms=1002")).text.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["line_1"]
    first = await admin.get("/consents?limit=2")
    rest = await admin.get(f"/consents?limit=2&cursor={first['next']}")
    assert [line["id"] for line in rest["items"]] == ["line_3"]


async def test_a_withdrawal_is_a_job_for_the_cell(desk: Desk, admin: Caller) -> None:
    """For everybody who is known as the contact."""
    id_ = await known(desk)
    answer = await admin.ask("POST", f"/contacts/{id_}/withdrawals", {"purpose": "process"})
    assert (answer.status_code, answer.json()) == (202, {"visitors": [VISITOR]})
    taken = partial(jobs.take, side="config", now_ms=2**50, lease_ms=1, limit=50)
    found = [job for job in await desk.office.config.transact(taken) if job.kind == WITHDRAW]
    assert [WITHDRAWAL_DECODER.decode(job.payload).purpose for job in found] == ["process"]


async def test_an_export_holds_the_person(desk: Desk, admin: Caller) -> None:
    """One zip: who they are, what they consented to, and what was said, as JSON and as text."""
    id_ = await known(desk)
    answer = await admin.ask("GET", f"/contacts/{id_}/export")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read("contact.json"))["email"] == "kari@example.org"
        assert len(json.loads(archive.read("consents.json"))) == 3
        assert set(archive.namelist()) >= {"surveys.json", "tickets.json", "attachments.json", "subscriptions.json"}


async def test_an_erasure_is_asked_for_and_followed(desk: Desk, admin: Caller) -> None:
    """It is a thing of its own; another account does not see it."""
    id_ = await known(desk)
    asked = await admin.ask("POST", f"/contacts/{id_}/erasure")
    assert (asked.status_code, asked.json()["done_at_ms"]) == (202, None)
    path = f"/erasures/{asked.json()['id']}"
    assert (await admin.get(path))["contact"] == id_
    assert [each["id"] for each in (await admin.get("/erasures"))["items"]] == [asked.json()["id"]]
    stranger = await desk.key(account=NORDVIK)
    assert (await stranger.ask("GET", path)).status_code == 404
    assert (await stranger.ask("GET", f"/contacts/{id_}")).status_code == 404
    assert "kari@example.org" not in json.dumps(await admin.get("/audit"))


async def test_names_are_each_accounts_own(desk: Desk, admin: Caller) -> None:
    """Another account's company or segment of the same id is neither seen nor in the way."""
    stranger = await desk.key(account=NORDVIK)
    for path, body in (("/companies", {"id": "acme", "name": "Acme"}), ("/segments", {"id": "vip", "name": "VIP"})):
        await stranger.post(path, body)
        assert (await admin.get(path))["items"] == []
        assert (await admin.ask("POST", path, body)).status_code == 201
        assert (await admin.ask("POST", path, body)).status_code == 409


@pytest.mark.parametrize("body", [{"email": "a@b.example\x00"}, {"subject": "u\x00"}, {"subject": "u", "name": "\x00"}])
async def test_what_no_database_keeps_is_refused(admin: Caller, body: Any) -> None:
    """A text with a NUL is wrong, and named."""
    assert (await admin.ask("POST", "/contacts", body)).status_code == 422


async def test_a_number_beyond_all_measure(admin: Caller) -> None:
    """It is refused as one."""
    await admin.put("/contact_properties/age", {"type": "number"})
    answer = await admin.ask("POST", "/contacts", {"subject": "u", "properties": {"age": 10**300}})
    assert answer.status_code == 422


async def test_retention_is_off_until_it_is_set(admin: Caller) -> None:
    """null: for ever."""
    assert await admin.get("/retention") == {"days": None}
    await admin.put("/retention", {"days": 30})
    assert await admin.get("/retention") == {"days": 30}
    assert (await admin.ask("PUT", "/retention", {"days": 0}, If_Match="*")).status_code == 422


async def test_who_may_only_read_changes_nothing(desk: Desk, admin: Caller) -> None:
    """Reading, editing and erasing are three permissions."""
    id_ = (await admin.post("/contacts", KARI))["id"]
    reader = await desk.key(["contacts.read"])
    assert (await reader.ask("GET", f"/contacts/{id_}")).status_code == 200
    for method, path in (("PATCH", f"/contacts/{id_}"), ("POST", f"/contacts/{id_}/erasure")):
        assert (await reader.ask(method, path, {}, If_Match="*")).status_code == 403
    editor = await desk.key(["contacts.read", "contacts.edit"])
    assert (await editor.ask("GET", f"/contacts/{id_}/export")).status_code == 403
