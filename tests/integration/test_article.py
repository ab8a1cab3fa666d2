"""The page's script builds a whole chatflow over REST; then phones and agents go through it, setting by setting."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import samtale

from protocol.bus.catalogue import catalogue
from tests.kit.articles import NEW, OLD, STAFF, Seen, gone_through, is_served
from tests.kit.persons import Phone
from tests.kit.samtale_servers import RunningSamtale

pytestmark = [pytest.mark.xdist_group("article"), pytest.mark.asyncio(loop_scope="session")]

EDITED = "Vi tar vare på samtalen i tolv måneder. Er det greit?"
DEFAULT = catalogue()["nb"].said["consent_explicit"]
BRAND, WELCOME = "Nordlys Sykkel", "Hei og velkommen! Hva kan vi hjelpe deg med?"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seen(samtale_server: RunningSamtale) -> AsyncIterator[Seen]:
    """What there was to see of the script and of those who went through what it made."""
    async with gone_through(samtale_server) as seen:
        yield seen


async def rows(seen: Seen, report: str, **asked: str) -> list[dict[str, Any]]:
    """Return a report, once every conversation is in it as far as it went."""
    async with asyncio.timeout(120):
        while True:
            [all_of_them] = (await seen.api.get("/reports/conversations")).json()["rows"] or [{}]
            survey = (await seen.api.get("/reports/surveys")).json()["rows"]
            if all_of_them.get("assigned") == 3 and survey and survey[0]["answered"]:
                found = await seen.api.get(f"/reports/{report}", params=asked)
                return list(found.json()["rows"])
            await asyncio.sleep(0.1)


async def test_a_phone_that_is_open_sees_every_step(seen: Seen) -> None:
    """Drafting and publishing what is disabled change nothing there; enabling, publishing and rolling back do."""
    told = [getattr(event, "chatflow", None) for event in seen.ida.heard]
    served = [(flow.id, flow.version) for flow in told if isinstance(flow, samtale.Chatflow)]
    assert list(dict.fromkeys(served)) == [(OLD, 1), (NEW, 1), (NEW, 2), (NEW, 3), (NEW, 4)]
    said = [line for line in seen.said if "phones get" in line]
    assert [line.partition(": ")[2] for line in said] == [
        *["phones get gammel, version 1"] * 3, *[f"phones get sykkelhjelp, version {at}" for at in range(1, 5)]
    ]  # fmt: skip


async def test_the_consent_is_asked_in_its_own_words_then_in_the_default_ones(seen: Seen) -> None:
    """Publishing the reset is seen, and so is each roll back."""
    steps = ("preview", "enabled", "default text", "taken back", "and that, too")
    texts = [consent.text for step in steps if (consent := seen.flows[step].consent)]
    assert texts == [EDITED, EDITED, DEFAULT, EDITED, DEFAULT]


@pytest.mark.parametrize("step", ["preview", "and that, too"])
async def test_what_was_set_is_shown(seen: Seen, step: str) -> None:
    """Brand, image, welcome, steps, box, colours and close button, in the preview and at the phone."""
    flow = seen.flows[step]
    assert (flow.name, flow.welcome, flow.close_button) == ("Sykkelhjelp", WELCOME, True)
    assert flow.display == samtale.Display("launcher", "welcome_prompt", "#0b6e4f", "#ffffff")
    assert (flow.storage and flow.storage.ask, flow.consent and flow.consent.mode) == ("before_chat", "explicit")
    assert flow.consent is not None
    assert flow.consent.communicate is not None
    assert flow.consent.communicate.label == "Ja, send meg tips om turer og tilbud."
    assert (flow.heading.kind, flow.heading.title) == ("custom", BRAND)
    async with httpx2.AsyncClient(timeout=60) as http:
        image = await http.get(seen.server.url + flow.heading.image)
    assert (image.status_code, image.headers["Content-Type"]) == (200, "image/png")


async def test_a_phone_in_norwegian_is_spoken_to_in_norwegian(seen: Seen) -> None:
    """The words of the interface, and those that nobody edited."""
    flow, nb = seen.flows["and that, too"], catalogue()["nb"]
    assert flow.locale == "nb"
    assert flow.texts["placeholder"] == nb.interface["placeholder"]
    assert flow.storage is not None
    assert flow.storage.text == nb.said["consent_storage"]


async def test_nothing_is_said_before_the_storage_and_the_consent_are_answered(seen: Seen) -> None:
    """In that order."""
    assert seen.refused == ["storage_required", "consent_required"]
    assert "for tidlig" not in str(seen.log)


async def test_the_log_holds_every_step(seen: Seen) -> None:
    """The welcome as shown, three consents, the words, a ticket, the address that was asked for, the survey."""
    started = seen.logged(samtale.Started)[0]
    assert (started.chatflow, started.version, started.welcome) == (NEW, 4, WELCOME)
    assert (started.inbox, started.rule, started.help_desk) == ("kundesenter", "skranken", True)
    answers = [(each.purpose, each.answer, each.subscription) for each in seen.logged(samtale.ConsentAnswered)]
    assert answers == [("storage", "granted", ""), ("process", "granted", ""), ("communicate", "granted", "sykkelnytt")]
    assert [each.number for each in seen.logged(samtale.TicketOpened)] == [1]
    assert [each.text for each in seen.logged(samtale.EmailAsked)] == ["Hvor kan vi skrive til deg?"]
    assert [each.email for each in seen.logged(samtale.EmailGiven)] == ["ida@eksempel.no"]
    assert [(each.survey, each.question) for each in seen.logged(samtale.SurveyAsked)] == [("fjes", "Hvordan var det?")]
    assert [each.score for each in seen.logged(samtale.SurveyAnswered)] == [2]


async def test_the_two_and_the_team_have_one_each(seen: Seen) -> None:
    """In the log, and in the report of routing."""
    assert sorted(seen.had_by) == sorted(STAFF)
    decided = await rows(seen, "routing", by="agent", chatflow=NEW)
    assert {row["agent"] for row in decided if row["what"] == "assigned"} == set(STAFF)


async def test_whoever_answers_has_the_brands_name(seen: Seen) -> None:
    """No phone was told an agent's id, name or address."""
    heard = await seen.ida.hears("Ja, i alle størrelser.")
    assert isinstance(heard.body, samtale.Message)
    assert heard.body.by == samtale.Author("agent", "", BRAND)
    told = [str(event).lower() for phone in (seen.ida, *seen.others) for event in phone.heard]
    names = [*STAFF, *map(str.lower, STAFF.values()), "@nordlys.example"]
    assert [name for name in names if any(name in each for each in told)] == []


async def test_the_close_button_closes_nothing(seen: Seen) -> None:
    """The app was told, and the visitor wrote on; the agent closed."""
    words = [event for event in seen.ida.heard if isinstance(event, samtale.ClosePressed)]
    assert [each.conversation for each in words] == [seen.ida.conversation]
    assert "Så fint!" in [each.text for each in seen.logged(samtale.Message)]
    assert [each.reason for each in seen.logged(samtale.Closed)] == ["agent"]


async def test_the_reports_count_it(seen: Seen) -> None:
    """Steps per version, consent rates, conversations, first response, survey: of three who began, under version 4."""
    [every] = await rows(seen, "conversations", by="platform")
    assert (every["platform"], every["conversations"], every["by_agent"]) == ("ios", 3, 1)
    passed = {row["step"]: (row["version"], row["passed"]) for row in await rows(seen, "steps", by="published")}
    assert passed == {"storage": (4, 3), "process": (4, 3), "message": (4, 3), "email_later": (4, 1)}
    rates = {row["purpose"]: (row["asked"], row["granted"]) for row in await rows(seen, "consent_rates")}
    assert rates == {"storage": (3, 1), "process": (3, 3), "communicate": (3, 1)}
    [answered] = await rows(seen, "surveys", by="published")
    assert (answered["version"], answered["asked"], answered["answered"], answered["csat"]) == (4, 1, 1, 1.0)
    [first] = await rows(seen, "first_response", by="agent", agent=seen.had_by[0])
    assert first["replied"] == 1


async def test_the_contact_and_the_ledger(seen: Seen) -> None:
    """One contact, marked and subscribed; of each consent a line with the words that were shown."""
    await rows(seen, "conversations")
    [contact] = (await seen.api.get("/contacts")).json()["items"]
    assert (contact["email"], contact["marketing"]) == ("ida@eksempel.no", True)
    assert contact["subscriptions"] == {"sykkelnytt": True}
    lines = (await seen.api.get("/consents")).json()["items"]
    granted = {(line["purpose"], line["text_hash"]) for line in lines if line["answer"] == "granted"}
    assert ("process", hashlib.sha256(DEFAULT.encode()).hexdigest()) in granted
    assert {purpose for purpose, _ in granted} == {"storage", "process", "communicate"}
    assert len(lines) == 9


async def test_the_preview_left_no_trace(seen: Seen) -> None:
    """What was said, agreed to and typed there is in no figure, list or export of the account."""
    await rows(seen, "conversations")  # committed in one cell, in order: what was said before is stored, too
    for path in ("/contacts", "/consents", "/consents/export.csv", "/reports/steps?by=chatflow", "/audit/export"):
        answer = await seen.api.get(path)
        assert answer.status_code == 200, path
        assert "prove@eksempel.no" not in answer.text, path
        assert "prv_" not in answer.text or path == "/audit/export", path
    counted = await rows(seen, "conversations", by="chatflow,published")
    assert [(row["chatflow"], row["version"], row["conversations"]) for row in counted] == [(NEW, 4, 3)]


async def test_nobody_without_a_seat_is_in_the_turn(seen: Seen) -> None:
    """A rule that names one is refused at that field."""
    eva = {
        "id": "eva",
        "name": "Eva Solvang",
        "email": "eva@nordlys.example",
        "password": "eva-of-nordlys",
        "seat": False,
    }
    assert (await seen.api.post("/users", json=eva)).status_code == 201
    refused = await seen.api.patch("/rules/skranken", json={"agents": ["ingrid", "eva"]}, headers={"If-Match": "*"})
    assert refused.status_code == 422
    assert "seat_required" in refused.text


async def test_the_other_one_is_served_when_it_goes_first(seen: Seen) -> None:
    """The order is live at a phone that is open, and so is putting it back."""
    phone = Phone(seen.server.url, tag="sykkel", app_key="app_nordlys", device=samtale.Device("ios", "2.1", "nb-NO"))
    async with phone.client:
        await is_served(phone, NEW, 4)
        for first, second, version in ((OLD, NEW, 1), (NEW, OLD, 4)):
            since = len(phone.heard)
            answer = await seen.api.put(
                "/chatflows/order", json={"chatflows": [first, second]}, headers={"If-Match": "*"}
            )
            assert answer.status_code == 200, answer.text
            assert (await is_served(phone, first, version, since)).id == first
