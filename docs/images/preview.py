"""Draws the pictures of the preview page, in a real browser against a whole installation of its own.

    .venv/bin/python -m docs.images.preview

Needs Debian's package chromium. With a directory as argument the pictures go there, and not beside this file.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from tests.kit.browsers import a_page, chromium
from tests.kit.commands import run_samtale
from tests.kit.previews import AT_ONCE, NB, logo, opened, says, shop
from tests.kit.samtale_servers import Installation, RunningSamtale

HERE = Path(__file__).parent
WIDE, PHONE = (940, 830), (390, 844)


class Pictures:
    """Where they go, and whose they are."""

    def __init__(self, server: RunningSamtale, key: str, browser: Browser, into: Path) -> None:
        self.server, self.key, self.browser, self.into = server, key, browser, into

    async def of(self, shown: Page | Locator, name: str, **more: Any) -> None:
        """Draw what is shown, as it is when what moves has come to rest."""
        await shown.screenshot(path=self.into / f"preview-{name}.png", animations="disabled", **more)

    async def steps(self) -> None:
        """Each step as it is asked, then a talk, and its end."""
        async with (
            shop(self.server.url, self.key, "nordlys") as made,
            a_page(self.browser, *WIDE, locale="nb-NO") as page,
        ):
            phone = await opened(page, await made.address())
            await expect(phone.get_by_role("button", name=NB["storage_agree"])).to_be_visible()
            await self.of(phone, "storage")
            await phone.get_by_role("button", name=NB["storage_agree"]).click()
            await expect(phone.get_by_role("checkbox")).to_be_visible()
            await self.of(phone, "consent")
            await phone.get_by_role("button", name=NB["consent_agree"]).click()
            await says(phone, "Har dere barneseter?")
            await expect(phone.get_by_text(NB["queue_next"])).to_be_visible()
            await phone.get_by_label("Hvor kan vi skrive til deg?").fill("ida@eksempel.no")
            await self.of(phone, "email")
            await phone.get_by_role("button", name=NB["email_send"]).click()
            await agent_says(page, "Ja, i alle størrelser. Hvilken sykkel er det til?")
            await phone.locator("input[type=file]").set_input_files(
                {"name": "sykkelen.png", "mimeType": "image/png", "buffer": logo()}
            )
            await expect(phone.get_by_role("img", name="sykkelen.png")).to_have_js_property("naturalWidth", 128)
            await says(phone, "Denne!")
            await page.get_by_role("button", name="Read what was said").click()
            await expect(phone.get_by_text(NB["read"], exact=True)).to_be_visible()
            await page.get_by_label("Says").fill("Når vil du komme?")
            await expect(phone.locator(".note.typing")).to_be_visible()
            await self.of(page, "page")
            await page.get_by_label("Sends with it").select_option("quick_replies")
            await page.get_by_role("button", name="Say it").click()
            await expect(phone.get_by_role("button", name="Tomorrow")).to_be_visible()
            await page.get_by_label("Dark").check()
            await self.of(phone, "dark")
            await page.get_by_label("Dark").uncheck()
            await page.get_by_role("button", name="End the conversation").click()
            await expect(phone.get_by_text("Hvordan var det?")).to_be_visible()
            await self.of(phone, "survey")
            await phone.get_by_role("button", name=NB["survey_faces_2"], exact=True).click()
            await expect(phone.get_by_label(NB["survey_comment"])).to_be_visible()
            await self.of(phone, "thanks")
            await phone.get_by_role("button", name="Hjelp", exact=True).click()
            await self.of(phone, "help")

    async def kinds(self) -> None:
        """What an agent may send beside text, and the other scales of a survey."""
        for scale in ("stars", "ten"):
            asks: dict[str, Any] = AT_ONCE | {"survey": scale}
            account = f"lys_{scale}"
            async with (
                shop(self.server.url, self.key, account, **asks) as made,
                a_page(self.browser, *WIDE, locale="nb-NO") as page,
            ):
                phone = await opened(page, await made.address())
                await says(phone, "Hallo?")
                for kind in ("article", "card") if scale == "stars" else ("buttons", "form"):
                    await page.get_by_label("Sends with it").select_option(kind)
                    await agent_says(page, "Se her:")
                await self.of(phone, "card" if scale == "stars" else "form")
                await page.get_by_role("button", name="End the conversation").click()
                await expect(phone.locator(".survey")).to_be_visible()
                await self.of(phone, scale)

    async def screens(self) -> None:
        """Other screens: from the right, in large text, on a large one, and the page itself on a phone."""
        email = {"open": "before_chat", "away": "before_chat"}
        async with (
            shop(self.server.url, self.key, "fjernlys") as made,
            a_page(self.browser, *WIDE, locale="nb-NO") as page,
        ):
            phone = await opened(page, await made.address(), "ar")
            await page.get_by_label("Dark").check()
            await expect(phone.locator(".card")).to_be_visible()
            await self.of(phone, "rtl")
            await page.get_by_label("Dark").uncheck()
            await page.get_by_label("Language").select_option("nb")
            await page.get_by_label("Large screen").check()
            await expect(phone.locator(".bubble button")).to_be_visible()
            await self.of(phone, "large")
        asks: dict[str, Any] = AT_ONCE | {"email": email}
        async with (
            shop(self.server.url, self.key, "postlys", **asks) as made,
            a_page(self.browser, *WIDE, locale="nb-NO") as page,
        ):
            phone = await opened(page, await made.address())
            await phone.get_by_role("textbox").first.fill("ida")
            await phone.get_by_role("button", name=NB["email_send"]).click()
            await expect(phone.get_by_role("alert")).to_have_text(NB["email_invalid"])
            await self.of(phone, "before")
            await page.get_by_label("Large text").check()
            await self.of(phone, "text")
            async with a_page(self.browser, *PHONE, locale="nb-NO") as small:
                preview = await made.begins()
                await opened(small, preview["address"])
                await self.of(small, "phone", full_page=True)
                await made.ask("DELETE", f"/previews/{preview['id']}")
                await expect(small.locator("#state.refused")).to_be_visible()
                await self.of(small, "refused", full_page=True)


async def agent_says(page: Page, text: str) -> None:
    """Say something as the agent, and wait until the phone shows it."""
    shown = page.locator("#phone .theirs")
    before = await shown.count()
    await page.get_by_label("Says").fill(text)
    await page.get_by_role("button", name="Say it").click()
    await expect(shown).to_have_count(before + 1)


async def draw(into: Path) -> None:
    """Start an installation and a browser, and draw all of them."""
    with tempfile.TemporaryDirectory() as data:
        async with Installation(Path(data)) as server, chromium() as browser:
            made = await run_samtale("key", "create", "pictures", "--installation", environment=server.environment)
            pictures = Pictures(server, made.out.strip(), browser, into)
            await pictures.steps()
            await pictures.kinds()
            await pictures.screens()


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
