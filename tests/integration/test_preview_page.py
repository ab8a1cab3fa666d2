"""The preview page in a real browser against a whole installation: every step, message and answer, clicked through."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from gateway.public.preview import FILES
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


async def test_every_kind_of_message_is_shown_and_can_be_answered(samtale_server: RunningSamtale) -> None:
    """What a kind offers can be pressed, what it asks can be filled in, until something else was said."""
    async with await owner(samtale_server, "sortlys") as api, a_browser() as page:
        await drafts(api, storage={"ask": "never"}, consent={"mode": "off"}, email={"open": "never", "away": "never"})
        phone = await opened(page, (await begun(api))["address"])
        composer = phone.get_by_label(NB["placeholder"])
        await composer.fill("Hallo?")
        await composer.press("Enter")
        kind, say = page.get_by_label("Sends with it"), page.get_by_role("button", name="Say it")
        await kind.select_option("quick_replies")
        await say.click()
        await phone.get_by_role("button", name="B", exact=True).click()
        await expect(phone.locator(".mine").last).to_have_text("Du: B")
        await expect(phone.get_by_role("button", name="C", exact=True)).to_have_count(0)
        for each, shown in (("buttons", "example.com"), ("article", "A"), ("card", "C"), ("carousel", "C")):
            await kind.select_option(each)
            await say.click()
            role = "link" if each in ("buttons", "article") else "button"
            await expect(phone.locator(".theirs").last.get_by_role(role, name=shown, exact=True)).to_be_visible()
        assert await faults(page) == []
        await kind.select_option("form")
        await say.click()
        form = phone.locator(".theirs").last
        await form.get_by_label("B").fill("Ida")
        await form.get_by_label("D").select_option("M")
        assert await faults(page) == []
        await form.get_by_role("button", name=NB["form_send"]).click()
        await expect(phone.locator(".mine").last).to_contain_text("Ida")


async def test_a_draft_saved_again_is_shown_at_once(samtale_server: RunningSamtale) -> None:
    """On the page that is open, without asking for it again; and what anybody wrote is text and nothing else."""
    async with await owner(samtale_server, "nylys") as api, a_browser() as page:
        phone = await opened(page, (await begun(api))["address"])
        await expect(phone.get_by_text(WELCOME)).to_be_visible()
        written = "<img src=x onerror=alert(1)> <b>Hei</b>"
        await drafts(api, welcome={"nb": written})
        await expect(phone.get_by_text(written)).to_be_visible(timeout=30_000)
        await drafts(api, close_button=False)
        await expect(phone.get_by_role("button", name=NB["close"], exact=True)).to_have_count(0, timeout=30_000)


async def test_the_token_is_in_no_address_that_is_asked_for(samtale_server: RunningSamtale) -> None:
    """Nor is anything asked of another server; all that is loaded is under 60 KB."""
    async with await owner(samtale_server, "morklys") as api, a_browser() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        preview = await begun(api)
        await opened(page, preview["address"])
        server = samtale_server.url.removeprefix("http")
        assert {url.removeprefix("http").removeprefix("ws").startswith(server) for url in asked} == {True}
        assert not [url for url in asked if preview["token"] in url.partition("#")[0]]
        async with httpx2.AsyncClient(base_url=samtale_server.url) as http:
            files = [await http.get(f"/preview/{name}") for name in FILES] + [await http.get("/preview")]
        assert sum(len(each.content) for each in files) < 60_000
        assert all("script-src 'self'" in each.headers["Content-Security-Policy"] for each in files)


async def test_arabic_is_shown_from_the_right_and_in_the_dark(samtale_server: RunningSamtale) -> None:
    """In the texts of its catalogue, on a small phone as on a large one, with nothing that axe minds."""
    async with await owner(samtale_server, "fjernlys") as api, a_browser(390, 844) as page:
        phone = await opened(page, (await begun(api))["address"], "ar")
        await page.get_by_label("Dark").check()
        await expect(phone).to_have_attribute("dir", "rtl")
        await expect(phone.get_by_role("button", name=catalogue()["ar"].interface["storage_agree"])).to_be_visible()
        assert await faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_label("Large screen").check()
        await expect(phone.get_by_role("button", name=WELCOME)).to_be_visible(timeout=30_000)
        assert await faults(page) == []


async def test_an_ended_preview_says_so(samtale_server: RunningSamtale) -> None:
    """A page with a token that lets nobody in tells what to do."""
    async with a_browser() as page:
        await page.goto(f"{samtale_server.url}/preview#samp_never-made")
        await expect(page.locator("#state")).to_have_text("This preview has ended. Begin another one.", timeout=30_000)
        assert await faults(page) == []


async def test_a_line_that_drops_loses_and_doubles_nothing(samtale_server: RunningSamtale) -> None:
    """What is written meanwhile is said once the line is back, after what was said before; what was missed is shown."""
    async with await owner(samtale_server, "sterklys") as api, a_browser() as page:
        lines: list[WebSocketRoute] = []

        async def relay(line: WebSocketRoute) -> None:
            line.connect_to_server()
            lines.append(line)

        await page.route_web_socket(re.compile("/v1/mobile$"), relay)
        await drafts(api, storage={"ask": "never"}, consent={"mode": "off"}, email={"open": "never", "away": "never"})
        phone = await opened(page, (await begun(api))["address"])
        composer, mine = phone.get_by_label(NB["placeholder"]), phone.locator(".mine p")
        for text in ("en", "to"):
            await composer.fill(text)
            await composer.press("Enter")
        await expect(mine).to_have_text(["en", "to"])
        await lines[-1].close(code=4001, reason="too slow")
        for text in ("tre", "fire"):
            await composer.fill(text)
            await composer.press("Enter")
        await expect(phone.locator(".waiting")).to_have_count(0, timeout=30_000)
        await expect(mine).to_have_text(["en", "to", "tre", "fire"])
        assert len(lines) > 1


async def test_it_can_be_used_by_keyboard_alone(samtale_server: RunningSamtale) -> None:
    """Focus goes in with what is opened, and back with what is closed; leaving asks for storage at most once."""
    async with await owner(samtale_server, "kystlys") as api, a_browser() as page:
        await drafts(api, storage={"ask": "on_exit_intent"}, email={"open": "never", "away": "never"})
        phone = await opened(page, (await begun(api))["address"])
        await expect(phone.get_by_role("checkbox")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(phone.get_by_label(NB["placeholder"])).to_be_focused()
        await page.keyboard.type("Hallo?")
        await page.keyboard.press("Enter")
        await expect(phone.locator(".mine", has_text="Hallo?")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(phone.get_by_role("button", name=NB["storage_agree"])).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(phone.locator(".launcher")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(phone.locator(".mine", has_text="Hallo?")).to_be_visible()
