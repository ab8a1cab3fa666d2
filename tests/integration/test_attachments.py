"""Attachments through a whole gateway: from one to the other, each once, and to nobody else (SPEC 5.9, 6.7)."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection

from gateway.core.seals import DownloadGrant, Seals, UploadGrant
from gateway.gateway import FileSettings
from protocol.ids import AccountId, AttachmentId, ConversationId, DeviceId, VisitorId
from protocol.wire.content import Message
from protocol.wire.kinds import File
from store.redis.server import EmbeddedValkey
from store.sql.database import Databases
from store.sql.queries import attachments, jobs
from tests.kit.engines import CELL, Bench, bench, now_ms
from tests.kit.gateways import Running, get, nordvik, running
from tests.kit.hubs import house
from tests.kit.uploads import (
    SECRET,
    ask_upload,
    download,
    file_settings,
    files_in,
    heard,
    moving,
    photograph,
    picture,
    put,
    say,
    shown,
    upload,
)
from tests.kit.workplace import ACCOUNT
from workers.attachments import Remover

PNG = picture()


@pytest.fixture
def files() -> Iterator[FileSettings]:
    with file_settings("disk") as settings:
        yield settings


@pytest.fixture
async def cell(valkey: EmbeddedValkey, sqlite_databases: Databases) -> AsyncIterator[Bench]:
    async with bench(valkey, sqlite_databases) as cell, house(cell, nordvik()):
        yield cell


@pytest.fixture
async def gateway(cell: Bench, files: FileSettings) -> AsyncIterator[Running]:
    async with running(cell, files=files) as made:
        yield made


async def sends(line: ClientConnection, where: str, n: int, *receipts: str, **more: Any) -> dict[str, Any]:
    """Send a message that names what was uploaded; return its outcome."""
    name = more.pop("id", f"m{n}")
    await say(line, t="send", n=n, id=name, conversation=where, attachments=list(receipts), **more)
    return await heard(line, lambda frame: frame["t"] in ("ack", "refused") and frame.get("id") == name)


async def reads(ann: ClientConnection, where: str) -> None:
    """An agent opens the conversation."""
    await get(ann, "ready")
    await say(ann, t="resume", position={"conversation": where, "seq": 0, "id": ""})
    await get(ann, "caught_up", conversation=where)


async def test_an_image_goes_from_the_phone_to_the_agent(gateway: Running) -> None:
    """The message names it, its text is its plain form, and what the agent gets is the picture alone."""
    async with gateway.visitor() as phone, gateway.agent(await gateway.ticket()) as ann:
        where = (await get(phone, "ready"))["conversation"]
        done = await upload(gateway, phone, where, photograph(), name="me.jpg", type="image/jpeg")
        assert done.status_code == 200, done.text
        await say(phone, t="send", n=1, id="a", conversation=where, text="Look", attachments=[done.json()["receipt"]])
        said = await get(phone, "event", seq=2)
        content = said["body"]["content"]
        (file,) = content["files"]
        assert (content["kind"], content["caption"], file["kind"], file["name"]) == ("files", "Look", "image", "me.jpg")
        assert (file["width"], file["height"]) == (30, 40)  # upright
        assert said["body"]["text"].startswith("Look\n[me.jpg, ")
        await reads(ann, where)
        got = await download(gateway, ann, where, file["id"])
        assert (got.status_code, got.headers["content-type"]) == (200, "image/jpeg")
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in got.headers
        assert SECRET not in got.content
        assert not shown(got.content).getexif()
        assert shown(got.content).size == (30, 40)


async def test_an_agent_sends_a_file_and_the_visitor_gets_it(gateway: Running) -> None:
    """Byte for byte, to be saved, under the name that it had."""
    pdf = b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF"
    async with gateway.visitor() as phone, gateway.agent(await gateway.ticket()) as ann:
        where = (await get(phone, "ready"))["conversation"]
        await say(phone, t="send", n=1, id="a", conversation=where, text="Hello")
        await get(phone, "ack", n=1)
        await reads(ann, where)
        done = await upload(gateway, ann, where, pdf, name="på norsk.pdf", type="application/pdf")
        assert (await sends(ann, where, 1, done.json()["receipt"]))["t"] == "ack"
        said = await heard(phone, lambda frame: "content" in frame.get("body", {}))
        (file,) = said["body"]["content"]["files"]
        got = await download(gateway, phone, where, file["id"])
        assert (got.content, got.headers["content-type"]) == (pdf, "application/octet-stream")
        assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''p%C3%A5%20norsk.pdf"


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
async def test_what_moves_goes_on_moving(gateway: Running, kind: str) -> None:
    """With all its frames, and for ever."""
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        done = await upload(gateway, phone, where, moving(kind), name="a.gif", type=f"image/{kind.lower()}")
        assert (await sends(phone, where, 1, done.json()["receipt"]))["t"] == "ack"
        got = await download(gateway, phone, where, done.json()["file"]["id"])
        picture = shown(got.content)
        assert (picture.format, picture.n_frames, picture.info["loop"]) == (kind, 3, 0)


async def test_ten_files_are_one_message_and_eleven_are_none(gateway: Running) -> None:
    """In the order in which the message names them."""
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        names = [f"{at}.png" for at in range(10)]
        done = [await upload(gateway, phone, where, PNG, name=name) for name in names]
        receipts = [each.json()["receipt"] for each in done]
        assert (await sends(phone, where, 1, *receipts, receipts[0], id="x"))["code"] == "malformed"
        await say(phone, t="send", n=1, id="a", conversation=where, attachments=receipts)
        said = await get(phone, "event", seq=2)
        assert [file["name"] for file in said["body"]["content"]["files"]] == names


async def test_a_message_is_made_once_and_a_receipt_counts_once(gateway: Running, cell: Bench) -> None:
    """The same frame is answered from memory; another message cannot name the same upload."""
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        receipt = (await upload(gateway, phone, where, PNG)).json()["receipt"]
        first = await sends(phone, where, 1, receipt)
        assert await sends(phone, where, 1, receipt) == first
        assert (await sends(phone, where, 2, receipt))["code"] == "bad_attachment"
        assert (await sends(phone, where, 3, receipt, receipt))["code"] == "bad_attachment"
        messages = [event.seq for event in await cell.log(where) if isinstance(event.body, Message)]
        assert messages == [first["seq"]]


async def test_only_who_uploaded_may_send_it(gateway: Running) -> None:
    """Not another visitor, not an agent, and not whoever invents a receipt."""
    async with gateway.visitor() as phone, gateway.visitor() as other, gateway.agent(await gateway.ticket()) as ann:
        where, elsewhere = [(await get(each, "ready"))["conversation"] for each in (phone, other)]
        receipt = (await upload(gateway, phone, where, PNG)).json()["receipt"]
        assert (await sends(other, elsewhere, 1, receipt))["code"] == "bad_attachment"
        await get(ann, "ready")
        assert (await sends(phone, where, 1, text="Hello"))["t"] == "ack"
        assert (await sends(ann, where, 1, receipt))["code"] == "bad_attachment"
        invented = await sends(phone, where, 2, receipt[:-4] + "AAAA")
        assert (invented["code"], invented["expected"]) == ("bad_attachment", 2)


async def test_nothing_is_uploaded_before_consent(gateway: Running, files: FileSettings) -> None:
    """Asking is refused as words are; after the grant it is allowed."""
    async with gateway.visitor("asks") as phone:
        where = (await get(phone, "ready"))["conversation"]
        refused = await ask_upload(phone, where, PNG)
        assert (refused["t"], refused["code"], refused["retryable"]) == ("refused", "consent_required", True)
        granted = {"t": "answer", "n": 1, "id": "c", "step": "consent_to_process", "value": "granted"}
        await say(phone, **granted, conversation=where)
        await get(phone, "ack", n=1)
        assert (await upload(gateway, phone, where, PNG)).status_code == 200
        assert len(files_in(files)) == 1


async def test_an_upload_that_crosses_a_withdrawal_is_refused(gateway: Running, files: FileSettings) -> None:
    """The address was given before; nothing of the file is kept."""
    async with gateway.visitor("asks") as phone:
        where = (await get(phone, "ready"))["conversation"]
        granted = {"t": "answer", "n": 1, "id": "c", "step": "consent_to_process", "value": "granted"}
        await say(phone, **granted, conversation=where)
        await get(phone, "ack", n=1)
        allowed = await ask_upload(phone, where, PNG)
        await say(phone, t="withdraw", ref="w", purpose="process")
        await get(phone, "done", ref="w")
        assert (await put(gateway, allowed["url"], PNG)).status_code == 404
        assert files_in(files) == []


async def test_an_address_takes_one_file_of_the_size_that_was_said(gateway: Running) -> None:
    """After what was refused it may be tried again; after what was kept it is none any more."""
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        url = (await ask_upload(phone, where, PNG))["url"]
        tries = [PNG + b"x", PNG[:-1], PNG, PNG]
        assert [(await put(gateway, url, content)).status_code for content in tries] == [413, 400, 200, 404]
        too_large = await ask_upload(phone, where, PNG, size=20 * 1024 * 1024 + 1)
        assert too_large["code"] == "too_large"


async def test_addresses_that_are_foreign_or_too_old_are_refused_alike(gateway: Running, files: FileSettings) -> None:
    """For putting and for getting; an address for the one is none for the other."""
    async with gateway.visitor() as phone:
        ready = await get(phone, "ready")
        where, me = ConversationId(ready["conversation"]), VisitorId(ready["visitor"])
        done = await upload(gateway, phone, where, PNG)
        ours, theirs = Seals(files.key), Seals(bytes(64))
        file = File(AttachmentId("att_new"), "image", "a.png", "image/png", len(PNG))
        whose = (me, where, me, DeviceId(ready["device"]), CELL, file)
        id_, later, before = AttachmentId(done.json()["file"]["id"]), now_ms() + 60_000, now_ms() - 1
        put_good = ours.seal(UploadGrant(ACCOUNT, *whose, later))
        get_good = ours.seal(DownloadGrant(ACCOUNT, me, id_, later))
        bad = {
            "PUT": [
                ours.seal(UploadGrant(ACCOUNT, *whose, before)),
                theirs.seal(UploadGrant(ACCOUNT, *whose, later)),
                put_good[:-2],
                get_good,
                "nonsense",
            ],
            "GET": [
                ours.seal(DownloadGrant(ACCOUNT, me, id_, before)),
                theirs.seal(DownloadGrant(ACCOUNT, me, id_, later)),
                ours.seal(DownloadGrant(AccountId("acc_other"), me, id_, later)),
                ours.seal(DownloadGrant(ACCOUNT, VisitorId("vis_other"), id_, later)),
                ours.seal(DownloadGrant(ACCOUNT, me, AttachmentId("att_none"), later)),
                put_good,
            ],
        }
        async with httpx2.AsyncClient(base_url=gateway.http, timeout=60) as http:
            told = set()
            for method, addresses in bad.items():
                for address in addresses:
                    answer = await http.request(method, f"/v1/attachments/{address}", content=PNG)
                    told.add((answer.status_code, answer.content))
            assert [status for status, _ in told] == [404]
            assert (await http.get(f"/v1/attachments/{get_good}")).status_code == 200
            assert (await http.put(f"/v1/attachments/{put_good}", content=PNG)).status_code == 200


async def test_another_visitor_cannot_ask_for_an_attachment(gateway: Running) -> None:
    """Neither in their own conversation by its id, nor in the one where it is."""
    async with gateway.visitor() as phone, gateway.visitor() as other:
        where, elsewhere = [(await get(each, "ready"))["conversation"] for each in (phone, other)]
        done = await upload(gateway, phone, where, PNG)
        assert (await sends(phone, where, 1, done.json()["receipt"]))["t"] == "ack"
        id_ = done.json()["file"]["id"]
        assert (await sends(other, elsewhere, 1, text="Hello"))["t"] == "ack"
        assert (await download(gateway, other, elsewhere, id_)).status_code == 404
        await say(other, t="download", ref="d", conversation=where, attachment=id_)
        assert (await get(other, "refused", ref="d"))["code"] == "not_found"


async def test_sql_knows_which_message_names_it(gateway: Running, cell: Bench) -> None:
    """The fact is in the commit of the message, so that its redaction finds it."""
    async with gateway.visitor() as phone:
        where = ConversationId((await get(phone, "ready"))["conversation"])
        done = await upload(gateway, phone, where, PNG)
        outcome = await sends(phone, where, 1, done.json()["receipt"])
        await cell.copy_to_sql()
        found = await cell.databases.record.read(lambda sql: attachments.of_message(sql, where, outcome["seq"]))
        assert found == [done.json()["file"]["id"]]


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=5-", 206, slice(5, None)),
        ("bytes=-2", 206, slice(-2, None)),
        ("bytes=3-999999", 206, slice(3, None)),
        ("bytes=999999-", 416, slice(0, 0)),
        ("bytes=0-1,3-4", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
async def test_a_part_is_given_to_who_asks_for_it(gateway: Running, asked: str, status: int, part: slice) -> None:
    """As players of sound do; what cannot be understood is answered by the whole."""
    sound = b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(range(200))
    async with gateway.visitor() as phone:
        where = (await get(phone, "ready"))["conversation"]
        done = await upload(gateway, phone, where, sound, name="a.mp3", type="audio/mpeg")
        assert done.json()["file"]["kind"] == "voice"
        got = await download(gateway, phone, where, done.json()["file"]["id"], Range=asked)
        assert (got.status_code, got.content) == (status, sound[part])


async def test_what_was_redacted_is_gone_for_whoever_has_an_address(gateway: Running, cell: Bench) -> None:
    """From when a worker did what the commit asks of it."""
    async with gateway.visitor() as phone, gateway.agent(await gateway.ticket()) as ann:
        where = ConversationId((await get(phone, "ready"))["conversation"])
        done = await upload(gateway, phone, where, PNG)
        outcome = await sends(phone, where, 1, done.json()["receipt"])
        id_ = AttachmentId(done.json()["file"]["id"])
        await reads(ann, where)
        assert (await download(gateway, ann, where, id_)).status_code == 200
        await say(ann, t="redact", n=1, id="r", conversation=where, seq=outcome["seq"])
        await get(ann, "ack", id="r")
        await cell.copy_to_sql()
        record, services = cell.databases.record, gateway.gateway.hub.services
        assert services.attachments is not None
        remover = Remover(services.attachments.bucket, record)
        due = await record.transact(lambda sql: jobs.take(sql, "record", now_ms=now_ms(), lease_ms=1_000, limit=16))
        for job in due:
            if job.kind == attachments.GONE:
                await remover.gone(job)
        assert (await download(gateway, ann, where, id_)).status_code == 404
