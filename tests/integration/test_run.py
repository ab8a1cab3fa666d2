"""`samtale run` and the Procfile: from nothing to two sockets, through kill -9 of anything, and back."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import connect

import pytest
import pytest_asyncio
import samtale

from app.readiness import Readiness
from app.settings import Settings
from tests.kit.commands import run_samtale
from tests.kit.living import all_ended, descendants
from tests.kit.persons import Desk, Phone, soon, talking
from tests.kit.records import copied
from tests.kit.samtale_servers import Installation, RunningSamtale, bare_environment, free_port

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "app/examples/workspace.yaml"


async def test_ctrl_c_stops_everything_and_the_next_run_has_the_history(tmp_path: Path) -> None:
    """Exit status 0, no process left; the conversation is read again from its first entry, and goes on."""
    installation = Installation(tmp_path / "data")
    store = samtale.FileStore(tmp_path / "phone")
    first = await installation.start()
    below = list(descendants(first.pid))
    async with talking(phone := Phone(first.url, store=store), desk := Desk(first.url)) as conversation:
        await soon(desk.client.send(conversation, "hello back"))
        last = await phone.hears("hello back")
    assert await installation.stop(signal.SIGINT) == 0
    await all_ended(below)
    async with installation as again:
        later = Phone(again.url, store=store)
        async with later.client:
            await later.hears("hello back")
            await soon(later.client.send("still here"))
            await later.hears("still here")
    assert later.log(conversation)[: last.seq] == phone.log(conversation)[: last.seq]


async def test_nothing_outlives_a_killed_supervisor_and_the_next_run_starts_at_once(tmp_path: Path) -> None:
    """kill -9 takes every child along, on the same ports and directory a new one starts, and nothing acked is lost."""
    installation = Installation(tmp_path / "data", lease_s="1.5", durability="stored")
    running = await installation.start()
    below = descendants(running.pid)
    assert len(below) == 5, below  # valkey, its server, worker, engine, gateway
    store = samtale.FileStore(tmp_path / "phone")
    phone = Phone(running.url, store=store)
    async with phone.client:
        await soon(phone.client.send("just before"))
        await installation.kill()
    await all_ended(list(below))
    async with installation as again:
        later = Phone(again.url, store=store)
        async with later.client:
            await later.hears("just before")


@pytest.mark.xdist_group("run")
async def test_a_second_run_in_the_same_directory_is_refused(samtale_server: RunningSamtale) -> None:
    """It names the process that holds the directory, and harms nothing."""
    said = await Installation(samtale_server.data).refused()
    assert said == (
        f"samtale: {samtale_server.data} is in use by process {samtale_server.pid}: stop that one, or choose another "
        "directory\n"
    )


@pytest.mark.xdist_group("run")
async def test_a_port_in_use_is_refused(samtale_server: RunningSamtale, tmp_path: Path) -> None:
    """It neither hangs, nor restarts a gateway for ever, nor takes the other server for its own."""
    second = Installation(tmp_path)
    second.port = int(samtale_server.url.rsplit(":", 1)[1])
    said = await second.refused()
    assert (
        f"cannot listen on 127.0.0.1:{second.port}: Address already in use: stop what uses it, or choose another: --port, "
        "or SAMTALE_PORT\n"
    ) in said


async def test_a_part_that_cannot_run_ends_the_start_with_its_reason(tmp_path: Path) -> None:
    """A data directory whose Valkey file is not one: the operator sees why, and the start does not go on for ever."""
    (tmp_path / "valkey").write_text("not a directory")
    said = await Installation(tmp_path).refused()
    assert "samtale: valkey: " in said
    assert "File exists" in said


@dataclass(frozen=True, slots=True)
class Shared:
    """One installation whose parts are killed one after the other."""

    installation: Installation
    running: RunningSamtale


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shared]:
    installation = Installation(
        tmp_path_factory.mktemp("killed"), lease_s="4", gateway_lease_s="6", durability="stored"
    )
    async with installation as running:
        yield Shared(installation, running)


@pytest.mark.xdist_group("killed")
@pytest.mark.parametrize("part", ["gateway", "engine", "worker", "valkey", "valkey-server"])
async def test_a_conversation_goes_on_when_a_part_is_killed(shared: Shared, part: str) -> None:
    """kill -9 between messages under way: each arrives, once, for both, in the order of the log."""
    async with talking(phone := Phone(shared.running.url), desk := Desk(shared.running.url)) as conversation:
        asked = [phone.client.send("before"), desk.client.send(conversation, "before, too")]
        os.kill(shared.installation.pid_of(part), signal.SIGKILL)
        asked += [phone.client.send("meanwhile"), desk.client.send(conversation, "meanwhile, too")]
        await asyncio.gather(*map(soon, asked))
        await soon(phone.client.send("after"))
        await soon(desk.client.send(conversation, "after, too"))
        for person in (phone, desk):
            await person.hears("after, too")
        await soon(desk.client.close(conversation))
    assert sorted(phone.texts(conversation)) == sorted(desk.texts(conversation)[:])
    said = ["hello", "before", "meanwhile", "after"]
    assert [text for text in phone.texts(conversation) if ", too" not in text] == said
    assert [text for text in phone.texts(conversation) if ", too" in text] == [f"{text}, too" for text in said[1:]]
    assert phone.log(conversation)[0].seq == 1


async def test_a_backup_of_sql_alone_brings_the_installation_back(tmp_path: Path) -> None:
    """As docs/howto/running.md does it: copied while all runs, started without Redis; the talk goes on where it was."""
    store = samtale.FileStore(tmp_path / "phone")
    original, restored = Installation(tmp_path / "data"), Installation(tmp_path / "restored")
    async with original as running:
        async with talking(Phone(running.url, store=store), desk := Desk(running.url)) as conversation:
            said = await soon(desk.client.send(conversation, "for the record"))
        await copied(f"sqlite:///{running.data}/record.db", conversation, said.seq)
        restored.data.mkdir()
        for name in ("config.db", "record.db"):
            with connect(running.data / name) as source, connect(restored.data / name) as target:
                source.backup(target)
    async with restored as again:
        later, kari = Phone(again.url, store=store), Desk(again.url)
        async with later.client, kari.client:
            await later.hears("for the record")
            await soon(later.client.send("still me"))
            await kari.hears("still me")
    assert later.texts(conversation) == ["hello", "for the record", "still me"]


async def test_the_procfile_runs_the_same(tmp_path: Path) -> None:
    """Under honcho the parts wait for each other, and Ctrl-C ends them all; what was said is there at the next run."""
    data, port = tmp_path / "data", free_port()
    environment = bare_environment() | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "SAMTALE_DATA": str(data),
        "SAMTALE_PORT": str(port), "SAMTALE_DRAIN_S": "0.5",
    }  # fmt: skip
    honcho = await asyncio.create_subprocess_exec(
        "honcho", "start", cwd=ROOT, env=environment, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(180):
            await Readiness(Settings(data=data, port=port)).gateway(f"http://127.0.0.1:{port}")
        applied = await run_samtale("apply", str(EXAMPLE), environment=environment)
        assert applied.status == 0, applied.err
        below = list(descendants(honcho.pid))
        url, store = f"http://127.0.0.1:{port}", samtale.FileStore(tmp_path / "phone")
        async with talking(Phone(url, store=store), desk := Desk(url)) as conversation:
            await soon(desk.client.send(conversation, "just before"))
            honcho.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await honcho.wait() == 130  # what a shell says of Ctrl-C
        await all_ended(below)
    finally:
        if honcho.returncode is None:
            honcho.kill()
            await honcho.wait()
    async with Installation(data) as again:
        later = Phone(again.url, store=store)
        async with later.client:
            await later.hears("just before")
    assert later.texts(conversation) == ["hello", "just before"]
