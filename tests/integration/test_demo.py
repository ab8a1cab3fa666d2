"""`samtale demo`, as a person runs it: every fact, on a running installation and on one of its own."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kit.samtale_servers import RunningSamtale

pytestmark = pytest.mark.xdist_group("demo")  # two demos at once would meet

DEADLINE_S = 900  # the stories take about a minute; machines that run tests are busy
FIRST = [
    "priority", "consent_first", "capacity_and_queue", "offer_expires", "passing_by", "line_cut", "same_send_same_seq",
    "transfer", "close_and_reopen", "replay_equal",
]  # fmt: skip
SECOND = [
    "shared_tag", "language", "welcome", "seat_required", "turns", "explicit_consent", "communicate",
    "email_after_delay", "marketing_contacts", "analytics", "transfer_to_team", "close_button", "among_colleagues",
    "quick_replies", "canned", "ticket", "survey", "supervisor", "snooze_and_wake", "redaction", "versions", "block",
    "alias", "withdrawal", "desk_replay_equal",
]  # fmt: skip
THIRD = [
    "key_made", "draft_checked", "previewed", "published_live", "two_admins", "attachment", "report_read",
    "exported_and_erased", "audited", "office_replay_equal",
]  # fmt: skip
FACTS = FIRST + SECOND + THIRD


async def demo(environment: dict[str, str], *options: str) -> tuple[int, str, str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", "demo", *options,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=environment,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE_S):
            out, err = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode is not None
    return child.returncode, out.decode(), err.decode()


def told(outcome: tuple[int, str, str]) -> list[dict[str, Any]]:
    status, out, err = outcome
    assert out, err
    story: dict[str, Any] = json.loads(out)
    failing = [fact for fact in story["facts"] if not fact["holds"]]
    assert failing == []
    assert (status, story["ok"]) == (0, True), err
    facts: list[dict[str, Any]] = story["facts"]
    return facts


@pytest.mark.parametrize("time", ["first", "again"])
async def test_every_fact_holds_on_a_running_installation(samtale_server: RunningSamtale, time: str) -> None:
    """Of every story, also when they were told there before."""
    facts = told(await demo(samtale_server.environment, "--json"))
    assert [fact["name"] for fact in facts] == FACTS


async def test_every_fact_holds_on_an_installation_of_its_own(tmp_path: Path) -> None:
    """Where none runs; a phone whose line is cut comes back on the other gateway, and nothing is left behind."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SAMTALE_")}
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    nobody = {"SAMTALE_DATA": str(tmp_path / "none"), "SAMTALE_PORT": "9", "TMPDIR": str(temporary)}
    facts = told(await demo(environment | nobody, "--json"))
    assert [fact["name"] for fact in facts] == FACTS
    assert "on the other gateway" in facts[FACTS.index("line_cut")]["evidence"]
    assert list(temporary.iterdir()) == []


async def test_a_server_that_does_not_answer_is_said_and_nothing_is_told(samtale_server: RunningSamtale) -> None:
    """Exit status 2: nothing was shown, neither way."""
    status, out, err = await demo(samtale_server.environment, "--server", "http://127.0.0.1:9")
    assert (status, out) == (2, "")
    assert err.startswith("samtale: the story cannot be played at http://127.0.0.1:9: ")
    assert err.endswith(" is not ready: nobody listens there\n")
