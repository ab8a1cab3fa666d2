"""The preview page in a real browser against a whole installation: a chatflow gone through from its first step to its
last, as a draft, in the dark, from the right, by keyboard and over lines that drop."""

import re

import httpx2
import pytest
from playwright.async_api import Browser, WebSocketRoute, expect

from gateway.public.preview import FILES
from protocol.bus.catalogue import catalogue
from tests.kit.browsers import a_page, faults, needs_chromium
from tests.kit.previews import AT_ONCE, NB, WELCOME, opened, says, shop
from tests.kit.samtale_servers import RunningSamtale

pytestmark = [pytest.mark.xdist_group("preview"), pytest.mark.asyncio(loop_scope="session"), needs_chromium]

MOST_BYTES = 60_000
NO_EMAIL = {"open": "never", "away": "never"}


async def test_the_whole_chatflow_can_be_gone_through(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """Every step is asked in its order; a message is answered; the survey is asked and thanked for."""
    async with shop(samtale_server.url, installation_key, "nordlys") as made, a_page(browser) as page:
        phone = await opened(page, await made.address())
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
        await says(phone, "Har dere barneseter?")
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
        for what in ("/contacts", "/consents"):
            assert (await made.ask("GET", what))["items"] == [], what


async def test_every_kind_of_message_is_shown_and_can_be_answered(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """What a kind offers can be pressed, what it asks can be filled in, until something else was said."""
    async with shop(samtale_server.url, installation_key, "sortlys", **AT_ONCE) as made, a_page(browser) as page:
        phone = await opened(page, await made.address())
        await says(phone, "Hallo?")
        kind, say = page.get_by_label("Sends with it"), page.get_by_role("button", name="Say it")
        await kind.select_option("quick_replies")
        await say.click()
        await phone.get_by_role("button", name="Tomorrow", exact=True).click()
        await expect(phone.locator(".mine").last).to_have_text("Du: Tomorrow")
        await expect(phone.get_by_role("button", name="Today", exact=True)).to_have_count(0)
        kinds = {"buttons": "Our shops", "article": "How to oil a chain", "card": "Choose it", "carousel": "Choose it"}
        for each, shown in kinds.items():
            await kind.select_option(each)
            await say.click()
            role = "link" if each in ("buttons", "article") else "button"
            await expect(phone.locator(".theirs").last.get_by_role(role, name=shown, exact=True)).to_be_visible()
        assert await faults(page) == []
        await kind.select_option("form")
        await say.click()
        form = phone.locator(".theirs").last
        await form.get_by_label("Name").fill("Ida")
        await form.get_by_label("Size").select_option("Small")
        assert await faults(page) == []
        await form.get_by_role("button", name=NB["form_send"]).click()
        await expect(phone.locator(".mine").last).to_contain_text("Ida")


async def test_a_draft_saved_again_is_shown_at_once(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """On the page that is open, without asking for it again; and what anybody wrote is text and nothing else."""
    async with shop(samtale_server.url, installation_key, "nylys") as made, a_page(browser) as page:
        phone = await opened(page, await made.address())
        await expect(phone.get_by_text(WELCOME)).to_be_visible()
        written = "<img src=x onerror=alert(1)> <b>Hei</b>"
        await made.drafts(welcome={"nb": written})
        await expect(phone.get_by_text(written)).to_be_visible()
        await made.drafts(close_button=False)
        await expect(phone.get_by_role("button", name=NB["close"], exact=True)).to_have_count(0)


async def test_the_token_is_in_no_address_that_is_asked_for(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """Nor is anything asked of another server; all that is loaded is under 60 KB, and may run nothing else."""
    async with shop(samtale_server.url, installation_key, "morklys") as made, a_page(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        preview = await made.begins()
        await opened(page, preview["address"])
        server = samtale_server.url.removeprefix("http")
        assert {url.removeprefix("http").removeprefix("ws").startswith(server) for url in asked} == {True}
        assert not [url for url in asked if preview["token"] in url.partition("#")[0]]
        async with httpx2.AsyncClient(base_url=samtale_server.url, timeout=60) as http:
            files = [await http.get(f"/preview/{name}") for name in FILES] + [await http.get("/preview")]
        assert {each.status_code for each in files} == {200}
        assert sum(len(each.content) for each in files) < MOST_BYTES
        assert all("script-src 'self'" in each.headers["Content-Security-Policy"] for each in files)


async def test_arabic_is_shown_from_the_right_and_in_the_dark(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """In the texts of its catalogue, on a small phone as on a large one, in large text too, with nothing axe minds."""
    async with shop(samtale_server.url, installation_key, "fjernlys") as made, a_page(browser, 390, 844) as page:
        phone = await opened(page, await made.address(), "ar")
        await page.get_by_label("Dark").check()
        await expect(phone).to_have_attribute("dir", "rtl")
        await expect(phone.get_by_role("button", name=catalogue()["ar"].interface["storage_agree"])).to_be_visible()
        assert await faults(page) == []
        await page.get_by_label("Large text").check()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await faults(page) == []
        await page.get_by_label("Large screen").check()
        await expect(phone.get_by_role("button", name=WELCOME)).to_be_visible()
        assert await faults(page) == []


async def test_a_preview_that_has_ended_says_so(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """On a page that is open, at once; to whoever comes with a token that lets nobody in; and nothing is shown."""
    async with shop(samtale_server.url, installation_key, "sluttlys") as made, a_page(browser) as page:
        preview = await made.begins()
        phone = await opened(page, preview["address"])
        await expect(phone.get_by_text(WELCOME)).to_be_visible()
        await made.ask("DELETE", f"/previews/{preview['id']}")
        for _ in range(2):
            await expect(page.locator("#state")).to_have_text("This preview has ended. Begin another one.")
            await expect(phone.get_by_text(WELCOME)).to_have_count(0)
            await expect(phone.locator(".chat")).to_be_hidden()
            assert await faults(page) == []
            await page.reload()


async def test_a_line_that_drops_loses_and_doubles_nothing(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """What is written meanwhile is said once the line is back, after what was said before; what was missed is shown."""
    async with shop(samtale_server.url, installation_key, "sterklys", **AT_ONCE) as made, a_page(browser) as page:
        lines: list[WebSocketRoute] = []

        async def relay(line: WebSocketRoute) -> None:
            line.connect_to_server()
            lines.append(line)

        await page.route_web_socket(re.compile("/v1/mobile$"), relay)
        phone = await opened(page, await made.address())
        composer, mine = phone.get_by_label(NB["placeholder"]), phone.locator(".mine p")
        for text in ("en", "to"):
            await composer.fill(text)
            await composer.press("Enter")
        await expect(mine).to_have_text(["en", "to"])
        await lines[-1].close(code=4001, reason="too slow")
        for text in ("tre", "fire"):
            await composer.fill(text)
            await composer.press("Enter")
        await expect(phone.locator(".waiting")).to_have_count(0)
        await expect(mine).to_have_text(["en", "to", "tre", "fire"])
        assert len(lines) > 1


async def test_it_can_be_used_by_keyboard_alone(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """Focus goes in with what is opened, and back with what is closed; leaving asks for storage at most once."""
    asks = {"storage": {"ask": "on_exit_intent"}, "email": NO_EMAIL}
    async with shop(samtale_server.url, installation_key, "kystlys", **asks) as made, a_page(browser) as page:
        phone = await opened(page, await made.address())
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
