"""The load kit drives real installations and judges what it finds, in short. No test looks at a time."""

import asyncio
import sys
from pathlib import Path

import pytest

from admin.workspace import apply_text
from app.stores import redis_address
from loadtests.chaos.installation import Installation, Size
from loadtests.load import reading, workspace
from loadtests.load.conducting import Order, conduct
from loadtests.load.link import Ground
from loadtests.load.results import Judgement
from loadtests.load.runs import read_run
from loadtests.load.shares import DriverFailed
from store.redis.connection import dial
from store.redis.keys import APPS, LOGINS

LEAN = """\
title: All that lean phones do
about: In short.
installation: {gateways: 2, cells: 2}
accounts: 2
account: {capacity: 3}
driver: {processes: 2}
lean: {phones: 6, desks: 4}
phases:
  - {do: exchange, messages: 60, in_flight: 4}
  - {do: send, seconds: 1, per_s: 60}
  - {do: cut, away_s: 0.2}
  - {do: send, seconds: 1, times_peak: 0.05, arrivals: even, gives_up: true}
"""
LEAN_ASKED = 6 * (1 + 10 + 1)  # the first word, the exchange, the cut; what the clock adds is by chance

PEOPLE = """\
title: People of every kind
about: In short.
installation: {gateways: 2, wide: false}
account: {capacity: 5, auto_accept: false, consent: explicit, survey: true}
people:
  agents: 2
  agent_habits: {answers_s: 0.1, pace_s: 0.5}
  visitors:
    - {persona: steady, share: 0.5, habits: {says: 3, pace_s: 0.2, ends: 1.0}}
    - {persona: aeroplane_mode, share: 0.5, habits: {says: 3, pace_s: 0.2, fault_s: 0.2, fault_every_s: 1}}
phases:
  - {do: visit, per_s: 3, seconds: 4, returning: 6}
"""

THERE = """\
title: Somebody else's server
about: In short.
account: {capacity: 2}
lean: {phones: 2, desks: 1}
phases:
  - {do: send, per_s: 4, seconds: 1}
"""


class Silent:
    """Shows nothing; remembers which phases there were."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def sample(self, at_s: float, values: dict[str, float]) -> None:
        pass

    def stage(self, text: str) -> None:
        self.stages.append(text)


async def test_lean_phones_talk_are_cut_and_come_back(tmp_path: Path) -> None:
    """Two accounts, two driver processes: every message and every missed word comes once, in order; the page is there."""
    scenario = tmp_path / "lean.yaml"
    scenario.write_text(LEAN)
    out = tmp_path / "out"
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", "load", str(scenario), "--out", str(out), stderr=asyncio.subprocess.PIPE
    )
    _, said = await run.communicate()
    assert run.returncode == 0, said.decode()
    found = read_run(out)
    assert (out / "report.html").is_file()
    assert found.verdict == Judgement(sessions=10, messages=found.verdict.messages)
    assert found.verdict.messages > LEAN_ASKED
    assert {usage.role for usage in found.usages} == {"gateway", "engine", "worker", "valkey", "driver"}
    assert {latency.name for latency in found.latencies} >= {"connect → ready", "resume → caught up", "wait → assigned"}
    assert found.missed == found.notes == []


async def test_people_live_and_are_judged_by_their_journals() -> None:
    """Visitors who come again and agents, on the SDK: all that each did and saw is checked against the record."""
    shows = Silent()
    found = await conduct(Order("people", reading.read(PEOPLE, "people", []), ""), shows)
    assert found.verdict.is_good, found.verdict.examples
    assert found.verdict.messages > 0
    assert any(latency.name == "wait → assigned" for latency in found.latencies)
    assert found.missed == []
    assert "visit" in shows.stages


async def published(installation: Installation) -> None:
    """Wait until the cell has the kit's workspace, whose names come last."""
    line = await dial(await redis_address(installation.settings))
    async with asyncio.timeout(60):
        names = (APPS, "app_load"), (LOGINS, workspace.EMAIL.format(1))
        while not all([await line.call("HEXISTS", *name) for name in names]):
            await asyncio.sleep(0.05)
    await line.close()


async def test_a_running_server_is_driven_by_its_address(tmp_path: Path) -> None:
    """With the workspace that the kit prints applied there; who is not let in is told as the reason."""
    scenario = reading.read(THERE, "there", [])
    patient = {"SAMTALE_LEASE_S": "4", "SAMTALE_GATEWAY_LEASE_S": "30"}
    installation = Installation(tmp_path, Size(1, 1, 1), environment=patient)
    async with asyncio.TaskGroup() as tasks:
        await installation.start(tasks)
        try:
            settings = installation.settings
            await asyncio.to_thread(apply_text, settings.config_url, workspace.text(scenario), cells=settings.cells)
            await published(installation)
            emails = [(email, email) for email in [workspace.EMAIL.format(1)]]
            ground = Ground("app_load", "app_load", "load", emails, workspace.PASSWORD)
            found = await conduct(Order("there", scenario, "", installation.gateway_urls, [ground]), Silent())
            assert found.verdict.is_good, found.verdict.examples
            assert found.verdict.messages > 2
            assert {usage.role for usage in found.usages} == {"driver"}
            wrong = Ground("app_load", "app_load", "load", emails, "not-the-password")
            with pytest.raises(DriverFailed, match="cannot log in"):
                await conduct(Order("there", scenario, "", installation.gateway_urls, [wrong]), Silent())
        finally:
            await installation.stop()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pears"], "shipped scenarios:"),
        (["pairs", "--set", "lean.phones=0"], "--set lean.phones: is 0"),
        (["pairs", "--url", "http://127.0.0.1:1"], "cannot log in"),
        (["idle", "--set", "lean.phones=9000000"], "open files"),
        (["compare", "nowhere", "nowhere"], "nowhere"),
    ],
)
async def test_what_cannot_be_run_ends_with_status_2_and_why(arguments: list[str], said: str) -> None:
    """On standard error, without a trace."""
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", "load", *arguments, stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    _, error = await run.communicate()
    assert run.returncode == 2
    assert said in error.decode()
    assert "Traceback" not in error.decode()


def test_the_short_form_needs_no_clock() -> None:
    """Nothing here is judged by how fast it was: the scenarios of this page have no goals."""
    for text in (LEAN, PEOPLE, THERE):
        goals = reading.read(text, "short", []).goals
        assert all(getattr(goals, name) is None for name in goals.__struct_fields__)
