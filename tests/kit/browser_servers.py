"""What tests in a browser share in one file: the browser, and a key that makes accounts.

Invariant: Playwright is loaded only by whoever asks for a browser.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

from tests.kit.commands import run_samtale

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.kit.samtale_servers import RunningSamtale


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> "AsyncIterator[Browser]":
    """One browser for the tests of one file."""
    from tests.kit.browsers import chromium

    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def installation_key(samtale_server: "RunningSamtale") -> str:
    """A key that makes accounts."""
    made = await run_samtale("key", "create", "shops", "--installation", environment=samtale_server.environment)
    assert made.status == 0, made.err
    return made.out.strip()
