"""A client that is not ours, in another language and with other libraries, keeps a conversation from SPEC alone."""

import asyncio
import shutil
from pathlib import Path

import pytest

from protocol.wire.limits import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK
from tests.conformance.test_vectors import VECTORS

pytestmark = pytest.mark.xdist_group("conformance")  # one server, and Node's libraries installed once

NODE = Path(__file__).parent / "node"
PATIENCE_S = 300


async def run(*command: str) -> str:
    """Return what `command` prints, run beside the client; fail with all it said if it does."""
    child = await asyncio.create_subprocess_exec(
        *command, cwd=NODE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            said, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode == 0, said.decode()
    return said.decode()


@pytest.fixture
async def node() -> str:
    """The path of node, with the client's two libraries installed as its lock says."""
    path, npm = shutil.which("node"), shutil.which("npm")
    if path is None or npm is None:
        pytest.skip("SKIPPED LOUDLY: node or npm is not installed, so no foreign client was tried")
    if not (NODE / "node_modules" / "ws").is_dir():
        await run(npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    return path


@pytest.mark.parametrize("subprotocol", [SUBPROTOCOL_MSGPACK, SUBPROTOCOL_JSON])
async def test_a_foreign_client_keeps_a_conversation(
    node: str, subprotocol: str, server_url: str, app_key: str
) -> None:
    """Consent, a message, a claim, a cut line, receipts, a choice, a note and the end: each fact holds."""
    said = await run(node, "conversation.mjs", server_url, subprotocol, app_key)
    assert said.endswith("done\n")
    assert said.count("ok: ") == 9


async def test_foreign_libraries_read_the_vectors(node: str) -> None:
    """Their MessagePack is ours."""
    assert "done: " in await run(node, "vectors.mjs", str(VECTORS / "frames.json"))


def test_the_lock_names_no_address() -> None:
    """Versions and hashes only, so that it installs from any registry."""
    assert "resolved" not in (NODE / "package-lock.json").read_text(encoding="utf-8")
