"""docs/howto/identity.md, done as it says."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admin.workspace import read
from gateway.ports import Claims
from gateway.tokens import LEEWAY_S, MAX_LIFE_S, verify
from protocol.bus.config import App
from protocol.wire import client
from protocol.wire.codec import MOBILE
from protocol.wire.limits import SUBPROTOCOL_JSON

PAGE = (Path(__file__).parents[3] / "docs/howto/identity.md").read_text(encoding="utf-8")
WORKSPACE = (Path(__file__).parents[3] / "app/examples/workspace.yaml").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which step 1 was done."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: the page's commands go untested")
    monkeypatch.chdir(tmp_path)
    (commands,) = blocks("sh")
    subprocess.run(["sh", "-ec", commands], check=True, capture_output=True)
    return tmp_path


def registered(company: Path) -> App:
    """Return the app as step 2 registers it, through the workspace file's own checks."""
    (excerpt,) = blocks("yaml")
    public = (company / "samtale-2026.pub.pem").read_text()
    key = re.sub(r"-----BEGIN.*KEY-----", public.strip().replace("\n", "\n          "), excerpt, flags=re.DOTALL)
    apps = "".join(f"    {line}\n" for line in key.splitlines())
    whole = re.sub(r"    apps:.*?(?=\n    agents:)", apps.rstrip("\n"), WORKSPACE, count=1, flags=re.DOTALL)
    account = read(whole).accounts[0]
    (app,) = account.thing.apps
    return app.thing


def signer() -> Callable[[str], str]:
    """Return `token_for` of step 3."""
    (code,) = blocks("python")
    names: dict[str, Any] = {}
    exec(code, names)
    made: Callable[[str], str] = names["token_for"]
    return made


def test_a_token_made_as_the_page_says_proves_its_user(company: Path) -> None:
    """Steps 1 to 3, from the commands to the check."""
    app = registered(company)
    proven = verify(app, app.identity_keys, signer()("user-17"), int(time.time()))
    assert isinstance(proven, Claims)
    assert proven.subject == "user-17"


@pytest.mark.parametrize(("index", "kind"), [(0, client.Hello), (1, client.Hello), (2, client.Refresh)])
def test_the_frames_of_the_page_are_frames(index: int, kind: type) -> None:
    """Steps 4 and 5, as the mobile socket reads them."""
    text = blocks("json")[index]
    assert json.loads(text)
    assert isinstance(MOBILE[SUBPROTOCOL_JSON].decode(text), kind)


def test_the_pages_numbers_are_ours() -> None:
    """Its longest life and its leeway are those that are checked."""
    assert f"at most {MAX_LIFE_S:,}; clocks may differ by {LEEWAY_S} s" in PAGE
