"""docs/howto/raw-client.md, played line by line with the stock client that it names."""

import asyncio
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.test_node import NODE, node

pytestmark = pytest.mark.xdist_group("conformance")  # one server, and Node's libraries installed once

__all__ = ["node"]

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "raw-client.md"
PATIENCE_S = 120.0


def lines() -> list[tuple[str, str]]:
    """Return (`>` or `<`, frame) of each line of the page's dialogue."""
    text = PAGE.read_text(encoding="utf-8").replace("choose-your-own-0001", secrets.token_urlsafe(24))
    return [(mark, frame) for mark, frame in re.findall(r"^([<>]) (\{.*\})$", text, re.MULTILINE)]


def fits(shown: Any, heard: Any) -> bool:
    """Whether `heard` is as the page shows it."""
    if isinstance(shown, dict):
        return isinstance(heard, dict) and all(key in heard and fits(item, heard[key]) for key, item in shown.items())
    return shown in ("…", "CONVERSATION") or bool(shown == heard)


class Terminal:
    """wscat, typed at and read from: it says that it is connected, and takes lines, only at a terminal."""

    def __init__(self, typed: asyncio.StreamWriter, shown: asyncio.StreamReader) -> None:
        self._typed, self._shown = typed, shown
        self._heard: list[Any] = []

    async def see(self, shown: Any) -> Any:
        """Return the next frame that fits; frames of other names may come between."""
        async with asyncio.timeout(PATIENCE_S):
            while not (fitting := [frame for frame in self._heard if fits(shown, frame)]):
                line = (await self._shown.readline()).decode()
                assert line, f"the client ended; {shown} was expected, heard: {self._heard}"
                self._heard += [json.loads(frame) for frame in re.findall(r"< (\{.*\})", line)]
        self._heard.remove(fitting[0])
        return fitting[0]

    async def play(self, dialogue: list[tuple[str, str]]) -> None:
        """Type what the page types, see what it shows."""
        async with asyncio.timeout(PATIENCE_S):
            await self._shown.readuntil(b"Connected")
        conversation = "CONVERSATION"
        for mark, frame in dialogue:
            if mark == ">":
                self._typed.write(frame.replace("CONVERSATION", conversation).encode() + b"\n")
            else:
                heard = await self.see(json.loads(frame))
                conversation = heard.get("conversation") or conversation


async def test_the_page_holds(node: str, server_url: str, app_key: str) -> None:
    """Every line that the page shows comes as it says."""
    master, slave = os.openpty()
    address = server_url.replace("http", "ws", 1) + "/v1/mobile"
    child = await asyncio.create_subprocess_exec(
        node, str(NODE / "node_modules" / "wscat" / "bin" / "wscat"), "--no-color", "--subprotocol", "samtale.v1.json",
        "--connect", address, stdin=asyncio.subprocess.PIPE, stdout=slave,
    )  # fmt: skip
    os.close(slave)
    screen = asyncio.StreamReader(limit=2**20)
    with os.fdopen(master, "rb", 0) as tty:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(screen), tty
        )
        assert child.stdin is not None
        try:
            await Terminal(child.stdin, screen).play(lines())
        finally:
            child.kill()
            await child.wait()
            transport.close()
