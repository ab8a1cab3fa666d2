"""Files: asked for on the line, carried over HTTP, said with a receipt."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
import samtale
from samtale.files import type_of

from tests.unit.sdk.memory_line import MemoryLine, Network, visitor_ready
from tests.unit.sdk.phones import ack

FILE = {"id": "att_1", "kind": "image", "name": "me.png", "type": "image/png", "size": 3, "width": 1, "height": 1}
ALLOWED = {"conversation": "c1", "attachment": "att_1", "url": "/v1/attachments/sealed", "expires_at": 1}


class Store:
    """What is at the far end of HTTP: answers as it is told, and keeps what was asked."""

    def __init__(self, status: int, answer: bytes) -> None:
        self.status, self.answer = status, answer
        self.asked: list[tuple[str, str, bytes]] = []

    async def transfer(self, method: str, url: str, content: bytes) -> tuple[int, bytes]:
        self.asked.append((method, url, content))
        return self.status, self.answer


async def open_phone(store: Store) -> tuple[samtale.VisitorClient, MemoryLine]:
    network = Network()
    world = samtale.Surroundings(connect=network.connect, chance=lambda: 0.0, transfer=store.transfer)
    phone = samtale.VisitorClient("http://h:1", app_key="app", tag="help", surroundings=world)
    await phone.__aenter__()
    line = await network.line()
    await line.hear("hello")
    line.say("ready", **visitor_ready())
    async for event in phone.events():
        if isinstance(event, samtale.Connected):
            break
    return phone, line


async def test_a_file_is_asked_for_put_and_said(tmp_path: Path) -> None:
    """Under its own name and type; the message names the receipt, and awaits its outcome as any other."""
    path = tmp_path / "me.png"
    path.write_bytes(b"png")
    store = Store(200, orjson.dumps({"receipt": "r1", "file": FILE}))
    phone, line = await open_phone(store)
    sending = asyncio.create_task(phone.send_file(path, "Look"))
    asked = await line.hear("upload")
    assert {name: asked[name] for name in ("conversation", "name", "type", "size")} == {
        "conversation": "c1",
        "name": "me.png",
        "type": "image/png",
        "size": 3,
    }
    line.say("upload", ref=asked["ref"], **ALLOWED)
    said = await line.hear("send")
    assert store.asked == [("PUT", "http://h:1/v1/attachments/sealed", b"png")]
    assert (said["text"], said["attachments"], said["n"]) == ("Look", ["r1"], 1)
    line.say("ack", **ack(said))
    assert (await (await sending)).seq == 1
    await phone.__aexit__(None, None, None)


async def test_a_file_without_words_has_none() -> None:
    """The text is left out, not empty."""
    phone, line = await open_phone(Store(200, orjson.dumps({"receipt": "r1", "file": FILE})))
    sending = asyncio.create_task(phone.send_file(b"png", name="me.png"))
    line.say("upload", ref=(await line.hear("upload"))["ref"], **ALLOWED)
    assert "text" not in await line.hear("send")
    await sending
    await phone.__aexit__(None, None, None)


@pytest.mark.parametrize("where", ["on the line", "over HTTP"])
async def test_a_file_that_is_refused_is_not_said(where: str) -> None:
    """Whoever sends it hears the code, and nothing is put into the outbox."""
    store = Store(415, orjson.dumps({"code": "bad_file", "retryable": False, "text": "no"}))
    phone, line = await open_phone(store)
    sending = asyncio.create_task(phone.send_file(b"png", name="me.png"))
    ref = (await line.hear("upload"))["ref"]
    if where == "on the line":
        line.say("refused", ref=ref, code="consent_required", retryable=True, text="first")
    else:
        line.say("upload", ref=ref, **ALLOWED)
    with pytest.raises(samtale.RefusedError) as refused:
        await sending
    assert refused.value.refused.code == ("consent_required" if where == "on the line" else "bad_file")
    assert phone.asking.outbox.waiting() == []
    await phone.__aexit__(None, None, None)


async def test_a_file_is_got_by_its_id() -> None:
    """From where the server says."""
    store = Store(200, b"png")
    phone, line = await open_phone(store)
    getting: Any = asyncio.create_task(phone.download("c1", "att_1"))
    line.say("download", ref=(await line.hear("download"))["ref"], **ALLOWED)
    assert await getting == b"png"
    assert store.asked == [("GET", "http://h:1/v1/attachments/sealed", b"")]
    await phone.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("name", "type_"),
    [("a.JPG", "image/jpeg"), ("a.pdf", "application/pdf"), ("a.tar.gz", "application/octet-stream"),
     ("a", "application/octet-stream"), ("a.svg", "image/svg+xml")],
)  # fmt: skip
def test_a_name_stands_for_a_type(name: str, type_: str) -> None:
    """What is packed, or unknown, is bytes."""
    assert type_of(name) == type_
