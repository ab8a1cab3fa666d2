"""Files in a bucket of S3, over its protocol to a server in a process of its own (docs/howto/attachments.md)."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from app import doctor
from app.doctor import Finding
from app.settings import settings_from
from gateway.gateway import FileSettings
from protocol.bus.commands import ErasePerson
from protocol.ids import ConversationId, ErasureId, VisitorId
from store.files.bucket import Bucket, BucketAway
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.queries import attachments, jobs
from tests.kit.engines import Bench, bench, now_ms
from tests.kit.gateways import Running, get, nordvik, running
from tests.kit.hubs import house
from tests.kit.s3_servers import S3Server
from tests.kit.uploads import ask_upload, download, file_settings, files_in, picture, put, say, upload
from tests.kit.workplace import ACCOUNT
from workers.attachments import Remover

PNG = picture()
LARGE_BYTES = 20 * 1024 * 1024
REFUSED = {
    "a wrong key": ({"AWS_SECRET_ACCESS_KEY": "another-secret-than-ours"}, "its credentials are refused"),
    "nobody there": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "it does not answer"),
    "TLS alone": ({"AWS_ALLOW_HTTP": "false"}, "it does not answer"),
}


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    """Each test's files are its own."""
    return tmp_path.name


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, and this process let in to it."""
    lets_in(s3_server, monkeypatch)
    return s3_server


def lets_in(server: S3Server, monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    for name, value in server.environment(**changes).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def files(s3: S3Server, prefix: str) -> Iterator[FileSettings]:
    with file_settings(s3.url(prefix)) as settings:
        yield settings


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as cell, house(cell, nordvik()):
        yield cell


@pytest.fixture
async def gateway(cell: Bench, files: FileSettings) -> AsyncIterator[Running]:
    async with running(cell, files=files) as made:
        yield made


async def whole(bucket: Bucket, key: str) -> bytes | None:
    """Return what is under a key."""
    opened = await bucket.open(key)
    if opened is None:
        return None
    content = b"".join([part async for part in opened.parts])
    assert len(content) == opened.size_bytes
    return content


async def looked_at(url: str, data: Path) -> Finding:
    """Return what the doctor says of the files."""
    async with aclosing(doctor.findings(settings_from(data=data, attachments_url=url))) as findings:
        return await anext(each async for each in findings if each.what.startswith("files"))


@pytest.mark.parametrize("size_bytes", [0, 1_000, LARGE_BYTES])
async def test_what_is_put_is_there_whole_until_it_is_removed(
    s3: S3Server, prefix: str, tmp_path: Path, size_bytes: int
) -> None:
    """Nothing, little, and as much as goes in several parts; on the server it is one file under its key."""
    bucket, source, content = Bucket(s3.url(prefix)), tmp_path / "source", os.urandom(size_bytes)
    source.write_bytes(content)
    await bucket.put("attachments/acc/att", source)
    assert s3.kept(prefix) == {"attachments/acc/att": content}
    assert await whole(bucket, "attachments/acc/att") == content
    await bucket.remove(["attachments/acc/att", "attachments/acc/never"])
    assert s3.kept(prefix) == {}
    assert await whole(bucket, "attachments/acc/att") is None


async def test_a_file_of_a_conversation_goes_when_it_is_redacted_and_with_its_person(
    gateway: Running, cell: Bench, s3: S3Server, prefix: str
) -> None:
    """On the server too; until then an agent gets it over the gateway."""
    async with gateway.visitor() as phone, gateway.agent(await gateway.ticket()) as ann:
        ready = await get(phone, "ready")
        where, visitor = ConversationId(ready["conversation"]), VisitorId(ready["visitor"])
        pictures = [PNG, picture(size=(20, 20))]
        ids = []
        for n, content in enumerate(pictures, 1):
            done = (await upload(gateway, phone, where, content)).json()
            ids.append(done["file"]["id"])
            await say(phone, t="send", n=n, id=f"m{n}", conversation=where, attachments=[done["receipt"]])
            seq = (await get(phone, "ack", n=n))["seq"]
        await get(ann, "ready")
        await say(ann, t="resume", position={"conversation": where, "seq": 0, "id": ""})
        await get(ann, "caught_up", conversation=where)
        kept = s3.kept(prefix)
        got = [await download(gateway, ann, where, id_) for id_ in ids]
        assert [each.content for each in got] == [kept[attachments.key_of(ACCOUNT, id_)] for id_ in ids]
        await say(ann, t="redact", n=1, id="r", conversation=where, seq=seq)
        await get(ann, "ack", id="r")
        await work(gateway, cell)
        assert list(s3.kept(prefix)) == [attachments.key_of(ACCOUNT, ids[0])]
        assert (await download(gateway, ann, where, ids[1])).status_code == 404
        await cell.do(ErasePerson(ACCOUNT, visitor, ErasureId("era_1")))
        await work(gateway, cell)
        assert s3.kept(prefix) == {}


async def work(gateway: Running, cell: Bench) -> None:
    """Do what the last commits ask of workers about files."""
    await cell.copy_to_sql()
    files, record = gateway.gateway.hub.services.attachments, cell.databases.record
    assert files is not None
    remover = Remover(files.bucket, record)
    due = await record.transact(lambda sql: jobs.take(sql, "record", now_ms=now_ms(), lease_ms=60_000, limit=16))
    for job in due:
        await remover.kinds[job.kind](job)


async def test_the_doctor_looks_into_the_bucket(s3: S3Server, prefix: str, tmp_path: Path) -> None:
    """And leaves nothing there."""
    assert await looked_at(s3.url(prefix), tmp_path) == Finding("good", f"files: {s3.url(prefix)}")
    assert s3.kept(prefix) == {}


@pytest.mark.parametrize(("changes", "why"), REFUSED.values(), ids=REFUSED)
async def test_a_bucket_that_cannot_be_reached_takes_nothing_and_says_why(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, prefix: str, tmp_path: Path, changes: dict[str, str], why: str
) -> None:
    """The doctor too, with what to look at; a file that is there is not taken for one that is not."""
    lets_in(s3_server, monkeypatch, **changes)
    bucket, source = Bucket(s3_server.url(prefix)), tmp_path / "source"
    source.write_bytes(PNG)
    for refused in (bucket.put("a", source), bucket.open("a"), bucket.remove(["a"])):
        with pytest.raises(BucketAway, match=why):
            await refused
    assert s3_server.kept(prefix) == {}
    finding = await looked_at(s3_server.url(prefix), tmp_path)
    assert (finding.level, why in finding.what, "AWS_ENDPOINT_URL" in finding.cure) == ("bad", True, True)


async def test_a_bucket_that_does_not_exist_takes_nothing_and_is_found_by_the_doctor(
    s3: S3Server, tmp_path: Path
) -> None:
    """It reads as if it were empty: S3 says no more of a file."""
    bucket, source = Bucket("s3://no-such-bucket"), tmp_path / "source"
    source.write_bytes(PNG)
    with pytest.raises(BucketAway, match="there is no such bucket"):
        await bucket.put("a", source)
    assert await bucket.open("a") is None
    finding = await looked_at("s3://no-such-bucket", tmp_path)
    assert (finding.level, "there is no such bucket" in finding.what) == ("bad", True)


async def test_a_phone_is_told_that_its_file_is_not_taken_just_now(
    cell: Bench, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    """As often as it tries under the same address; nothing of the file stays, and talking goes on."""
    lets_in(s3_server, monkeypatch, AWS_SECRET_ACCESS_KEY="another-secret-than-ours")
    with file_settings(s3_server.url(prefix)) as files:
        async with running(cell, files=files) as gateway, gateway.visitor() as phone:
            where = (await get(phone, "ready"))["conversation"]
            url = (await ask_upload(phone, where, PNG))["url"]
            for _ in range(2):
                refused = await put(gateway, url, PNG)
                told = refused.json()
                assert (refused.status_code, told["code"], told["retryable"]) == (503, "unavailable", True)
            await say(phone, t="send", n=1, id="a", conversation=where, text="Hello")
            await get(phone, "ack", n=1)
        assert files_in(files) == []
    assert s3_server.kept(prefix) == {}
