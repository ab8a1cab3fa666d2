"""docs/tutorial.md, its part over REST: every command is run as it stands there, and shows what stands there."""

import asyncio
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.kit.commands import SAYS_WITHIN_S, Terminal
from tests.kit.samtale_servers import RunningSamtale

pytestmark = [
    pytest.mark.xdist_group("tutorial"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks with curl, which is not here"),
]

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "tutorial.md"
BEGINS, ENDS = "## A chatflow of your own", "## Further"
PROMPT = re.compile(r"^(?:\[\d\] )?([$›»]) (.*)$")
DONE = "the command is done"
SAMTALE, HERE = ".venv/bin/samtale", "http://127.0.0.1:8080"
READS = re.compile(r'\.venv/bin/samtale (report|contact export) |rest "')
_ELIDED, _TIME, _ID = "…", r"^(\[\d\] )?\d\d:\d\d  ", r"\b(key|prv|cnv|era|samp)_\w+"


def blocks() -> Iterator[list[str]]:
    """Yield what stands in each block of the page's part."""
    part = PAGE.read_text(encoding="utf-8").partition(BEGINS)[2].partition(ENDS)[0]
    for block in re.findall(r"^```\n(.*?)^```$", part, re.MULTILINE | re.DOTALL):
        yield block.splitlines()


def expected(line: str) -> str:
    """Return a pattern of a line of the page: times and ids are anybody's, and what is left out is anything."""
    said = re.sub(_TIME, "", line).strip()
    pattern = ".*".join(re.escape(re.sub(_ID, "SOMETHING", part)) for part in said.split(_ELIDED))
    return pattern.replace("SOMETHING", r"[\w-]+").replace(r"\ ", r"\s+")


class Shell:
    """A shell in which `.venv/bin/samtale` is this one."""

    def __init__(self, directory: Path, server: RunningSamtale) -> None:
        self._directory, self._server = directory, server

    async def __aenter__(self) -> "Shell":
        programs = self._directory / ".venv" / "bin"
        programs.mkdir(parents=True)
        for name, how in (("samtale", "-m app.cli"), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {how} "$@"\n')
            (programs / name).chmod(0o755)
        found = {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'sdk' / 'python'}"}
        self._child = await asyncio.create_subprocess_exec(
            "bash", cwd=self._directory, env=self._server.environment | found,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._child.communicate(b"exit\n")

    async def run(self, command: str) -> str:
        """Return what a command says."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        asked = command.replace(HERE, self._server.url)
        self._child.stdin.write(f"{asked}\necho '{DONE}'\n".encode())
        said: list[str] = []
        async with asyncio.timeout(SAYS_WITHIN_S):
            while (line := (await self._child.stdout.readline()).decode()).rstrip() != DONE:
                assert line, "the shell has ended"
                said.append(line)
        return "".join(said).replace(self._server.url, HERE)


class Reader:
    """Somebody who does what the page says, at one shell, a phone and a desk."""

    def __init__(self, server: RunningSamtale, shell: Shell, stack: AsyncExitStack) -> None:
        self._server, self._shell, self._stack = server, shell, stack
        self._people: dict[str, Terminal] = {}

    async def does(self, block: list[str]) -> None:
        """Type what is typed in a block, and look for what is shown."""
        who = "visitor"
        for typed, shown in steps(block):
            prompt, _, words = typed.partition(" ")
            if prompt == "$" and (command := words.split())[0] == SAMTALE and command[1] in ("visitor", "agent"):
                who = await self._comes(command[1:])
            elif prompt == "$":
                await self._asks(words, shown)
                continue
            elif prompt:
                who = "agent" if prompt == "»" else "visitor"
                self._people[who].type(words)
            for line in shown:
                await self._people[who].shows_like(expected(line))

    async def _comes(self, arguments: list[str]) -> str:
        terminal = Terminal(*arguments, "--server", self._server.url, environment=self._server.environment)
        self._people[arguments[0]] = await self._stack.enter_async_context(terminal)
        return arguments[0]

    async def _asks(self, command: str, shown: list[str]) -> None:
        """Run a command; one that only reads again and again, since records follow what was done in a moment."""
        pattern = re.compile(".*".join(map(expected, shown)), re.DOTALL)
        async with asyncio.timeout(SAYS_WITHIN_S):
            while not pattern.search(said := await self._shell.run(command)):
                assert READS.match(command), f"{shown} is not what {command!r} said:\n{said}"


def steps(block: list[str]) -> list[tuple[str, list[str]]]:
    """Return what is typed, with its prompt, and what is shown after it; "" if something is shown before that."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in block:
        if typed := PROMPT.match(line):
            found.append((f"{typed[1]} {typed[2]}", []))
        else:
            found[-1][1].append(line)
    return found


async def test_the_page_is_followed_line_by_line(samtale_server: RunningSamtale, tmp_path: Path) -> None:
    """A key, a draft, a preview, two phones and a desk, a roll back, reports, an export and an erasure."""
    async with AsyncExitStack() as stack:
        shell = await stack.enter_async_context(Shell(tmp_path, samtale_server))
        reader = Reader(samtale_server, shell, stack)
        followed = list(blocks())
        assert len(followed) >= 12
        for block in followed:
            await reader.does(block)
    assert (tmp_path / "nora.zip").exists()
