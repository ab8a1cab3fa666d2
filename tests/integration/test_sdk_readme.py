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
PATIENCE_S = 40.0


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


async def test_the_readmes_visitor_hears_the_readmes_agent(url: str, tmp_path: Path) -> None:
    """Copied, with nothing changed but the address."""
    programs = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert all(ADDRESS in program for program in programs)
    visitor, agent = [await started(program.replace(ADDRESS, url), tmp_path) for program in programs]
    try:
        assert visitor.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while b"Kari Nilsen: You said: Hei!" not in (said := await visitor.stdout.readline()):
                assert said, "the visitor's program ended"
        assert agent.returncode is None
    finally:
        for program in (visitor, agent):
            program.kill()
            await program.wait()
