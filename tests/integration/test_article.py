"""The page's script builds a whole chatflow over REST; then a phone and an agent go through it, setting by setting."""

import asyncio
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import samtale

from protocol.bus.catalogue import catalogue
from tests.kit.commands import run_samtale
from tests.kit.persons import Desk, Phone, soon
from tests.kit.samtale_servers import RunningSamtale

pytestmark = pytest.mark.xdist_group("article")

SCRIPT = Path(__file__).parents[2] / "docs" / "howto" / "article.py"


async def built(server: RunningSamtale) -> str:
    """Run the script as its page says; return what it says."""
    made = await run_samtale("key", "create", "builder", "--installation", environment=server.environment)
    assert made.status == 0, made.err
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), server.url, made.out.strip(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await child.communicate()
    assert child.returncode == 0, said.decode()
    return said.decode()


def serves(welcome: str) -> Callable[[Any], bool]:
    """Whether the phone is told of a chatflow with this welcome, when it connects or once the last change is live."""
    return lambda event: getattr(getattr(event, "chatflow", None), "welcome", None) == welcome


async def asks(server: RunningSamtale) -> httpx2.AsyncClient:
    """Return an owner's client of the API."""
    made = await run_samtale("key", "create", "reader", "--account", "nordlys", environment=server.environment)
    return httpx2.AsyncClient(base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {made.out.strip()}"})


async def test_the_whole_chatflow_is_built_and_gone_through(samtale_server: RunningSamtale) -> None:
    """Every setting is observed at the phone, in the log, or in what is kept."""
    said = await built(samtale_server)
    assert "published: 1" in said
    assert "served: sykkelhjelp" in said
    phone = Phone(samtale_server.url, tag="sykkel", app_key="app_nordlys", device=samtale.Device("ios", "2.1", "nb-NO"))
    desks = {
        name: Desk(samtale_server.url, f"{name}@nordlys.example", f"{name}-of-nordlys") for name in ("ingrid", "jonas")
    }
    async with phone.client, desks["ingrid"].client, desks["jonas"].client:
        for desk in desks.values():
            await desk.told(samtale.Connected)
        flow = (await phone.until(serves("Hei og velkommen! Hva kan vi hjelpe deg med?"))).chatflow
        assert flow.heading.title == "Nordlys Sykkel"
        assert flow.consent.text == catalogue()["nb"].said["consent_explicit"]
        assert flow.consent.communicate.label == "Ja, send meg tips om turer og tilbud."
        assert phone.client.steps.outstanding[:2] == ["storage_consent", "consent_to_process"]
        async with httpx2.AsyncClient() as http:
            image = await http.get(samtale_server.url + flow.heading.image)
        assert (image.status_code, image.headers["Content-Type"]) == (200, "image/png")

        with pytest.raises(samtale.RefusedError, match=r"storage_required|consent_required"):
            await soon(phone.client.send("for tidlig"))
        await soon(phone.client.answer_storage(True))
        await soon(phone.client.answer_consent(True, communicate=True))
        await soon(phone.client.send("Har dere barneseter?"))
        seen = await phone.reads(phone.conversation, samtale.Assigned)
        await phone.reads(phone.conversation, samtale.EmailAsked)
        await soon(phone.client.answer_email("ida@eksempel.no"))
        desks["jonas"].client.follow(phone.conversation)
        assigned = await desks["jonas"].reads(phone.conversation, samtale.Assigned)
        who = desks[assigned.body.agent.id]
        who.client.follow(phone.conversation)
        await soon(who.client.send(phone.conversation, "Ja, i alle størrelser."))
        heard = await phone.hears("Ja, i alle størrelser.")
        assert heard.body.by.name == "Nordlys Sykkel"
        assert seen.body.agent.name == "Nordlys Sykkel"
        assert not any(name in str(seen).lower() for name in desks)
        await soon(who.client.close(phone.conversation))
        survey = (await phone.reads(phone.conversation, samtale.SurveyAsked)).body
        assert survey.question == "Hvordan var det?"
        await soon(phone.client.answer_survey(phone.conversation, survey.ask, 2))

    async with await asks(samtale_server) as api:
        await seen_in_reports(api, hashlib.sha256(flow.consent.text.encode()).hexdigest())


async def seen_in_reports(api: httpx2.AsyncClient, text_hash: str) -> None:
    """What the visitor did is in the ledger, among the contacts, and in the survey's report."""
    for _ in range(200):
        lines = (await api.get("/consents")).json()["items"]
        contacts = (await api.get("/contacts")).json()["items"]
        if contacts and len(lines) >= 3 and contacts[0]["email"]:
            break
    granted = {line["purpose"]: line for line in lines if line["answer"] == "granted"}
    assert set(granted) == {"storage", "process", "communicate"}
    assert granted["process"]["text_hash"] == text_hash
    [contact] = contacts
    assert (contact["email"], contact["marketing"]) == ("ida@eksempel.no", True)
