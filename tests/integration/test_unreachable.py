"""Redis or SQL away at start and later, a full disk, wrong settings: said clearly, nothing lost, and on it goes."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import samtale

from store.redis.connection import dial
from store.redis.server import EmbeddedValkey, ServerOptions
from tests.kit.commands import run_samtale
from tests.kit.persons import Desk, Phone, soon, talking
from tests.kit.records import copied
from tests.kit.samtale_servers import Installation, free_port
from tests.kit.sql_servers import Postgres


@pytest.fixture
async def external(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    """A Valkey that is not the installation's own."""
    server = EmbeddedValkey(tmp_path / "external", ServerOptions(password="let-me-in", durability="stored"))
    await server.start()
    yield server
    await server.stop()


# At start.


async def test_redis_that_does_not_answer_at_start_is_named(tmp_path: Path) -> None:
    """Within the deadline, without its password."""
    port = free_port()
    nowhere = f"redis://:let-me-in@127.0.0.1:{port}"
    said = await Installation(tmp_path, redis_url=nowhere, start_deadline_s="2").refused()
    assert f"samtale: not ready within 2 s: Redis: 127.0.0.1:{port} cannot be reached" in said
    assert "let-me-in" not in said


async def test_a_password_that_redis_refuses_is_said_at_once(tmp_path: Path, external: EmbeddedValkey) -> None:
    """No waiting for the deadline: it stays wrong."""
    wrong = external.url.replace("let-me-in", "guess")
    said = await Installation(tmp_path / "data", redis_url=wrong).refused()
    assert "samtale: Redis: WRONGPASS" in said
    assert "guess" not in said


async def test_a_redis_that_evicts_is_refused(tmp_path: Path, external: EmbeddedValkey) -> None:
    """What it throws away was acknowledged."""
    connection = await dial(external.address)
    await connection.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    said = await Installation(tmp_path / "data", redis_url=external.url).refused()
    await connection.close()
    assert "samtale: Redis evicts keys when full (maxmemory-policy allkeys-lru): set it to noeviction" in said


async def test_postgresql_that_does_not_answer_at_start_is_named(tmp_path: Path) -> None:
    """Within the deadline, with what its driver says, without the password."""
    port = free_port()
    nowhere = f"postgresql://somebody:let-me-in@127.0.0.1:{port}/samtale"
    said = await Installation(tmp_path, database_url=nowhere, start_deadline_s="10").refused()
    assert "samtale: not ready within 10 s: SQL: " in said
    assert f"port {port} failed: Connection refused" in said
    assert "let-me-in" not in said


async def test_a_database_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Where the configuration should be there is something else."""
    (tmp_path / "config.db").mkdir()
    said = await Installation(tmp_path, start_deadline_s="12").refused()
    assert "samtale: not ready within 12 s: SQL: unable to open database file" in said


async def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Nothing is started."""
    with read_only(tmp_path / "data") as data:
        said = await Installation(data / "new").refused()
    assert f"samtale: the data directory {data / 'new'} cannot be used: " in said


@contextmanager
def read_only(place: Path) -> Iterator[Path]:
    place.mkdir(mode=0o500)
    if os.geteuid() != 0:
        yield place
        return
    _mount(place, "-o", "ro")  # root may write where nobody may
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _mount(place: Path, *options: str) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(place)], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"NO TMPFS: root may not mount here: {mounted.stderr.decode().strip()}")


# Wrong settings.


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("PORT", "abc", "SAMTALE_PORT: Input should be a valid integer"),
        ("PORT", "65536", "SAMTALE_PORT: Input should be less than or equal to 65535"),
        ("LEASE_S", "0", "SAMTALE_LEASE_S: Input should be greater than 0"),
        ("LOG_LEVEL", "loud", "SAMTALE_LOG_LEVEL: "),
        ("REDIS_URL", "localhost", "SAMTALE_REDIS_URL: a Redis URL begins with redis:// or rediss://"),
        ("DATABASE_URL", "mysql://u:secret@h/x", "SAMTALE_DATABASE_URL: mysql is no database for Samtale"),
        ("DATABASE_URL", "secret", "SAMTALE_DATABASE_URL: a database URL looks like postgresql://"),
        ("HOST", "203.0.113.1", "cannot listen on 203.0.113.1:"),
    ],
)
async def test_a_wrong_setting_is_named_with_its_reason(tmp_path: Path, name: str, value: str, why: str) -> None:
    """Nothing is started; the value, which may be a secret, is not repeated unless it is harmless."""
    environment = Installation(tmp_path, **{"port": str(free_port())} | {name.lower(): value}).environment
    ended = await run_samtale("run", "--data", str(tmp_path / "data"), environment=environment)
    assert ended.status == 2
    assert ended.err.startswith(f"samtale: {why}")
    assert "secret" not in ended.err
    assert not (tmp_path / "data" / "logs").exists()


async def test_another_number_of_cells_is_refused(tmp_path: Path) -> None:
    """The cells are fixed at first start: an account's keys would be looked for elsewhere."""
    installation = Installation(tmp_path, cells="2")
    async with installation:
        pass
    installation.environment["SAMTALE_CELLS"] = "3"
    assert "this installation was begun with 2 cells: set SAMTALE_CELLS=2" in await installation.refused()


# Later.


async def test_everything_goes_on_after_redis_was_away(tmp_path: Path, external: EmbeddedValkey) -> None:
    """Who comes meanwhile is sent away with 4003 and comes back; what was said meanwhile arrives, once."""
    installation = Installation(tmp_path / "data", redis_url=external.url, lease_s="4", gateway_lease_s="6")
    async with installation as running, talking(phone := Phone(running.url), desk := Desk(running.url)) as conversation:
        os.kill(external.pid, 9)
        await external.wait()
        asked = [phone.client.send("meanwhile"), desk.client.send(conversation, "meanwhile, too")]
        late = Phone(running.url)
        async with late.client:
            away = await late.told(samtale.Disconnected)
            assert (away.code, away.again_in_s is None) == (4003, False)
            await external.start()
            await asyncio.gather(*map(soon, asked))
            await late.told(samtale.Connected)
        await phone.hears("meanwhile, too")
        await desk.hears("meanwhile")
    assert sorted(phone.texts(conversation)) == ["hello", "meanwhile", "meanwhile, too"]


async def test_who_is_not_cold_goes_on_while_postgresql_is_away(tmp_path: Path, postgres: Postgres) -> None:
    """Running conversations, new visitors, close and reopen; the scribe copies it all once SQL is back."""
    url = postgres.new_database()
    async with Installation(tmp_path / "data", database_url=url) as running:
        async with talking(phone := Phone(running.url), desk := Desk(running.url)) as conversation:
            postgres.end()
            try:
                await soon(phone.client.send("without SQL"))
                await soon(desk.client.send(conversation, "as ever"))
                await soon(desk.client.close(conversation))
                reopened = await soon(phone.client.send("once more"))
                async with (stranger := Phone(running.url)).client:
                    await soon(stranger.client.send("I am new here"))
            finally:
                postgres.start()
            await desk.reads(conversation, samtale.Message, reopened.seq - 1)
        await copied(url, stranger.conversation)
        await copied(url, conversation, reopened.seq)
        replayed = await run_samtale("replay", environment=running.environment | {"SAMTALE_DATABASE_URL": url})
    assert replayed.status == 0, replayed.out
    assert "2 conversations" in replayed.out


async def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """While it is full, sends wait or are refused; once there is room they arrive; each entry is there once."""
    if os.geteuid() != 0:
        pytest.skip("NO ROOT: a small disk cannot be mounted, so a full one goes untested")
    data = tmp_path / "data"
    data.mkdir()
    _mount(data, "-o", "size=48m")
    try:
        async with Installation(data, lease_s="4", gateway_lease_s="6") as running:
            async with talking(phone := Phone(running.url), desk := Desk(running.url)) as conversation:
                ballast = fill(data)
                asked = [phone.client.send(f"full {number}" + "." * 2000) for number in range(8)]
                asked += [desk.client.send(conversation, f"full, too {number}" + "." * 2000) for number in range(8)]
                doctor = await run_samtale("doctor", environment=running.environment)
                assert (doctor.status, "make room" in doctor.out) == (1, True), doctor.out
                ballast.unlink()
                await asyncio.gather(*map(soon, asked))
                last = await soon(phone.client.send("room again"))
                await phone.hears("room again")
            acked = {event.seq for event in phone.heard + desk.heard if isinstance(event, samtale.Acked) and event.seq}
            assert acked <= {entry.seq for entry in phone.log(conversation)}
            assert [entry.seq for entry in phone.log(conversation)] == list(range(1, last.seq + 1))
            assert len(phone.texts(conversation)) == len(set(phone.texts(conversation))) == 18
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


def fill(place: Path) -> Path:
    """Leave no byte free where `place` is; return the file to remove."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 4096, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    assert shutil.disk_usage(place).free == 0
    return ballast


# Elsewhere.


async def test_redis_7_and_postgresql_carry_an_installation(
    tmp_path: Path, redis7: EmbeddedValkey, postgres: Postgres
) -> None:
    """Consent, messages both ways, close, reopen; doctor finds nothing to mend."""
    url = postgres.new_database()
    async with Installation(tmp_path / "data", redis_url=redis7.url, database_url=url) as running:
        phone, desk = Phone(running.url, tag="support"), Desk(running.url)
        async with phone.client, desk.client:
            await phone.told(samtale.Connected)
            with pytest.raises(samtale.RefusedError, match="consent_required"):
                await soon(phone.client.send("too early"))
            await soon(phone.client.answer_consent(True))
            await soon(phone.client.send("hello"))
            await desk.takes(phone.conversation)
            await soon(desk.client.send(phone.conversation, "hello back"))
            await phone.hears("hello back")
            closed = await soon(desk.client.close(phone.conversation))
            await soon(phone.client.send("once more"))
            await phone.reads(phone.conversation, samtale.Reopened, closed.seq)
        settings = {"SAMTALE_DATABASE_URL": url, "SAMTALE_REDIS_URL": redis7.url}
        doctor = await run_samtale("doctor", environment=running.environment | settings)
    assert (doctor.status, "Redis 7.0" in doctor.out) == (0, True), doctor.out
