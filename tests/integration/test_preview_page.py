"""The preview page in a real browser against a whole installation: every step, message and answer, clicked through."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Page, expect

from protocol.bus.catalogue import catalogue
from tests.kit.browsers import a_browser, faults, needs_chromium
from tests.kit.commands import run_samtale
from tests.kit.samtale_servers import RunningSamtale

pytestmark = [pytest.mark.xdist_group("preview"), needs_chromium]

SCRIPT = Path(__file__).parents[2] / "docs" / "howto" / "article.py"
WELCOME = "Hei og velkommen! Hva kan vi hjelpe deg med?"
NB = catalogue()["nb"].interface


async def owner(server: RunningSamtale, account: str) -> httpx2.AsyncClient:
    """Build the chatflow of the page about REST in a new account; return its owner's client of the API."""
    made = await run_samtale("key", "create", account, "--installation", environment=server.environment)
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), server.url, made.out.strip(), "--account", account,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await child.communicate()
    assert child.returncode == 0, said.decode()
    made = await run_samtale("key", "create", "owner", "--account", account, environment=server.environment)
    return httpx2.AsyncClient(base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {made.out.strip()}"})


async def begun(api: httpx2.AsyncClient, chatflow: str = "sykkelhjelp", **wanted: str) -> Any:
    answer = await api.post(f"/chatflows/{chatflow}/preview", json=wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def drafts(api: httpx2.AsyncClient, **changes: Any) -> None:
    answer = await api.patch("/chatflows/sykkelhjelp/draft", json=changes, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


async def opened(page: Page, address: str, locale: str = "nb") -> Any:
    """Open a preview in a language; return the phone once it shows the chatflow."""
    await page.goto(address)
    await page.get_by_label("Language").select_option(locale)
    phone = page.locator("#phone")
    await expect(phone.locator(".launcher")).to_be_visible(timeout=30_000)
    await phone.locator(".launcher").click()
    return phone


async def test_the_whole_chatflow_can_be_gone_through(samtale_server: RunningSamtale) -> None:
    """Every step is asked in its order; a message is answered; the survey is asked and thanked for."""
    async with await owner(samtale_server, "nordlys") as api, a_browser() as page:
        phone = await opened(page, (await begun(api))["address"])
        await expect(phone.get_by_role("heading", name="Nordlys Sykkel")).to_be_visible()
        await expect(phone.get_by_text(WELCOME)).to_be_visible()
        composer = phone.get_by_label(NB["placeholder"])
        await expect(composer).to_be_disabled()
        assert await faults(page) == []
        await phone.get_by_role("button", name=NB["storage_agree"]).click()
        await expect(phone.get_by_role("checkbox")).not_to_be_checked()
        await phone.get_by_role("checkbox", name="Ja, send meg tips om turer og tilbud.").check()
        assert await faults(page) == []
        await phone.get_by_role("button", name=NB["consent_agree"]).click()
        await expect(composer).to_be_enabled()
        await composer.fill("Har dere barneseter?")
        await composer.press("Enter")
        await expect(phone.locator(".mine", has_text="Har dere barneseter?")).to_be_visible()
        await phone.get_by_label("Hvor kan vi skrive til deg?").fill("ida")
        await phone.get_by_role("button", name=NB["email_send"]).click()
        asked_again = phone.get_by_label(catalogue()["nb"].said["email_again"])
        await expect(asked_again).to_be_focused()
        assert await faults(page) == []
        await asked_again.fill("ida@eksempel.no")
        await phone.get_by_role("button", name=NB["email_send"]).click()
        await expect(phone.get_by_text("ida@eksempel.no")).to_be_visible()
        await page.get_by_label("Says").fill("Ja, i alle størrelser.")
        await page.get_by_role("button", name="Say it").click()
        await expect(phone.locator(".theirs", has_text="Ja, i alle størrelser.")).to_be_visible()
        await page.get_by_role("button", name="End the conversation").click()
        await expect(phone.get_by_text("Hvordan var det?")).to_be_visible()
        assert await faults(page) == []
        await phone.get_by_role("button", name=NB["survey_faces_2"], exact=True).click()
        await expect(phone.get_by_text(catalogue()["nb"].said["survey_thanks"])).to_be_visible()
        await phone.get_by_role("button", name=NB["close"], exact=True).click()
        await expect(page.locator("#told")).to_have_text("The app is told: close_pressed")
        for what in ("/contacts", "/consents", "/conversations"):
            found = await api.get(what)
            assert found.status_code == 404 or found.json()["items"] == [], what
