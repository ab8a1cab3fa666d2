"""sdk/python/README.md: its two programs, as they stand there, talk to each other through what `samtale run` starts."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.samtale_servers import Installation

README = Path(__file__).parents[2] / "sdk" / "python" / "README.md"
ADDRESS = "http://127.0.0.1:8080"
PATIENCE_S = 120.0


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """An installation that has seen nobody yet, so that the only offer is ours."""
    installation = Installation(tmp_path / "data")
    yield (await installation.start()).url
    await installation.stop()


async def started(program: str, directory: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-W", "error", "-c", program, cwd=directory, stdout=asyncio.subprocess.PIPE
    )


@pytest.fixture
def programs(url: str) -> list[str]:
    """The README's programs, copied with nothing changed but the address."""
    found = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert all(ADDRESS in program for program in found)
    return [program.replace(ADDRESS, url) for program in found]


async def test_the_readmes_visitor_hears_the_readmes_agent(programs: list[str], tmp_path: Path) -> None:
    """Consent, a question with its choices, the choice, and the answer to it."""
    visitor, agent = [await started(program, tmp_path) for program in programs[:2]]
    try:
        assert visitor.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while b"Kari Nilsen: You said: The blue one" not in (said := await visitor.stdout.readline()):
                assert said, "the visitor's program ended"
        assert agent.returncode is None
    finally:
        for program in (visitor, agent):
            program.kill()
            await program.wait()


async def test_the_readmes_server_says_the_first_word(programs: list[str], tmp_path: Path) -> None:
    """To somebody who was never here."""
    server = await started(programs[2], tmp_path)
    async with asyncio.timeout(PATIENCE_S):
        said, _ = await server.communicate()
    assert (server.returncode, said.startswith(b"said in cnv_")) == (0, True), said
