"""Parts of the preview page in a real browser: files, the agent's side, e-mail steps, surveys, the Help tab."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from protocol.bus.catalogue import catalogue
from tests.kit.browsers import a_page, faults, needs_chromium
from tests.kit.previews import AT_ONCE, FLOW, NB, logo, opened, says, shop
from tests.kit.samtale_servers import RunningSamtale

pytestmark = [pytest.mark.xdist_group("preview"), pytest.mark.asyncio(loop_scope="session"), needs_chromium]

AR = catalogue()["ar"].interface


async def test_files_are_sent_and_images_shown(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """An image as itself, a text to be saved; what is not what it says it is stays unsent, with the reason."""
    async with shop(samtale_server.url, installation_key, "fillys", **AT_ONCE) as made, a_page(browser) as page:
        phone = await opened(page, await made.address())
        files = phone.locator("input[type=file]")
        await files.set_input_files({"name": "sykkel.png", "mimeType": "image/png", "buffer": logo()})
        image = phone.locator(".mine:not(.waiting)").get_by_role("img", name="sykkel.png")
        await expect(image).to_have_js_property("naturalWidth", 128)
        await files.set_input_files({"name": "notat.txt", "mimeType": "text/plain", "buffer": b"Bremsene skriker."})
        async with page.expect_download() as saved:
            await phone.get_by_role("button", name="notat.txt").click()
        assert Path(await (await saved.value).path()).read_bytes() == b"Bremsene skriker."
        await files.set_input_files({"name": "feil.png", "mimeType": "image/png", "buffer": b"no picture at all"})
        unsent = phone.locator(".waiting", has_text="feil.png")
        await expect(unsent).to_contain_text(NB["error_bad_file"])
        await expect(unsent.get_by_role("button", name=NB["retry"])).to_be_visible()
        assert await faults(page) == []


async def test_the_agents_side_is_seen_on_the_phone(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """The place in the queue, who types, what was read; and whoever is asked for an address may say not now."""
    async with shop(samtale_server.url, installation_key, "tastelys", storage={"ask": "never"},
                    consent={"mode": "legitimate_interest"}, communicate=None) as made, a_page(browser) as page:  # fmt: skip
        phone = await opened(page, await made.address())
        implied = catalogue()["nb"].said["consent_legitimate_interest"]
        await expect(phone.get_by_text(implied)).to_be_visible()
        await says(phone, "Har dere barneseter?")
        await expect(phone.get_by_text(implied)).to_have_count(0)
        await expect(phone.get_by_text(NB["queue_next"])).to_be_visible()
        await expect(phone.get_by_text(NB["sent"], exact=True)).to_be_visible()
        await phone.get_by_role("button", name=NB["consent_decline"]).click()
        await expect(phone.locator(".card")).to_have_count(0)
        await expect(phone.get_by_label(NB["placeholder"])).to_be_focused()
        await page.get_by_role("button", name="Read what was said").click()
        await expect(phone.get_by_text(NB["read"], exact=True)).to_be_visible()
        await page.get_by_label("Somebody is there").check()
        await expect(phone.get_by_text(NB["assigned"].format(agent="Nordlys Sykkel"))).to_be_visible()
        await page.get_by_label("Says").fill("Ja")
        await expect(phone.locator(".note")).to_have_text(NB["typing"].format(agent="Nordlys Sykkel"))
        assert await faults(page) == []
        await page.get_by_role("button", name="Say it").click()
        await expect(phone.locator(".theirs", has_text="Ja")).to_be_visible()
        await expect(phone.locator(".note")).to_be_hidden()
        assert "Ingrid" not in await phone.inner_text()


async def test_an_address_may_be_asked_before_the_first_word(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """Nothing can be written until one is given that can be one."""
    email = {"open": "before_chat", "away": "before_chat"}
    asks = AT_ONCE | {"email": email}
    async with shop(samtale_server.url, installation_key, "postlys", **asks) as made, a_page(browser) as page:
        phone = await opened(page, await made.address())
        address = phone.get_by_label(catalogue()["nb"].said["email_before_chat"])
        await expect(phone.get_by_placeholder(NB["placeholder_email"])).to_be_disabled()
        await expect(phone.get_by_role("button", name=NB["consent_decline"])).to_have_count(0)
        await address.fill("ida")
        await phone.get_by_role("button", name=NB["email_send"]).click()
        await expect(phone.get_by_role("alert")).to_have_text(NB["email_invalid"])
        assert await faults(page) == []
        await address.fill("ida@eksempel.no")
        await phone.get_by_role("button", name=NB["email_send"]).click()
        await expect(phone.get_by_label(NB["placeholder"])).to_be_focused()
        await says(phone, "Hallo?")


async def test_every_scale_of_a_survey_is_shown(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """Scored and commented on once, or skipped; also when it is the visitor who ends the conversation."""
    scores = {"stars": NB["survey_star"].format(count=4), "ten": "7", "thumbs": NB["survey_thumbs_1"], "faces": ""}
    async with shop(samtale_server.url, installation_key, "stjernelys", **AT_ONCE) as made, a_page(browser) as page:
        for scale, score in scores.items():
            copy = await made.ask("POST", f"/chatflows/{FLOW}/clone", {"id": f"with_{scale}", "name": scale})
            await made.drafts(copy["id"], survey=scale)
            phone = await opened(page, await made.address(copy["id"]))
            await says(phone, "Hallo?")
            await page.get_by_label("Says").fill("Hei!")
            await page.get_by_role("button", name="Say it").click()
            await phone.get_by_role("button", name=NB["end"]).click()
            await phone.get_by_role("button", name=NB["yes"], exact=True).click()
            await expect(phone.get_by_text(NB["closed_visitor"])).to_be_visible()
            await expect(phone.get_by_text("Hvordan var det?")).to_be_visible()
            assert await faults(page) == []
            if not score:
                await phone.get_by_role("button", name=NB["survey_dismiss"]).click()
                await expect(phone.locator(".survey")).to_have_count(0)
                continue
            await phone.get_by_role("button", name=score, exact=True).click()
            await phone.get_by_label(NB["survey_comment"]).fill("Takk!")
            await phone.get_by_role("button", name=NB["survey_send"]).click()
            await expect(phone.get_by_label(NB["survey_comment"])).to_have_count(0)
            await expect(phone.get_by_text(catalogue()["nb"].said["survey_thanks"])).to_be_visible()


async def test_the_help_tab_says_what_it_is(
    samtale_server: RunningSamtale, installation_key: str, browser: Browser
) -> None:
    """In each language, light and dark, by keyboard; the chat is as it was when one comes back."""
    async with shop(samtale_server.url, installation_key, "hjelpelys", **AT_ONCE) as made, a_page(browser) as page:
        phone = await opened(page, await made.address())
        await phone.get_by_label(NB["placeholder"]).fill("halvt skrevet")
        await phone.get_by_role("button", name="Hjelp", exact=True).press("Enter")
        await expect(phone.get_by_role("heading", name="Hjelpesenteret kommer senere")).to_be_visible()
        await expect(phone.get_by_label(NB["placeholder"])).to_be_hidden()
        await expect(phone.get_by_role("button", name="Hjelp", exact=True)).to_be_focused()
        assert await faults(page) == []
        await phone.get_by_role("button", name="Samtale", exact=True).click()
        await expect(phone.get_by_label(NB["placeholder"])).to_have_value("halvt skrevet")
        await page.get_by_label("Dark").check()
        await page.get_by_label("Language").select_option("ar")
        await phone.locator(".launcher").click()
        await phone.get_by_role("button", name="المساعدة", exact=True).click()
        await expect(phone.get_by_role("heading", name="سيأتي مركز المساعدة لاحقًا")).to_be_visible()
        await expect(phone.get_by_label(AR["placeholder"])).to_be_hidden()
        assert await faults(page) == []
