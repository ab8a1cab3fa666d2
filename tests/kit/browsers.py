"""A headless Chromium, Debian's, driven by Playwright; and what axe says of a page.

Invariant: no browser is ever downloaded; without the system's one whoever asks is skipped, and says why. It asks nobody
but the server under test, and whoever waits for something on a page waits two minutes.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium")
PATIENCE_MS = 120_000
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
expect.set_options(timeout=PATIENCE_MS)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS, timeout=3 * PATIENCE_MS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def a_page(browser: Browser, width: int = 1280, height: int = 900, **context: Any) -> AsyncIterator[Page]:
    """Open a page of a fresh profile; whatever a script throws there fails the test at its end."""
    profile = await browser.new_context(viewport={"width": width, "height": height}, **context)
    profile.set_default_timeout(PATIENCE_MS)
    try:
        page, thrown = await profile.new_page(), []
        page.on("pageerror", lambda error: thrown.append(str(error)))
        yield page
        assert not thrown, thrown
    finally:
        await profile.close()


async def faults(page: Page) -> list[str]:
    """Return what axe finds wrong with the page as it is now, a line each."""
    found = await Axe().run(page, options=_RULES)
    return [f"{each['id']}: {node['target']}" for each in found.response["violations"] for node in each["nodes"]]
